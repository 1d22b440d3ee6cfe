//! What an Engine is too old for. It would drop it without a word, so it is refused at plan.

use crate::docker::{ApiVersion, Docker, Error};
use crate::resources::failure::failure;
use crate::terraform::{Attribute, Diagnostics, Kind, Nesting, Object, Path, Step, Unset, Value};

/// An attribute, or one word of it, that came after the oldest Engine that there is support for.
pub struct Since {
    /// Its path, without the indices of lists and the keys of maps.
    pub path: &'static str,
    /// The word of it that is meant; none: all of them.
    pub word: Option<&'static str>,
    /// The version of the Engine API that has it.
    pub version: ApiVersion,
}

const fn since(path: &'static str, minor: u16) -> Since {
    Since { path, word: None, version: ApiVersion(1, minor) }
}

/// All that came later, and when.
pub const SINCE: &[Since] = &[
    Since { path: "mounts.type", word: Some("cluster"), version: ApiVersion(1, 42) },
    since("storage.filesystem.cluster_volume", 42),
    since("healthcheck.start_interval", 44),
    since("privileges.seccomp", 44),
    since("privileges.apparmor", 44),
    since("privileges.no_new_privileges", 44),
    since("mounts.volume.subpath", 45),
    since("mounts.tmpfs_options", 46),
    since("oom_score_adj", 46),
    since("resources.memory_swap", 52),
    since("resources.memory_swappiness", 52),
];

/// What of an object of these attributes the Engine is too old for, each at its path.
pub async fn too_old(
    attributes: &[(&'static str, Attribute)],
    object: &Object,
    docker: &Docker,
) -> Diagnostics {
    let mut found = vec![];
    for (path, version) in newer(attributes, object) {
        if let Err(error @ Error::TooOld { .. }) = docker.require_version(&format!("`{path}`"), version).await
        {
            found.push(failure(&format!("use `{path}`"), &error).at(path));
        }
    }
    found
}

/// What of an object came later, and when.
fn newer(attributes: &[(&'static str, Attribute)], object: &Object) -> Vec<(Path, ApiVersion)> {
    let mut found = vec![];
    for (name, attribute) in attributes {
        walk(attribute, object.get(name), name, &Path::of(name), &mut found);
    }
    found
}

fn walk(
    attribute: &Attribute,
    value: &Value,
    dotted: &str,
    path: &Path,
    found: &mut Vec<(Path, ApiVersion)>,
) {
    let is_default =
        matches!(&attribute.unset, Unset::Default(default) if attribute.computed && default == value);
    if value.is_null() || value.is_unknown() || is_default {
        return;
    }
    let meant =
        |since: &&Since| since.path == dotted && since.word.is_none_or(|word| value.as_str() == Some(word));
    if let Some(since) = SINCE.iter().find(meant) {
        found.push((path.clone(), since.version));
        return;
    }
    let Kind::Nested(nesting, members) = &attribute.kind else { return };
    let mut object = |object: &Value, path: &Path| {
        for (name, member) in members {
            let path = path.then(Step::Attribute((*name).to_owned()));
            walk(member, object.get(name), &format!("{dotted}.{name}"), &path, found);
        }
    };
    match (nesting, value) {
        (Nesting::List, Value::List(items)) => {
            for (index, item) in items.iter().enumerate() {
                object(item, &path.then(Step::Index(index)));
            }
        }
        (Nesting::Set, Value::List(items)) => items.iter().for_each(|item| object(item, path)),
        (Nesting::Map, Value::Map(items)) => {
            for (key, item) in items {
                object(item, &path.then(Step::Key(key.clone())));
            }
        }
        (_, single) => object(single, path),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mount, Parts};
    use super::*;
    use crate::terraform::Model;

    fn found(parts: Parts) -> Vec<String> {
        newer(&Parts::attributes(), &parts.encode())
            .iter()
            .map(|(path, since)| format!("{path} {since}"))
            .collect()
    }

    #[test]
    fn only_what_is_used_counts_and_has_its_path() {
        assert_eq!(found(Parts::none()), [""; 0]);
        let plain = Mount::plain("volume", None, "/a".into());
        let tmpfs = Mount {
            r#type: "tmpfs".into(),
            tmpfs_options: vec!["noexec".into()],
            ..Mount::plain("tmpfs", None, "/b".into())
        };
        let cluster = Mount::plain("cluster", Some("csi".into()), "/c".into());
        let parts = Parts { mounts: vec![plain, tmpfs, cluster], oom_score_adj: 1, ..Parts::none() };
        assert_eq!(
            found(parts),
            ["oom_score_adj 1.46", "mounts[1].tmpfs_options 1.46", "mounts[2].type 1.42"]
        );
    }

    #[test]
    fn every_path_is_one_of_the_schema_and_its_docs_name_the_version() {
        for since in SINCE {
            let mut members = Parts::attributes();
            members.extend(crate::resources::RegistrySettings::attributes());
            let mut docs = "";
            for step in since.path.split('.') {
                let (_, attribute) = members
                    .iter()
                    .find(|(name, _)| *name == step)
                    .cloned()
                    .unwrap_or_else(|| panic!("{}: there is no `{step}`", since.path));
                docs = attribute.docs;
                members = match attribute.kind {
                    Kind::Nested(_, members) => members,
                    Kind::Plain(_) => vec![],
                };
            }
            assert!(docs.contains(&format!("(API {})", since.version)), "{}: {docs}", since.path);
        }
    }
}
