//! What changes in a registry that is there already (S17, P23).

use super::look::Look;
use crate::{
    registry::{
        Dialect, Finding,
        checks::{self, Place, Upgrade},
    },
    resources::registry_service::settings::is_rendered,
    terraform::{Config, Value},
};

/// The drivers, and the attributes of each that tell one place from another.
const PLACES: &[(&str, &[&str])] = &[
    ("filesystem", &["volume", "bind", "nfs.server", "nfs.path", "cluster_volume"]),
    ("s3", &["bucket", "region_endpoint", "root_directory"]),
    ("azure", &["account_name", "container", "root_directory"]),
    ("gcs", &["bucket", "root_directory"]),
    ("swift", &["auth_url", "container", "prefix"]),
    ("oss", &["bucket", "region", "root_directory"]),
    ("in_memory", &[]),
];

/// Applies S17 and P23 to what is planned for a registry that is there.
pub(super) fn findings(before: &Config, after: &Config) -> Vec<Finding> {
    let places = place(before).zip(place(after));
    let mut findings: Vec<Finding> =
        places.and_then(|(before, after)| checks::storage_moves(&before, &after)).into_iter().collect();
    let dialects = Look(before).dialect().zip(Look(after).dialect());
    findings.extend(dialects.and_then(|(from, to)| upgrade(from, to, after)));
    findings
}

/// Where the images are; none where that is not wholly known, or not said.
fn place(config: &Config) -> Option<Place> {
    let (driver, names) = PLACES.iter().find(|(driver, _)| config.is_set(&format!("storage.{driver}")))?;
    let part = |name: &&'static str| match config.get(&format!("storage.{driver}.{name}")) {
        Value::Null => Some((*name, None)),
        Value::String(text) => Some((*name, Some(text.clone()))),
        _ => None,
    };
    Some(Place { driver, parts: names.iter().map(part).collect::<Option<_>>()? })
}

fn upgrade(before: Dialect, after: Dialect, config: &Config) -> Option<Finding> {
    let look = Look(config);
    let env: Vec<&str> = match config.get("env") {
        Value::Map(env) => env.keys().map(String::as_str).collect(),
        _ => vec![],
    };
    let files: Vec<&str> = ["secrets", "configs", "mounts"]
        .into_iter()
        .flat_map(|list| look.texts(list, "target"))
        .flatten()
        .collect();
    let uses = Upgrade { is_rendered: is_rendered(config), env: &env, files: &files };
    checks::upgrade(before, after, &uses)
}
