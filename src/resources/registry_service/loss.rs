//! S19: whether a plan loses images, those that are kept nowhere but with the running task. A registry that Docker's own
//! command started has them so, and whoever adopts it here is not to find out by losing them.

use super::{RegistryService, settings::is_rendered};
use crate::{
    registry::configuration::paths,
    resources::service::list,
    terraform::{Config, Diagnostic, Diagnostics, Model, Plan, Value},
};
use std::{collections::BTreeMap, path::Path};

/// The attributes whose change leaves the running tasks alone; `replicas` does as long as none goes.
const KEEP_TASKS: [&str; 15] = [
    "config_preview",
    "config_secret",
    "discard_images",
    "distribution",
    "id",
    "image_digest",
    "keep_secrets",
    "labels",
    "registry_auth",
    "replicas",
    "rollback",
    "timeouts",
    "update",
    "url",
    "wait_for",
];

/// What a plan would do to images that are in no storage.
pub(super) fn check(plan: &Plan) -> Diagnostics {
    let Some(prior) = &plan.prior else { return vec![] };
    loses(plan, prior).into_iter().chain(spreads(plan, prior)).collect()
}

fn loses(plan: &Plan, prior: &Config) -> Option<Diagnostic> {
    if Images::of(prior) != Images::WithTheTask || prior.known::<i64>("replicas") == Some(0) {
        return None;
    }
    let changes = changes_that_replace_tasks(plan, prior);
    let first = *changes.first()?;
    let changed: Vec<String> = changes.iter().map(|name| format!("`{name}`")).collect();
    let lost = format!(
        "No named volume and no folder is mounted under the images: they go with the task that runs, and changing {} replaces \
         that task.",
        changed.join(", ")
    );
    Some(if plan.known::<bool>("discard_images") == Some(true) {
        let detail = format!("{lost} `discard_images` says that they may go.");
        Diagnostic::warning("The images in the running task will be gone (S19)", detail).at("discard_images")
    } else {
        let detail = format!(
            "{lost} Copy them to where `storage` will look for them, as the guide \"From docker service create to HCL\" shows, \
             and then apply with `discard_images = true`, which says that what is in the task may go. To keep all as it \
             is, leave the configuration as the service is."
        );
        Diagnostic::error("The registry's images would be lost (S19)", detail).at(first)
    })
}

/// The attributes because of which the plan replaces tasks that run.
fn changes_that_replace_tasks(plan: &Plan, prior: &Config) -> Vec<&'static str> {
    let fewer = || match (prior.known::<i64>("replicas"), plan.known::<i64>("replicas")) {
        (Some(before), Some(after)) => after < before,
        (None, Some(after)) => after == 0,
        _ => false,
    };
    let names = RegistryService::attributes().into_iter().map(|(name, _)| name);
    names
        .filter(|name| if *name == "replicas" { fewer() } else { !KEEP_TASKS.contains(name) })
        .filter(|name| plan.changes(name))
        .collect()
}

/// S1, where the image's own configuration is in charge: replicas whose images are each one's own.
fn spreads(plan: &Plan, prior: &Config) -> Option<Diagnostic> {
    let are_many = |config: &Config| config.known::<i64>("replicas").is_some_and(|replicas| replicas > 1);
    // What runs so already is to be taken over as it is.
    if is_rendered(plan.planned()) || are_many(prior) || !are_many(plan.planned()) {
        return None;
    }
    let place = match Images::of(plan.planned()) {
        Images::WithTheTask => "nothing is mounted on /var/lib/registry",
        Images::OnItsNode => "each node has a volume of its own on /var/lib/registry",
        Images::Elsewhere => return None,
    };
    let detail = format!(
        "The replicas would each have images of their own, for {place}: pushes fail with \"blob upload unknown\", pulls with \
         \"manifest unknown\". Keep one replica, or set `storage` to what they share."
    );
    Some(Diagnostic::error("Replicas that share no images (S1)", detail).at("replicas"))
}

/// Where a service keeps its images, as far as its configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Images {
    /// In an anonymous volume, which goes with the task.
    WithTheTask,
    /// In a volume of the node.
    OnItsNode,
    /// Somewhere else, or nobody here knows where.
    Elsewhere,
}

impl Images {
    fn of(config: &Config) -> Self {
        let Some(root) = root_directory(config) else { return Images::Elsewhere };
        let covers = |mount: &&Value| {
            mount.get("target").as_str().is_none_or(|target| Path::new(&root).starts_with(target))
        };
        let Some(mount) = list(config.get("mounts")).iter().find(covers) else { return Images::WithTheTask };
        let is_named = !mount.get("source").is_null();
        match mount.get("type").as_str() {
            _ if mount.get("target").is_unknown() => Images::Elsewhere,
            Some("tmpfs") => Images::WithTheTask,
            Some("volume") if !is_named => Images::WithTheTask,
            Some("volume") if mount.get("volume").is_null() => Images::OnItsNode,
            _ => Images::Elsewhere,
        }
    }
}

/// The folder in the container with the images, if they are in one that `storage` mounts nothing on.
fn root_directory(config: &Config) -> Option<String> {
    if is_rendered(config) {
        let Value::Map(filesystem) = config.get("storage.filesystem") else { return None };
        let is_place = |(name, value): (&String, &Value)| {
            !["root_directory", "max_threads", "shared", "tmpfs"].contains(&name.as_str()) && !value.is_null()
        };
        if filesystem.iter().any(is_place) {
            return None;
        }
        return config.known("storage.filesystem.root_directory");
    }
    let env: BTreeMap<String, String> = config.known("env").unwrap_or_default();
    let elsewhere =
        ["S3", "AZURE", "GCS", "SWIFT", "OSS", "INMEMORY"].map(|driver| format!("REGISTRY_STORAGE_{driver}"));
    let is_elsewhere = |(name, value): (&String, &String)| match name.as_str() {
        "REGISTRY_STORAGE" => value != "filesystem",
        // A cache gets its images again; a configuration of the user's own may say anything.
        "REGISTRY_PROXY_REMOTEURL" | "REGISTRY_CONFIGURATION_PATH" => true,
        name => elsewhere.iter().any(|driver| name.starts_with(driver)),
    };
    let is_configured = ["command", "args"].into_iter().any(|path| config.is_set(path))
        || ["configs", "secrets"].into_iter().any(|path| {
            let is_file = |file: &Value| {
                file.get("target")
                    .as_str()
                    .is_some_and(|target| target.ends_with(".yml") || target.ends_with(".yaml"))
            };
            list(config.get(path)).iter().any(is_file)
        });
    if is_configured || env.iter().any(is_elsewhere) {
        return None;
    }
    let root = env.get("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY").cloned();
    Some(root.unwrap_or_else(|| paths::ROOT_DIRECTORY.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::Object;

    fn text(text: &str) -> Value {
        Value::String(text.into())
    }

    fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
        Value::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn images<const N: usize>(members: [(&str, Value); N]) -> Images {
        let Value::Map(members) = map(members) else { panic!("a map") };
        Images::of(&Config(Object(members)))
    }

    fn mounted(kind: &str, source: Option<&str>, target: &str) -> (&'static str, Value) {
        let source = source.map_or(Value::Null, text);
        (
            "mounts",
            Value::List(vec![map([("type", text(kind)), ("source", source), ("target", text(target))])]),
        )
    }

    #[test]
    fn s19_images_that_nothing_keeps_go_with_the_task() {
        assert_eq!(images([]), Images::WithTheTask);
        assert_eq!(images([mounted("volume", Some("v"), "/elsewhere")]), Images::WithTheTask);
        assert_eq!(images([mounted("volume", None, "/var/lib/registry")]), Images::WithTheTask);
        assert_eq!(images([mounted("tmpfs", None, "/var/lib")]), Images::WithTheTask);
        let certificate = map([("source", text("localhub.crt")), ("target", text("localhub.crt"))]);
        assert_eq!(images([("secrets", Value::List(vec![certificate]))]), Images::WithTheTask);
        let deletes = map([("REGISTRY_STORAGE_DELETE_ENABLED", text("true"))]);
        assert_eq!(images([("env", deletes)]), Images::WithTheTask);
        let filesystem = |place: (&str, Value)| {
            map([("filesystem", map([("root_directory", text("/var/lib/registry")), place]))])
        };
        assert_eq!(images([("storage", filesystem(("volume", Value::Null)))]), Images::WithTheTask);
        assert_eq!(images([("storage", filesystem(("tmpfs", map([]))))]), Images::WithTheTask);
        assert_eq!(images([("storage", filesystem(("bind", text("/srv"))))]), Images::Elsewhere);
    }

    #[test]
    fn images_that_something_keeps_stay() {
        assert_eq!(images([mounted("volume", Some("v"), "/var/lib/registry")]), Images::OnItsNode);
        assert_eq!(images([mounted("bind", Some("/srv"), "/var/lib")]), Images::Elsewhere);
        for (name, value) in [
            ("REGISTRY_STORAGE", "s3"),
            ("REGISTRY_STORAGE_S3_BUCKET", "hub"),
            ("REGISTRY_PROXY_REMOTEURL", "https://registry-1.docker.io"),
        ] {
            assert_eq!(images([("env", map([(name, text(value))]))]), Images::Elsewhere, "{name}");
        }
        assert_eq!(images([("args", Value::List(vec![text("/etc/own.yml")]))]), Images::Elsewhere);
        let own = map([("source", text("hub")), ("target", text("/etc/docker/registry/config.yml"))]);
        assert_eq!(images([("configs", Value::List(vec![own]))]), Images::Elsewhere);
        assert_eq!(images([("storage", map([("s3", map([("bucket", text("hub"))]))]))]), Images::Elsewhere);
    }
}
