//! What can be given in several ways, and is given in one.

use crate::terraform::{Config, Diagnostic, Diagnostics, Path, Step, Value};

/// Attributes of one object, of which only some may be set.
struct Choice {
    /// The object's path; `*` stands for each item of a list or map. Empty for the resource itself.
    of: &'static str,
    names: &'static [&'static str],
    how_many: HowMany,
    /// The rule's code in the documentation of the checks.
    code: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum HowMany {
    One,
    AtMostOne,
    AtLeastOne,
}
use HowMany::{AtLeastOne, AtMostOne, One};

const fn choice(
    how_many: HowMany,
    of: &'static str,
    names: &'static [&'static str],
    code: &'static str,
) -> Choice {
    Choice { of, names, how_many, code }
}

const CHOICES: &[Choice] = &[
    choice(One, "tls", &["certificate", "certificate_secret", "lets_encrypt"], "T7"),
    choice(One, "tls", &["private_key", "private_key_wo", "private_key_secret", "lets_encrypt"], "T7"),
    choice(One, "auth.htpasswd", &["users", "users_wo", "file", "file_secret"], "T7"),
    choice(AtMostOne, "storage.s3", &["access_key", "access_key_wo", "credentials_secret"], "T7"),
    choice(AtMostOne, "storage.s3", &["secret_key", "secret_key_wo", "credentials_secret"], "T7"),
    choice(
        One,
        "storage.azure",
        &["account_key", "account_key_wo", "client_secret", "default_credentials"],
        "S14",
    ),
    choice(One, "storage.azure.client_secret", &["secret", "secret_wo"], "T7"),
    choice(AtMostOne, "storage.gcs", &["key_json", "key_json_wo", "key_json_secret"], "T7"),
    choice(One, "storage.swift", &["password", "password_wo"], "T7"),
    choice(AtMostOne, "storage.swift", &["secret_key", "secret_key_wo"], "T7"),
    choice(One, "storage.oss", &["access_key_id", "access_key_id_wo"], "T7"),
    choice(One, "storage.oss", &["access_key_secret", "access_key_secret_wo"], "T7"),
    choice(One, "cache", &["in_memory", "redis", "none"], "T7"),
    choice(AtMostOne, "cache.redis", &["password", "password_wo"], "T7"),
    choice(AtMostOne, "cache.redis", &["sentinel_password", "sentinel_password_wo"], "T7"),
    choice(AtMostOne, "cache.redis.tls", &["private_key", "private_key_wo", "private_key_secret"], "T7"),
    choice(One, "middleware.cloudfront", &["private_key", "private_key_wo", "private_key_secret"], "T7"),
    choice(AtMostOne, "proxy", &["password", "password_wo"], "T7"),
    // Distribution takes the program, and drops the login.
    choice(AtMostOne, "proxy", &["exec", "username"], "C3"),
    choice(AtMostOne, "proxy", &["exec", "password", "password_wo"], "C3"),
    choice(AtMostOne, "", &["trusted_ca", "trusted_ca_secret"], "T7"),
    choice(AtMostOne, "http", &["secret", "secret_wo"], "T7"),
    choice(AtMostOne, "tls", &["client_ca", "client_ca_secret"], "T7"),
    choice(One, "tls.lets_encrypt", &["volume", "bind"], "T8"),
    choice(One, "auth", &["htpasswd", "token", "silly"], "A5"),
    choice(AtMostOne, "auth.token", &["root_certificates", "root_certificates_secret"], "A6"),
    choice(AtMostOne, "auth.token", &["jwks", "jwks_secret"], "A6"),
    choice(
        AtLeastOne,
        "auth.token",
        &["root_certificates", "root_certificates_secret", "jwks", "jwks_secret"],
        "A6",
    ),
    choice(AtMostOne, "log.mail_hooks.*.smtp", &["password", "password_wo"], "T7"),
    choice(AtMostOne, "health.http.*", &["headers", "headers_wo"], "T7"),
    choice(AtMostOne, "notifications.*", &["headers", "headers_wo"], "T7"),
    choice(
        AtMostOne,
        "compatibility.schema1",
        &["signing_key", "signing_key_wo", "signing_key_secret"],
        "T7",
    ),
    choice(One, "reporting.bugsnag", &["api_key", "api_key_wo"], "T7"),
    choice(One, "reporting.new_relic", &["license_key", "license_key_wo"], "T7"),
];

/// What is given in more ways than one, or in none.
pub fn check(config: &Config) -> Diagnostics {
    let root: Value = config.0.clone().into();
    CHOICES.iter().flat_map(|choice| choice.check(&root)).collect()
}

impl Choice {
    fn check(&self, root: &Value) -> Diagnostics {
        let steps: Vec<&str> = self.of.split('.').filter(|step| !step.is_empty()).collect();
        let mut objects = vec![];
        collect(root, &steps, Path::default(), &mut objects);
        objects.into_iter().filter_map(|(path, object)| self.refusal(path, object)).collect()
    }

    fn refusal(&self, path: Path, object: &Value) -> Option<Diagnostic> {
        // What is not known yet may turn out to be null, as of `var.write_only ? … : null`.
        let is_unknown = self.names.iter().any(|name| object.get(name).is_unknown());
        let set = self.names.iter().filter(|name| !object.get(name).is_null()).count();
        let is_right = match self.how_many {
            One => set == 1,
            AtMostOne => set <= 1,
            AtLeastOne => set >= 1,
        };
        if is_right || is_unknown {
            return None;
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let how_many = match self.how_many {
            One => "Exactly one",
            AtMostOne => "At most one",
            AtLeastOne => "At least one",
        };
        let summary = format!("{how_many} of {} is wanted ({})", names.join(", "), self.code);
        let detail = format!("Here are {set} of them.");
        Some(Diagnostic::error(summary, detail).at(path))
    }
}

/// The objects at a path that are there, each with its own path.
fn collect<'v>(value: &'v Value, steps: &[&str], path: Path, found: &mut Vec<(Path, &'v Value)>) {
    let Some((step, rest)) = steps.split_first() else {
        if matches!(value, Value::Map(_)) {
            found.push((path, value));
        }
        return;
    };
    match (*step, value) {
        ("*", Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, rest, path.then(Step::Index(index)), found);
            }
        }
        ("*", Value::Map(items)) => {
            for (key, item) in items {
                collect(item, rest, path.then(Step::Key(key.clone())), found);
            }
        }
        (name, value) => {
            collect(value.get(name), rest, path.then(Step::Attribute(name.to_owned())), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Duration, Object};
    use proptest::prelude::*;
    use serde_json::json;

    /// Where something is wrong, and by which rule.
    fn said(config: serde_json::Value) -> Vec<String> {
        let config = Config(Object::from_value(config.into()).unwrap());
        let said = check(&config).into_iter();
        said.map(|said| format!("{} {}", said.path, said.summary.rsplit(' ').next().unwrap())).collect()
    }

    #[test]
    fn t7_what_is_given_in_one_way_or_left_out_is_right() {
        let tls = json!({ "certificate": "PEM", "private_key_wo": "PEM", "client_ca": "PEM" });
        assert!(said(json!({})).is_empty());
        assert!(said(json!({ "auth": { "silly": {} }, "tls": tls })).is_empty());
        assert!(said(json!({ "notifications": { "ci": { "headers_wo": {} } } })).is_empty());
    }

    #[test]
    fn what_is_given_in_two_ways_or_none_is_told_where_it_is() {
        let auth = json!({ "token": { "jwks": "x", "jwks_secret": "y" }, "silly": {} });
        let both_ca = json!({ "auth": auth, "trusted_ca": "x", "trusted_ca_secret": "y" });
        assert_eq!(said(both_ca), [" (T7)", "auth (A5)", "auth.token (A6)"]);
        assert_eq!(said(json!({ "auth": { "token": {} } })), ["auth.token (A6)"]);
        let both = json!({ "headers": {}, "headers_wo": {} });
        let notifications = json!({ "c.i": both, "other": {} });
        assert_eq!(
            said(json!({ "notifications": notifications, "health": { "http": [{}, both] } })),
            ["health.http[1] (T7)", "notifications[\"c.i\"] (T7)"]
        );
        assert_eq!(said(json!({ "reporting": { "bugsnag": {} } })), ["reporting.bugsnag (T7)"]);
        let certificate = json!({ "certificate": "PEM", "certificate_secret": "crt", "private_key": "PEM" });
        assert_eq!(said(json!({ "tls": certificate })), ["tls (T7)"]);
        let certificate_alone = json!({ "certificate": "PEM" });
        assert_eq!(said(json!({ "tls": certificate_alone })), ["tls (T7)"]);
    }

    #[test]
    fn c3_a_cache_logs_in_in_one_way() {
        let proxy = |own: serde_json::Value| said(json!({ "proxy": own }));
        let exec = json!({ "command": "/bin/helper" });
        let both = "proxy (C3)";
        assert_eq!(proxy(json!({ "exec": exec, "username": "bot", "password_wo": "x" })), [both, both]);
        assert!(proxy(json!({ "exec": exec })).is_empty());
        assert!(proxy(json!({ "username": "bot", "password_wo": "x" })).is_empty());
    }

    #[test]
    fn a6_tokens_that_nothing_checks() {
        assert_eq!(said(json!({ "auth": { "token": {} } })), ["auth.token (A6)"]);
        assert!(said(json!({ "auth": { "token": { "jwks_secret": "keys" } } })).is_empty());
    }

    #[test]
    fn s14_azure_without_credentials_or_with_two_kinds() {
        let azure = |own: serde_json::Value| said(json!({ "storage": { "azure": own } }));
        assert_eq!(azure(json!({})), ["storage.azure (S14)"]);
        assert_eq!(
            azure(json!({ "account_key": "x", "default_credentials": true })),
            ["storage.azure (S14)"]
        );
        assert!(azure(json!({ "account_key_wo": "x" })).is_empty());
    }

    proptest! {
        /// What an attribute takes for a duration is one to Distribution, and of the same length.
        #[test]
        fn a_duration_means_the_same_to_the_registry(
            text in "([0-9]{0,4}(\\.[0-9]{0,20})?(h|m|s|ms|us|\u{b5}s|\u{3bc}s|ns)){1,4}"
        ) {
            let here = text.parse::<Duration>().ok().map(|duration| duration.to_std());
            let there = crate::registry::duration::parse(&text).ok();
            prop_assert_eq!(here, there, "{}", text);
        }
    }
}
