//! A6 and A7: authentication that lets nobody or everybody in. A1 to A4 are in [`htpasswd`](crate::registry::htpasswd).

use super::{Given, any_set};
use crate::registry::{Dialect, Finding};

/// `auth.token` as it is set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Token<'a> {
    /// Which Distribution.
    pub dialect: Option<Dialect>,
    /// `realm`: where clients get their tokens.
    pub realm: Given<&'a str>,
    /// `service`: what the registry is called in them.
    pub service: Given<&'a str>,
    /// `issuer`: who signs them.
    pub issuer: Given<&'a str>,
    /// Whether certificates that sign are given, in whatever spelling.
    pub has_root_certificates: Option<bool>,
    /// Whether keys are given as a JWKS, in whatever spelling.
    pub has_jwks: Option<bool>,
}

/// A6: what a registry needs to check tokens. That 2.8 does not know `jwks` and `signing_algorithms` is told with what else it
/// does not know.
pub fn token(token: &Token<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let needed = [("realm", token.realm), ("service", token.service), ("issuer", token.issuer)];
    for (name, given) in needed {
        if matches!(given, Given::Unset | Given::Is("")) {
            let message =
                format!("Without {name} the registry would not start. Set it as the token server has it.");
            findings.push(Finding::error("A6", format!("auth.token.{name}"), message));
        }
    }
    let is_2 = token.dialect == Some(Dialect::V2_8);
    let keys = if is_2 {
        token.has_root_certificates
    } else {
        any_set([token.has_root_certificates, token.has_jwks])
    };
    if keys == Some(false) {
        let which = if is_2 { "root_certificates" } else { "root_certificates or jwks" };
        let message =
            format!("Nothing is given to check tokens by: the registry would not start. Set {which}.");
        findings.push(Finding::error("A6", "auth.token", message));
    }
    if let Given::Is(realm) = token.realm
        && !realm.is_empty()
        && !["http://", "https://"].iter().any(|scheme| realm.starts_with(scheme))
    {
        let message = "realm is the address at which clients get their tokens, and begins with https://.";
        findings.push(Finding::error("A6", "auth.token.realm", message));
    }
    findings
}

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

    fn codes(case: &Token<'_>) -> Vec<String> {
        token(case).iter().map(|finding| format!("{} {}", finding.code, finding.path)).collect()
    }

    #[test]
    fn a6_tokens_that_could_not_be_checked() {
        let good = Token {
            dialect: Some(Dialect::V3_1),
            realm: Given::Is("https://auth.example.com/token"),
            service: Given::Is("hub"),
            issuer: Given::Is("auth"),
            has_root_certificates: Some(true),
            has_jwks: Some(false),
        };
        assert_eq!(codes(&good), [""; 0]);
        assert_eq!(codes(&Token::default()), [""; 0]);
        assert_eq!(codes(&Token { realm: Given::Unset, ..good }), ["A6 auth.token.realm"]);
        assert_eq!(codes(&Token { realm: Given::Is("auth.example.com"), ..good }), ["A6 auth.token.realm"]);
        assert_eq!(codes(&Token { service: Given::Is(""), ..good }), ["A6 auth.token.service"]);
        assert_eq!(codes(&Token { issuer: Given::Unset, ..good }), ["A6 auth.token.issuer"]);
        let jwks = Token { has_root_certificates: Some(false), has_jwks: Some(true), ..good };
        assert_eq!(codes(&jwks), [""; 0]);
        assert_eq!(codes(&Token { dialect: Some(Dialect::V2_8), ..jwks }), ["A6 auth.token"]);
        assert_eq!(codes(&Token { has_jwks: Some(false), ..jwks }), ["A6 auth.token"]);
        assert_eq!(codes(&Token { has_jwks: None, ..jwks }), [""; 0]);
    }

    #[test]
    fn a7_everybody_and_nobody() {
        assert_eq!((silly().code, silly().is_error()), ("A7", false));
        assert_eq!(nobody("auth.htpasswd.users", 0).map(|finding| finding.code), Some("A7"));
        assert_eq!(nobody("auth.htpasswd.users", 1), None);
    }
}
