//! C13, C14 and T20: what should not be in the container's environment.

use crate::registry::Finding;

/// Where Distribution's variables are not named after the keys of the file, but after its Go fields.
const RENAMED: [(&[&str], &[&str]); 5] = [
    (&["HEALTH", "FILE"], &["HEALTH", "FILECHECKERS"]),
    (&["HEALTH", "HTTP"], &["HEALTH", "HTTPCHECKERS"]),
    (&["HEALTH", "TCP"], &["HEALTH", "TCPCHECKERS"]),
    (&["NOTIFICATIONS", "EVENTS"], &["NOTIFICATIONS", "EVENTCONFIG"]),
    (&["COMPATIBILITY", "SCHEMA1", "SIGNINGKEYFILE"], &["COMPATIBILITY", "SCHEMA1", "TRUSTKEY"]),
];

/// Parts of names that give a secret away.
const SECRET_WORDS: [&str; 7] =
    ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "ACCESSKEY", "ACCOUNTKEY", "PRIVATEKEY"];

/// C13 and T20 for the variables in `env`; `rendered` are the paths of
/// [`Configuration::rendered_paths`](crate::registry::configuration::Configuration::rendered_paths).
pub fn environment<'e>(names: impl IntoIterator<Item = &'e str>, rendered: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in names {
        let path = format!("env[\"{name}\"]");
        if let Some(finding) = override_of_file(name, &path, rendered) {
            findings.push(finding);
        }
        if is_secret(name) {
            let message = format!(
                "{name} looks like a secret. Everybody who may inspect the service or the container can read its \
                 environment; use an attribute of this resource or extra_config_wo, which end up in a Swarm secret."
            );
            findings.push(Finding::warning("T20", path, message));
        }
    }
    findings
}

/// A name that ends in `_FILE` points to a secret, which is how it should be.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let bare: String = name.chars().filter(|c| *c != '_').collect();
    !name.ends_with("_FILE") && SECRET_WORDS.iter().any(|word| bare.contains(word))
}

fn override_of_file(name: &str, path: &str, rendered: &[String]) -> Option<Finding> {
    let rest = name.strip_prefix("REGISTRY_")?;
    if rest == "CONFIGURATION_PATH" {
        let message =
            "REGISTRY_CONFIGURATION_PATH has no effect: the configuration file is given as an argument.";
        return Some(Finding::warning("C13", path, message));
    }
    let given: Vec<&str> = rest.split('_').collect();
    let collision = rendered.iter().find(|key| {
        let variable = variable(key);
        let shorter = given.len().min(variable.len());
        given[..shorter] == variable[..shorter]
    });
    // A second driver or kind of authentication makes the registry panic, or pick one at random.
    let adds_a_choice = matches!(given[0], "STORAGE" | "AUTH")
        && rendered
            .iter()
            .any(|key| key.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(given[0])));
    Some(match collision {
        Some(key) => Finding::error(
            "C13",
            path,
            format!(
                "{name} would override \"{key}\" of the configuration file that this resource renders. Use the attribute \
                 for it, or extra_config."
            ),
        ),
        None if adds_a_choice => Finding::error(
            "C13",
            path,
            format!(
                "{name} would be added to what the configuration file has in \"{}\", which allows one choice only: the \
                 registry would not start, or not always. Use extra_config.",
                given[0].to_ascii_lowercase()
            ),
        ),
        None => Finding::warning(
            "C13",
            path,
            format!(
                "{name} configures the registry beside its configuration file. Some such variables are ignored or crash \
                 it, and which ones differs between releases; extra_config is the safe way."
            ),
        ),
    })
}

/// The variable that overrides a key of the file, in its parts.
fn variable(key: &str) -> Vec<String> {
    let parts: Vec<String> = key.split('.').map(str::to_ascii_uppercase).collect();
    let renamed = RENAMED
        .iter()
        .find(|(from, _)| parts.len() >= from.len() && parts.iter().zip(*from).all(|(a, b)| a == b));
    match renamed {
        Some((from, to)) => {
            to.iter().map(|part| (*part).to_owned()).chain(parts[from.len()..].iter().cloned()).collect()
        }
        None => parts,
    }
}

/// C14 for the places where Swarm expands Go templates: values of `env`, sources of mounts, and the host name.
///
/// Each is given as (path, text). What names a service, node or task is meant to be expanded, and braces that stand in
/// quotes are meant as they are; everything else makes Swarm refuse the service, or change the text.
pub fn templates<'t>(texts: impl IntoIterator<Item = (String, &'t str)>) -> Vec<Finding> {
    let stray = texts.into_iter().filter(|(_, text)| has_stray_braces(text));
    stray
        .map(|(path, _)| {
            let message = format!(
                "{path} has \"{{{{\" in it, which Swarm expands as a template, and what follows is none of its placeholders \
                 such as {{{{.Node.Hostname}}}} or {{{{.Task.Slot}}}}: it would refuse the service. If the braces are meant \
                 as they are, write {{{{\"{{{{\"}}}}."
            );
            Finding::error("C14", path, message)
        })
        .collect()
}

/// Whether there is a template in a text that mentions nothing that Swarm knows.
fn has_stray_braces(text: &str) -> bool {
    text.split("{{").skip(1).any(|rest| {
        let action = rest.split("}}").next().unwrap_or_default();
        let is_known = [".Service", ".Node", ".Task"].iter().any(|placeholder| action.contains(placeholder));
        // A quoted text splits at the braces in it: what is left of it begins and ends with a quote.
        !is_known && !action.trim_start().starts_with(['"', '`']) && !is_control(action)
    })
}

/// `if`, `end` and their like, whose condition stands elsewhere.
fn is_control(action: &str) -> bool {
    let word = action.trim_matches(|c: char| c.is_whitespace() || c == '-');
    matches!(word, "end" | "else")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(name: &str) -> Vec<(bool, &'static str)> {
        let rendered = [
            "http.addr",
            "log.level",
            "storage.filesystem.rootdirectory",
            "auth.htpasswd.path",
            "health.tcp",
        ];
        let rendered = rendered.map(str::to_owned);
        environment([name], &rendered).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    #[test]
    fn c13_variables_that_collide_with_the_file() {
        for name in [
            "REGISTRY_HTTP_ADDR",
            "REGISTRY_HTTP",
            "REGISTRY_LOG_LEVEL",
            "REGISTRY_STORAGE",
            "REGISTRY_STORAGE_S3_BUCKET",
            "REGISTRY_AUTH_SILLY_REALM",
            "REGISTRY_HEALTH_TCPCHECKERS",
        ] {
            assert_eq!(codes(name), [(true, "C13")], "{name}");
        }
        for name in [
            "REGISTRY_HTTP_PREFIX",
            "REGISTRY_CONFIGURATION_PATH",
            "REGISTRY_HEALTH_TCP",
            "REGISTRY_HTTP_ADDRESS",
        ] {
            assert_eq!(codes(name), [(false, "C13")], "{name}");
        }
        assert_eq!(codes("OTEL_TRACES_EXPORTER"), []);
        assert_eq!(codes("registry_http_addr"), []);
    }

    #[test]
    fn t20_secrets_in_the_environment() {
        for name in
            ["AWS_SECRET_ACCESS_KEY", "MY_PASSWORD", "aws_session_token", "S3_SECRETKEY", "AZURE_ACCOUNT_KEY"]
        {
            assert_eq!(codes(name), [(false, "T20")], "{name}");
        }
        assert_eq!(codes("REGISTRY_HTTP_SECRET"), [(false, "C13"), (false, "T20")]);
        for name in ["AWS_SHARED_CREDENTIALS_FILE", "DB_PASSWORD_FILE", "HTTP_PROXY"] {
            assert_eq!(codes(name), [], "{name}");
        }
    }

    #[test]
    fn c14_braces_that_are_no_placeholder() {
        let is_refused = |text: &str| !templates([("hostname".to_owned(), text)]).is_empty();
        for bad in ["{{", "p{{w}}", "{{ .Values.x }}", "{{env \"X\"}}", "{{.Task.Slot}}-{{x}}"] {
            assert!(is_refused(bad), "{bad}");
        }
        for good in [
            "",
            "}}",
            "{x}",
            "{{.Node.Hostname}}",
            "{{if eq .Task.Slot 1}}a{{else}}b{{end}}",
            "{{\"{{\"}}x",
            "{{`{{`}}",
        ] {
            assert!(!is_refused(good), "{good}");
        }
        let finding = &templates([("env[\"A\"]".to_owned(), "{{")])[0];
        assert_eq!((finding.code, finding.path.as_str()), ("C14", "env[\"A\"]"));
        assert!(finding.message.ends_with("write {{\"{{\"}}."), "{}", finding.message);
    }
}
