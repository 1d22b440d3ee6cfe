//! Users, keys, and the files that the tasks see.

use super::look::Look;
use crate::{
    registry::{Finding, Secret, checks, htpasswd},
    resources::{
        failure::sentence,
        registry_service::settings::{Content, Role, Settings, is_rendered},
    },
    terraform::Config,
};
use std::collections::BTreeMap;

/// A1 to A4, A7 and T19.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let mut findings = match look.text("auth.htpasswd.file") {
        Some(file) => htpasswd::inspect(file.as_bytes(), "auth.htpasswd.file"),
        None => vec![],
    };
    for path in ["auth.htpasswd.users", "auth.htpasswd.users_wo"] {
        let Some(users) = config.known::<BTreeMap<String, String>>(path) else { continue };
        findings.extend(checks::nobody(path, users.len()));
        for (user, password) in users {
            if let Err(error) = htpasswd::check_user(&user, &Secret::from(password)) {
                findings.push(Finding::error("A3", path, sentence(&error.to_string())));
            }
        }
    }
    if look.is_set("auth.silly") == Some(true) {
        findings.push(checks::silly());
    }
    for path in ["http.secret", "http.secret_wo"] {
        let secret = look.text(path);
        findings.extend(secret.and_then(|secret| checks::http_secret(path, secret.len(), look.replicas())));
    }
    findings
}

/// T18: files of one name, or of one of the provider's.
pub(super) fn targets(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let is_own = |name: &str| is_rendered(config) && Role::is_target(name);
    let mut findings = checks::targets("secrets", &look.texts("secrets", "target"), is_own);
    findings.extend(checks::targets("configs", &look.texts("configs", "target"), |_| false));
    findings
}

/// T16 for the files that become secrets of the service's own.
pub(super) fn sizes(settings: &Settings) -> Vec<Finding> {
    let files = settings.files();
    let size = |file: &super::super::settings::File| {
        let bytes = match &file.content {
            Content::Bytes(bytes) => bytes,
            Content::Versioned { value: Some(bytes), .. } => bytes,
            _ => return None,
        };
        checks::size(file.attribute, "This file", bytes.expose().len())
    };
    files.iter().filter_map(size).collect()
}
