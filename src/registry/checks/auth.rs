//! A7: authentication that lets nobody or everybody in. A1 to A4 are in [`htpasswd`](crate::registry::htpasswd).

use crate::registry::Finding;

/// A7 for `auth.silly`: it looks whether there is an Authorization header, and not what is in it.
pub fn silly() -> Finding {
    let message = "This kind of authentication lets everybody in who sends any Authorization header: it is for tests. Use \
                   htpasswd or token.";
    Finding::warning("A7", "auth.silly", message)
}

/// A7 for users of whom there are none.
pub fn nobody(path: &str, users: usize) -> Option<Finding> {
    (users == 0).then(|| {
        let message = "There are no users: nobody could log in. Add one.";
        Finding::warning("A7", path, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a7_everybody_and_nobody() {
        assert_eq!((silly().code, silly().is_error()), ("A7", false));
        assert_eq!(nobody("auth.htpasswd.users", 0).map(|finding| finding.code), Some("A7"));
        assert_eq!(nobody("auth.htpasswd.users", 1), None);
    }
}
