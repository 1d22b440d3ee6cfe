//! The file of users that Distribution's `htpasswd` authentication reads.
//!
//! Only bcrypt hashes count there; a line with any other hash is accepted at start and then never lets anybody in,
//! and a line without a hash makes every authenticated request fail. Bcrypt is paid for on each request, and a push is
//! hundreds of them.

use super::{Finding, Secret};
use aws_lc_rs::{digest, hmac};
use std::collections::{BTreeMap, BTreeSet};

/// The cost that is used where nothing else is said: about 40 ms a request on one core.
pub const DEFAULT_COST: u32 = 8;
/// From here on each request is slow enough to mention.
const SLOW_COST: u32 = 10;
/// More than this takes most of a second a request.
const COST_LIMIT: u32 = 12;
/// Bcrypt reads no more of a password; Go refuses to hash longer ones.
const PASSWORD_LIMIT: usize = 72;
/// Go's line scanner gives up on longer lines.
const LINE_LIMIT: usize = 64 * 1024;

/// Why no file can be made of the users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAUser {
    /// A name that the file's format has no room for.
    #[error(
        "{0:?} can't be a user name: it must not be empty, begin with '#', have spaces at its ends, or ':' or control characters in it"
    )]
    Name(String),
    /// A password that bcrypt would cut.
    #[error(
        "the password of {0:?} is longer than 72 bytes: bcrypt reads no more than that, and Go refuses it altogether"
    )]
    LongPassword(String),
    /// An empty password.
    #[error("the password of {0:?} is empty")]
    NoPassword(String),
    /// A NUL, at which bcrypt implementations stop reading.
    #[error("the password of {0:?} has a NUL character, at which bcrypt would stop reading")]
    Nul(String),
    /// A cost outside of bcrypt's range.
    #[error("the bcrypt cost {0} is out of range: choose 4 to 31, best 8 to 10")]
    Cost(u32),
}

/// Makes the file, sorted by user, with bcrypt in its `$2y$` form.
///
/// Each salt is an HMAC of the user and the password under `key`: so one key gives one file, which need not be kept to
/// be recognised, while without the key nothing is learned from a salt. `key` should be random, at least 32 bytes,
/// and kept as long as the service lives.
///
/// # Errors
/// [`NotAUser`] for the first user in order that can't be written; it never holds a password.
pub fn make(users: &BTreeMap<String, Secret>, key: &[u8], cost: u32) -> Result<Secret, NotAUser> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    write(users, cost, |user, password| Ok(salt(&key, &[user, password.expose()])))
}

/// Makes the file where no key can be kept: one `context` gives one file.
///
/// A salt that is quickly made of the password would be a quick way to try guesses. So it is made as slowly as the hash
/// itself: it is a digest of the password's bcrypt hash, of the same cost, under a first salt of `context` and user.
/// What this gives away: two files of one context show where a user has the same password in both, and whoever knows the
/// context can hash guesses before there is a file.
///
/// # Errors
/// Those of [`make`].
pub fn make_without_key(
    users: &BTreeMap<String, Secret>,
    context: &str,
    cost: u32,
) -> Result<Secret, NotAUser> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, context.as_bytes());
    write(users, cost, |user, password| {
        let slow = hash(password, cost, salt(&key, &[user]))?;
        let mut salt = [0; 16];
        salt.copy_from_slice(&digest::digest(&digest::SHA256, slow.to_string().as_bytes()).as_ref()[..16]);
        Ok(salt)
    })
}

fn write(
    users: &BTreeMap<String, Secret>,
    cost: u32,
    salt: impl Fn(&str, &Secret) -> Result<[u8; 16], NotAUser>,
) -> Result<Secret, NotAUser> {
    if !(4..=31).contains(&cost) {
        return Err(NotAUser::Cost(cost));
    }
    let mut file = String::new();
    for (user, password) in users {
        check_user(user, password)?;
        let hash = hash(password, cost, salt(user, password)?)?;
        file.push_str(&format!("{user}:{}\n", hash.format_for_version(bcrypt::Version::TwoY)));
    }
    Ok(file.into())
}

fn hash(password: &Secret, cost: u32, salt: [u8; 16]) -> Result<bcrypt::HashParts, NotAUser> {
    // The lengths are checked before; the non-truncating variant refuses 72 bytes too, which Go takes.
    bcrypt::hash_with_salt(password.expose(), cost, salt).map_err(|_| NotAUser::Cost(cost))
}

/// Checks one user without the cost of hashing, for the time of the plan.
///
/// # Errors
/// [`NotAUser`]; it never holds the password.
pub fn check_user(user: &str, password: &Secret) -> Result<(), NotAUser> {
    let is_trimmed = user.trim() == user;
    if user.is_empty()
        || !is_trimmed
        || user.starts_with('#')
        || user.contains(':')
        || user.contains(char::is_control)
    {
        return Err(NotAUser::Name(user.to_owned()));
    }
    match password.expose() {
        "" => Err(NotAUser::NoPassword(user.to_owned())),
        password if password.contains('\0') => Err(NotAUser::Nul(user.to_owned())),
        password if password.len() > PASSWORD_LIMIT => Err(NotAUser::LongPassword(user.to_owned())),
        _ => Ok(()),
    }
}

/// The lengths make sure that no two lists of parts, such as user and password, run into the same text.
fn salt(key: &hmac::Key, parts: &[&str]) -> [u8; 16] {
    let mut context = hmac::Context::with_key(key);
    context.update(b"htpasswd salt\0");
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&context.sign().as_ref()[..16]);
    salt
}

/// Checks a file that the user brings: A1 hashes, A2 cost, A3 form, A4 duplicates, A7 nobody in it.
///
/// `attribute` is where findings point to. No hash gets into a message.
pub fn inspect(file: &[u8], attribute: &str) -> Vec<Finding> {
    let error = |code, message: String| Finding::error(code, attribute, message);
    if file.starts_with(&[0xff, 0xfe]) || file.starts_with(&[0xfe, 0xff]) || file.contains(&0) {
        return vec![error(
            "A3",
            "The htpasswd file is UTF-16 or binary: every login would be answered with 400. Save it as UTF-8.".to_owned(),
        )];
    }
    let Ok(text) = std::str::from_utf8(file) else {
        return vec![error("A3", "The htpasswd file is not UTF-8.".to_owned())];
    };
    let mut findings = Vec::new();
    if text.starts_with('\u{feff}') {
        findings.push(error(
            "A3",
            "The htpasswd file begins with a byte order mark, which hides its first user. Save it without."
                .to_owned(),
        ));
    }
    let mut users = BTreeSet::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        // Distribution skips empty lines and comments.
        if !line.is_empty() && !line.starts_with('#') {
            inspect_line(line, number + 1, attribute, &mut users, &mut findings);
        }
    }
    if users.is_empty() {
        let message = "The htpasswd file has no users: nobody can log in.";
        findings.push(Finding::warning("A7", attribute, message));
    }
    findings
}

fn inspect_line<'l>(
    line: &'l str,
    number: usize,
    attribute: &str,
    users: &mut BTreeSet<&'l str>,
    findings: &mut Vec<Finding>,
) {
    let mut error = |code, message: String| findings.push(Finding::error(code, attribute, message));
    if line.len() > LINE_LIMIT {
        let message = format!("Line {number} is longer than 64 KiB: every login would be answered with 400.");
        return error("A3", message);
    }
    let Some((user, hash)) = line.split_once(':') else {
        let message = format!(
            "Line {number} is not user:hash: every login, not only this user's, would be answered with 400."
        );
        return error("A3", message);
    };
    if user.is_empty() {
        return error("A3", format!("Line {number} has no user name before the colon."));
    }
    match cost(hash) {
        None => error(
            "A1",
            format!(
                "The hash of user {user:?} in line {number} is not bcrypt ($2y$…). Distribution knows nothing else, so \
                 this user can never log in; make the line with: htpasswd -nB {user}"
            ),
        ),
        Some(cost) if cost > COST_LIMIT => findings.push(Finding::warning(
            "A2",
            attribute,
            format!(
                "User {user:?} has a bcrypt cost of {cost}. It is paid on every request, and a push makes hundreds; at \
                 12 each takes 0.3 s of CPU, and each step more doubles it. Use 8 to 10."
            ),
        )),
        Some(cost) if cost > SLOW_COST => findings.push(Finding::warning(
            "A2",
            attribute,
            format!("User {user:?} has a bcrypt cost of {cost}, paid on every request; 8 to 10 is enough."),
        )),
        Some(_) => {}
    }
    if !users.insert(user) {
        let message = format!("User {user:?} is there more than once; the last line wins.");
        findings.push(Finding::warning("A4", attribute, message));
    }
}

/// The cost of a whole bcrypt hash: `$2y$08$` and 53 characters of bcrypt's base64.
fn cost(hash: &str) -> Option<u32> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|version| hash.strip_prefix(version))?;
    let (cost, rest) = rest.split_once('$')?;
    let is_whole = rest.len() == 53
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/');
    let cost = Some(cost).filter(|cost| cost.len() == 2 && is_whole)?.parse().ok()?;
    (4..=31).contains(&cost).then_some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$08$abcdefghijklmnopqrstuuLxMe2xVVVVVVVVVVVVVVVVVVVVVVVVV";

    fn users(users: &[(&str, &str)]) -> BTreeMap<String, Secret> {
        users.iter().map(|(user, password)| ((*user).to_owned(), Secret::from(*password))).collect()
    }

    fn codes(file: &str) -> Vec<&'static str> {
        inspect(file.as_bytes(), "auth.htpasswd.file").iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn what_is_made_logs_in_and_is_stable_for_one_key() {
        let users = users(&[("ci", "hunter2"), ("deploy", "hunter2")]);
        let file = make(&users, b"key", 4).unwrap();
        let lines: Vec<_> = file.expose().lines().collect();
        assert_eq!(lines.len(), 2);
        let hashes: Vec<_> =
            lines.iter().filter_map(|line| line.split_once(':')).map(|(_, hash)| hash).collect();
        for hash in &hashes {
            assert!(hash.starts_with("$2y$04$"));
            assert!(bcrypt::verify("hunter2", hash).unwrap() && !bcrypt::verify("hunter3", hash).unwrap());
        }
        assert_ne!(hashes[0], hashes[1], "one password of two users must not show as one hash");
        assert_eq!(make(&users, b"key", 4).unwrap(), file);
        assert_ne!(make(&users, b"other", 4).unwrap(), file);
        assert_eq!(codes(file.expose()), [""; 0]);
    }

    #[test]
    fn without_a_key_the_file_follows_from_the_context_and_its_salts_are_no_quick_test() {
        let users = users(&[("ci", "hunter2"), ("deploy", "hunter2")]);
        let file = make_without_key(&users, "hub", 4).unwrap();
        let hashes: Vec<_> = file.expose().lines().filter_map(|line| line.split_once(':')).collect();
        assert!(hashes.iter().all(|(_, hash)| bcrypt::verify("hunter2", hash).unwrap()));
        let salts: BTreeSet<_> = hashes.iter().map(|(_, hash)| &hash[..29]).collect();
        assert_eq!(salts.len(), 2, "each user has a salt of its own");
        assert_eq!(make_without_key(&users, "hub", 4).unwrap(), file);
        assert_ne!(make_without_key(&users, "other", 4).unwrap(), file);
        // A keyed salt would be one HMAC of a guess.
        assert_ne!(make(&users, b"hub", 4).unwrap(), file);
        let salt_at = |cost| {
            make_without_key(&users, "hub", cost).unwrap().expose()["ci:$2y$04$".len()..][..22].to_owned()
        };
        assert_ne!(salt_at(4), salt_at(5), "a salt is as slow to make as its hash");
    }

    #[test]
    fn a3_users_that_cannot_be_written() {
        let long = "x".repeat(73);
        for (user, password, expected) in [
            ("", "p", NotAUser::Name(String::new())),
            ("a:b", "p", NotAUser::Name("a:b".to_owned())),
            ("#a", "p", NotAUser::Name("#a".to_owned())),
            (" a", "p", NotAUser::Name(" a".to_owned())),
            ("a\n", "p", NotAUser::Name("a\n".to_owned())),
            ("a", "", NotAUser::NoPassword("a".to_owned())),
            ("a", "p\0q", NotAUser::Nul("a".to_owned())),
            ("a", &long, NotAUser::LongPassword("a".to_owned())),
        ] {
            let error = make(&users(&[(user, password)]), b"key", 4).unwrap_err();
            assert_eq!(error, expected);
            assert!(!error.to_string().contains("xxx"));
        }
        assert!(make(&users(&[("a", &long[..72])]), b"key", 4).is_ok());
        assert_eq!(make(&users(&[]), b"key", 3), Err(NotAUser::Cost(3)));
    }

    #[test]
    fn a1_only_bcrypt_lets_anybody_in() {
        for hash in ["{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "$apr1$x$y", "plain", "$2y$08$short", "$2x$08$abc"]
        {
            let findings = inspect(format!("ci:{hash}\n").as_bytes(), "file");
            assert_eq!(findings[0].code, "A1", "{hash}");
            assert!(!findings[0].message.contains(hash));
        }
        for version in ["$2a$", "$2b$", "$2y$"] {
            assert_eq!(codes(&format!("ci:{}\r\n", HASH.replace("$2y$", version))), [""; 0]);
        }
    }

    #[test]
    fn a2_cost_is_paid_on_every_request() {
        let with_cost = |cost: &str| codes(&format!("ci:{}", HASH.replace("$08$", cost)));
        assert_eq!(with_cost("$10$"), [""; 0]);
        assert_eq!(with_cost("$11$"), ["A2"]);
        assert_eq!(with_cost("$14$"), ["A2"]);
    }

    #[test]
    fn a3_files_that_break_every_login() {
        assert_eq!(codes("garbage"), ["A3", "A7"]);
        assert_eq!(codes(&format!(":{HASH}")), ["A3", "A7"]);
        assert_eq!(codes(&format!("\u{feff}ci:{HASH}")), ["A3"]);
        assert_eq!(codes(&format!("{}:{HASH}", "x".repeat(LINE_LIMIT))), ["A3", "A7"]);
        assert_eq!(inspect(&[0xff, 0xfe, b'a', 0], "file")[0].code, "A3");
        assert_eq!(inspect(&[b'a', 0xff], "file")[0].code, "A3");
    }

    #[test]
    fn a4_of_two_lines_for_one_user_the_last_wins() {
        assert_eq!(codes(&format!("ci:{HASH}\n# comment\n\nci:{HASH}")), ["A4"]);
        assert_eq!(codes(&format!("ci:{HASH}\ndeploy:{HASH}")), [""; 0]);
    }

    #[test]
    fn a7_a_file_without_users() {
        assert_eq!(codes("\n# nobody\n"), ["A7"]);
    }
}
