//! What content is called by: the hash of it.

use aws_lc_rs::digest::{Context, SHA256, SHA384, SHA512};
use std::{fmt, str::FromStr};

/// A digest such as `sha256:…`, which names content by what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a digest such as sha256: followed by 64 lower case hexadecimal digits")]
pub struct NotADigest(String);

impl Digest {
    /// The SHA-256 digest of content.
    pub fn of(content: &[u8]) -> Self {
        let mut hasher = Hasher::sha256();
        hasher.update(content);
        hasher.finish()
    }

    /// The digest as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The algorithm, and what it made of the content.
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or(("", &self.0))
    }

    /// What makes digests by the same algorithm.
    pub(crate) fn hasher(&self) -> Hasher {
        match self.parts().0 {
            "sha512" => Hasher { algorithm: "sha512", context: Context::new(&SHA512) },
            "sha384" => Hasher { algorithm: "sha384", context: Context::new(&SHA384) },
            _ => Hasher::sha256(),
        }
    }

    /// Whether it is the digest of this content.
    pub fn is_of(&self, content: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(content);
        hasher.finish() == *self
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = |algorithm| match algorithm {
            "sha256" => Some(64),
            "sha384" => Some(96),
            "sha512" => Some(128),
            _ => None,
        };
        let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.split_once(':') {
            Some((algorithm, hash))
                if length(algorithm) == Some(hash.len()) && hash.bytes().all(is_lower_hex) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NotADigest(text.chars().take(200).collect())),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A digest in the making. A clone of it goes on from the same place.
#[derive(Clone)]
pub(crate) struct Hasher {
    algorithm: &'static str,
    context: Context,
}

impl Hasher {
    fn sha256() -> Self {
        Self { algorithm: "sha256", context: Context::new(&SHA256) }
    }

    pub(crate) fn update(&mut self, content: &[u8]) {
        self.context.update(content);
    }

    pub(crate) fn finish(self) -> Digest {
        let hash = self.context.finish();
        let hex = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex = hex.filter_map(|digit| char::from_digit(u32::from(digit), 16));
        let text = self.algorithm.chars().chain([':']).chain(hex).collect();
        Digest(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digests_are_of_their_content() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), empty);
        assert!(empty.parse::<Digest>().unwrap().is_of(b"") && !Digest::of(b"a").is_of(b"b"));
        let long = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                    47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        assert!(long.parse::<Digest>().unwrap().is_of(b""));
        for wrong in ["", "sha256:", "sha256:E3b0", "md5:d41d8cd98f00b204e9800998ecf8427e", &empty[7..]] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(content: Vec<u8>, other: Vec<u8>) {
            let digest = Digest::of(&content);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest.clone()));
            prop_assert!(digest.is_of(&content));
            prop_assert_eq!(digest.is_of(&other), content == other);
        }
    }
}
