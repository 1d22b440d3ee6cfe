//! S19: whether a plan loses images, those that are kept nowhere but with the running task. A registry that Docker's own
//! command started has them so, and whoever adopts it here is not to find out by losing them.

use super::{RegistryService, settings::is_rendered};
use crate::{
    registry::{Dialect, configuration::paths},
    resources::service::list,
    terraform::{Config, Diagnostic, Diagnostics, Model, Plan, Value},
};
use std::{collections::BTreeMap, path::Path};

/// The attributes whose change leaves the running tasks alone: `replicas` as long as none goes, `url`, `distribution` and
/// `config_secret` as long as the registry is told nothing else for it.
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
    between(prior, plan.planned())
}

fn between(prior: &Config, planned: &Config) -> Diagnostics {
    loses(prior, planned).into_iter().chain(spreads(prior, planned)).collect()
}

fn loses(prior: &Config, planned: &Config) -> Option<Diagnostic> {
    if Images::of(prior) != Images::WithTheTask || prior.known::<i64>("replicas") == Some(0) {
        return None;
    }
    let changes = changes_that_replace_tasks(prior, planned);
    let first = *changes.first()?;
    let changed: Vec<String> = changes.iter().map(|name| in_words(name)).collect();
    let lost = format!(
        "No named volume and no folder is mounted under the images: they go with the task that runs, and changing {} replaces \
         that task.",
        changed.join(", ")
    );
    Some(if planned.known::<bool>("discard_images") == Some(true) {
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

fn in_words(name: &str) -> String {
    match name {
        "config_secret" => "`config_secret`, the secret with the rendered configuration file,".to_owned(),
        name => format!("`{name}`"),
    }
}

/// The attributes because of which the plan replaces tasks that run.
fn changes_that_replace_tasks(prior: &Config, planned: &Config) -> Vec<&'static str> {
    let fewer = || match (prior.known::<i64>("replicas"), planned.known::<i64>("replicas")) {
        (Some(before), Some(after)) => after < before,
        (None, Some(after)) => after == 0,
        _ => false,
    };
    let is_changed = |name: &str| prior.get(name) != planned.get(name);
    let is_rendered_anew = is_rendered_anew(prior, planned);
    let replaces = |name: &str| match name {
        "replicas" => fewer(),
        "distribution" | "url" => is_rendered_anew,
        name => !KEEP_TASKS.contains(&name),
    };
    let names = RegistryService::attributes().into_iter().map(|(name, _)| name);
    let mut changes: Vec<&str> = names.filter(|name| is_changed(name) && replaces(name)).collect();
    if changes.is_empty() && is_rendered_anew {
        // The swarm has drifted, or this provider renders otherwise than the one before.
        changes.push("config_secret");
    }
    changes
}

/// Whether tasks are replaced because the registry, rendered before and after, is told something else: by its file, which is in
/// another secret then, or by the variables of its dialect. What is not known may be another.
fn is_rendered_anew(prior: &Config, planned: &Config) -> bool {
    let environment = |config: &Config| {
        let dialect: Option<Dialect> = config.get("distribution").as_str()?.parse().ok();
        dialect.map(Dialect::environment)
    };
    let is_changed = |name: &str| prior.get(name) != planned.get(name);
    is_rendered(prior)
        && is_rendered(planned)
        && (is_changed("config_secret") || environment(prior) != environment(planned))
}

/// S1, where the image's own configuration is in charge: replicas whose images are each one's own.
fn spreads(prior: &Config, planned: &Config) -> Option<Diagnostic> {
    let are_many = |config: &Config| config.known::<i64>("replicas").is_some_and(|replicas| replicas > 1);
    // What runs so already is to be taken over as it is.
    if is_rendered(planned) || are_many(prior) || !are_many(planned) {
        return None;
    }
    let place = match Images::of(planned) {
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
mod tests;
