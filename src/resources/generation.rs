//! Rotation, once for all: names of the generations of what Swarm cannot change.
//!
//! A secret or a config of Swarm is immutable. New content makes a new object, the service that uses it is
//! pointed to it in one update, and the old object goes when nothing uses it. What stays the same is a logical
//! name; an object's own name is `<name>-<digest>`.

use crate::terraform::Private;
use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;

/// What starts the labels that are the provider's own, and no difference to anybody.
pub const OWN_LABELS: &str = "io.localhub.swarm.";

/// The label with the logical name of which an object is a generation.
pub const GENERATION_OF: &str = "io.localhub.swarm.generation-of";

/// The label that the generations have in common which one resource made: see [`DigestKey::line`].
pub const LINE: &str = "io.localhub.swarm.line";

/// The label with the name of the service to which an object belongs.
pub const OWNER: &str = "io.localhub.swarm.service";

/// Whether an object stands for itself where everything is listed: it does not belong to a service of ours, and is no
/// generation that a newer one has followed. Objects are given as their labels and when they were created.
pub fn stands_for_itself<'a>(
    (labels, created_at): (&Labels, &str),
    mut all: impl Iterator<Item = (&'a Labels, &'a str)>,
) -> bool {
    let Some(logical) = labels.get(GENERATION_OF) else { return true };
    !labels.contains_key(OWNER)
        && !all.any(|(other, when)| other.get(GENERATION_OF) == Some(logical) && when > created_at)
}

type Labels = BTreeMap<String, String>;

/// How many hexadecimal digits of a digest are in a name: 48 bits tell generations of one name apart.
const DIGITS: usize = 12;

/// The longest name of a secret or a config (Engine API, `SecretSpec.Name`).
const MAX_NAME: usize = 64;

/// The key of a resource's digests. It is random, and kept in the resource's private state only.
///
/// An object's name can be seen by everyone who may list objects, so a plain hash of a guessable secret would
/// give it away. With the key, which never leaves the state, it does not.
pub struct DigestKey(hmac::Key);

impl DigestKey {
    const PRIVATE: &'static str = "digest_key";

    /// The key that was kept, if one was.
    pub fn kept(private: &Private) -> Option<Self> {
        let bytes = STANDARD.decode(private.get::<String>(Self::PRIVATE)?).ok()?;
        Some(DigestKey(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The key that was kept, or a new one, which is kept from now on.
    pub fn of(private: &mut Private) -> Self {
        if let Some(key) = Self::kept(private) {
            return key;
        }
        let bytes = random_bytes::<32>();
        private.set(Self::PRIVATE, STANDARD.encode(bytes));
        DigestKey(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// The name of the generation of `name` with this content.
    pub fn generation(&self, name: &str, content: &[u8]) -> String {
        let digits = self.digits(content);
        let room = MAX_NAME - DIGITS - 1;
        // A name must not end in a separator where it is cut.
        let name = name.get(..room).unwrap_or(name).trim_end_matches(['-', '_', '.']);
        format!("{name}-{digits}")
    }

    /// What tells the generations that were made with this key from those of another resource of the same name. It says nothing
    /// of the key, nor of any content.
    pub fn line(&self) -> String {
        self.digits(b"the line of generations")
    }

    fn digits(&self, content: &[u8]) -> String {
        let tag = hmac::sign(&self.0, content);
        tag.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).take(DIGITS).map(hex).collect()
    }

    /// The raw digest of some content under this key.
    pub fn digest(&self, content: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, content).as_ref().to_vec()
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap_or('0')
}

/// Random bytes from the operating system.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The generator of aws-lc does not fail: it ends the process rather than give bytes that can be guessed.
    rand::fill(&mut bytes).unwrap_or_else(|_| std::process::abort());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_generation_is_listed_and_what_is_a_service_s_is_not() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let all = [
            (labels(&[]), "1"),
            (labels(&[(GENERATION_OF, "a")]), "1"),
            (labels(&[(GENERATION_OF, "a")]), "2"),
            (labels(&[(GENERATION_OF, "b")]), "1"),
            (labels(&[(GENERATION_OF, "c"), (OWNER, "registry")]), "3"),
        ];
        let each = || all.iter().map(|(labels, when)| (labels, *when));
        let listed: Vec<bool> = each().map(|one| stands_for_itself(one, each())).collect();
        assert_eq!(listed, [true, false, true, true, false]);
    }

    #[test]
    fn a_name_follows_from_key_and_content_and_fits() {
        let mut private = Private::default();
        let key = DigestKey::of(&mut private);
        let again = DigestKey::kept(&private).unwrap();
        let name = key.generation("hub-tls-key", b"content");
        assert_eq!(name, again.generation("hub-tls-key", b"content"));
        assert_eq!(name.len(), "hub-tls-key".len() + 1 + DIGITS);
        assert_ne!(name, key.generation("hub-tls-key", b"other"));
        assert_ne!(name, DigestKey::of(&mut Private::default()).generation("hub-tls-key", b"content"));
        let long = key.generation(&format!("{}-x", "a".repeat(50)), b"");
        assert!(long.len() <= MAX_NAME && !long.contains("--"), "{long}");
    }
}
