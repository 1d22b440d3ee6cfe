//! T16, T18 and T19: what Swarm takes as a secret, and where it puts it.

use super::Replicas;
use crate::registry::Finding;

/// Swarm takes secrets of fewer bytes.
const LIMIT: usize = 512_000;

/// T16: whether Swarm takes so many bytes as a secret. Nothing of them is said but their number.
pub fn size(path: &str, what: &str, bytes: usize) -> Option<Finding> {
    let message = match bytes {
        0 => format!("{what} is empty, and Swarm takes no empty secret. Leave it out, or fill it."),
        bytes if bytes >= LIMIT => {
            format!("{what} has {bytes} bytes, and Swarm takes fewer than {LIMIT}. Make it smaller.")
        }
        _ => return None,
    };
    Some(Finding::error("T16", path, message))
}

/// T18 as far as it can be told without the swarm: each file has a name of its own, and none is one of the provider's.
///
/// `attribute` is `secrets` or `configs`; `is_own` tells the names that the provider uses.
pub fn targets(attribute: &str, targets: &[Option<&str>], is_own: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, target) in targets.iter().enumerate() {
        let Some(target) = target else { continue };
        let whose = if is_own(target) {
            "by this resource itself"
        } else if targets[..at].contains(&Some(target)) {
            "twice"
        } else {
            continue;
        };
        let message = format!("{target} is mounted {whose}: the tasks would not start. Choose another name.");
        findings.push(Finding::error("T18", format!("{attribute}[{at}].target"), message));
    }
    findings
}

/// What is too short for a key that signs.
const SHORT: usize = 16;

/// T19: the HTTP secret that the user gives, by its length in bytes.
pub fn http_secret(path: &str, bytes: usize, replicas: Option<Replicas>) -> Option<Finding> {
    match bytes {
        0 if replicas.is_some_and(Replicas::are_many) => Some(Finding::error(
            "T19",
            path,
            "With an empty secret each replica makes one of its own, and pushes that reach more than one of them fail \
             (\"blob upload invalid\"). Leave it out: then the provider makes one for all.",
        )),
        0 => Some(Finding::warning(
            "T19",
            path,
            "With an empty secret the registry makes a new one at each start, and pushes that a restart interrupts fail. \
             Leave it out: then the provider makes one and keeps it.",
        )),
        1..SHORT => Some(Finding::warning(
            "T19",
            path,
            format!(
                "The secret that signs uploads has {bytes} bytes and could be guessed; use at least {SHORT}, or leave it \
                 out: then the provider makes one."
            ),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t16_what_swarm_takes_as_a_secret() {
        let code = |bytes| size("tls.certificate", "The certificate", bytes).map(|finding| finding.code);
        assert_eq!((code(1), code(511_999)), (None, None));
        assert_eq!((code(0), code(512_000)), (Some("T16"), Some("T16")));
    }

    #[test]
    fn t18_two_files_of_one_name() {
        let own = |name: &str| name == "registry.yml";
        let codes = |given: &[Option<&str>]| {
            targets("secrets", given, own).iter().map(|finding| finding.path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&[Some("a"), Some("b"), None, None]), [""; 0]);
        assert_eq!(codes(&[Some("a"), None, Some("a")]), ["secrets[2].target"]);
        assert_eq!(codes(&[Some("registry.yml")]), ["secrets[0].target"]);
    }

    #[test]
    fn t19_secrets_that_do_not_sign() {
        let check = |bytes, count| {
            let finding = http_secret("http.secret", bytes, Some(Replicas::Count(count)));
            finding.map(|finding| (finding.is_error(), finding.code))
        };
        assert_eq!(check(0, 2), Some((true, "T19")));
        assert_eq!(check(0, 1), Some((false, "T19")));
        assert_eq!(check(15, 1), Some((false, "T19")));
        assert_eq!(check(16, 3), None);
    }
}
