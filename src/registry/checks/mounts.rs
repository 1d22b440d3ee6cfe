//! S18: what the user mounts over what the registry needs.

use crate::registry::{Finding, configuration::paths};

/// The folder in which Swarm puts secrets, and with them the configuration file.
const SECRETS: &str = "/run/secrets";

/// Applies S18 to the targets of `mounts`, in their order; `None` where one is not known.
///
/// `root_directory` is where the provider itself mounts the images; `None` where it mounts nothing. The file system is one of
/// Linux, where names are compared letter by letter.
pub fn mounts(targets: &[Option<&str>], root_directory: Option<&str>) -> Vec<Finding> {
    let clash = |(at, target): (usize, &Option<&str>)| {
        let target = target.as_ref()?.trim_end_matches('/');
        let (taken, words) = if let Some(root) = root_directory.filter(|root| covers(target, root)) {
            (root, "where the images are, which storage.filesystem mounts")
        } else if covers(target, paths::CONFIGURATION) {
            (SECRETS, "where the secrets and the configuration file of the registry are")
        } else {
            return None;
        };
        let message = format!(
            "A mount on {target} would hide {taken}, {words}. Mount it elsewhere, or leave it out and use \
             storage.filesystem."
        );
        Some(Finding::error("S18", format!("mounts[{at}].target"), message))
    };
    targets.iter().enumerate().filter_map(clash).collect()
}

/// Whether something mounted on `target` covers `path`: it is that path, or one above it.
pub fn covers(target: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == target || path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s18_mounts_over_what_the_registry_needs() {
        let root = Some("/var/lib/registry");
        for hides in ["/var/lib/registry", "/var/lib/registry/", "/var/lib", "/var", "/run/secrets", "/run"] {
            let findings = mounts(&[Some("/good"), Some(hides)], root);
            assert_eq!(findings.len(), 1, "{hides}");
            assert_eq!((findings[0].code, findings[0].path.as_str()), ("S18", "mounts[1].target"));
        }
        for good in
            ["/var/lib/registry/docker", "/var/lib/registry-cache", "/etc/ssl/certs", "/run/secrets/other"]
        {
            assert_eq!(mounts(&[Some(good), None], root), [], "{good}");
        }
        assert_eq!(mounts(&[Some("/var/lib/registry")], None), []);
        assert_eq!(mounts(&[Some("/run/secrets/registry.yml")], None).len(), 1);
    }
}
