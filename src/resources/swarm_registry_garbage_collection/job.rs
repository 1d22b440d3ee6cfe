//! The job that runs beside a registry, in a container like those of the registry.

use crate::docker::{
    ContainerSpec, Driver, FileTarget, Healthcheck, Labels, Mode, Mount, Placement, ReplicatedJob, Resources,
    RestartPolicy, SecretReference, Service, ServiceSpec, TaskSpec,
};
use crate::registry::garbage_collection::{self, REDIS_SECRET, Surroundings, Task};
use crate::resources::{generation::OWN_LABELS, service::container};
use std::collections::BTreeMap;

/// The longest name of a service.
const MAX_NAME: usize = 63;
const SUFFIX: &str = "-garbage-collection";
const SECRET: &str = "-redis";
/// The label by which a secret says of which run it is, after the prefix of our labels.
const RUN: &str = "garbage-collection-run";
/// Folders in which nobody has images: what is mounted from there is the host's, and many containers have it.
const OF_THE_HOST: [&str; 4] = ["/etc/", "/run/", "/var/run/", "/dev/"];

/// The name of the one job of a service, by which two runs exclude each other.
pub(super) fn name(service: &str) -> String {
    let kept: String = service.chars().take(MAX_NAME - SUFFIX.len()).collect();
    format!("{kept}{SUFFIX}")
}

/// The name of the secret with the login to redis.
pub(super) fn secret_name(service: &str) -> String {
    let kept: String = service.chars().take(MAX_NAME - SUFFIX.len() - SECRET.len()).collect();
    format!("{kept}{SUFFIX}{SECRET}")
}

/// What tells the job and its secret from those that others gave such a name.
pub(super) fn labels(service: &Service) -> Labels {
    labels_of(&service.id)
}

/// The same, of the service with this ID.
pub(super) fn labels_of(id: &str) -> Labels {
    BTreeMap::from([(format!("{OWN_LABELS}garbage-collection-of"), id.to_owned())])
}

/// What tells the secret of a run from that of another run.
pub(super) fn secret_labels(service: &Service, run: &str) -> Labels {
    let mut labels = labels(service);
    labels.insert(format!("{OWN_LABELS}{RUN}"), run.to_owned());
    labels
}

/// The run whose secret has these labels.
pub(super) fn run_of(labels: &Labels) -> Option<&str> {
    labels.get(&format!("{OWN_LABELS}{RUN}")).map(String::as_str)
}

/// Folders of the service's containers that outlive them.
pub(super) fn mounted(spec: &ServiceSpec) -> Vec<String> {
    let lasts = |mount: &&Mount| {
        let kind = mount.kind.as_deref().unwrap_or_default();
        let is_named = mount.source.as_ref().is_some_and(|source| !source.is_empty());
        matches!(kind, "bind" | "cluster") || (kind == "volume" && is_named)
    };
    let mounts = container(spec).and_then(|container| container.mounts.as_ref()).into_iter().flatten();
    mounts.filter(lasts).filter_map(|mount| mount.target.clone()).collect()
}

/// The volumes and folders that the service's containers may write to, each with its kind, as far as images may be there.
pub(super) fn storage(spec: &ServiceSpec) -> Vec<(String, String)> {
    let mounts = container(spec).and_then(|container| container.mounts.as_ref()).into_iter().flatten();
    let writable = mounts.filter(|mount| mount.read_only != Some(true));
    let sources = writable.filter_map(|mount| Some((mount.kind.clone()?, mount.source.clone()?)));
    let is_of_host = |source: &str| OF_THE_HOST.iter().any(|folder| source.starts_with(folder));
    sources.filter(|(_, source)| !source.is_empty() && !is_of_host(source)).collect()
}

/// What the service's containers are started with, as far as the service says it.
pub(super) fn words(spec: &ServiceSpec) -> Vec<String> {
    let Some(container) = container(spec) else { return vec![] };
    container.command.iter().chain(&container.args).flatten().cloned().collect()
}

/// The job that does a task on a node, in the name of a run, with the secret (ID and name) for redis.
pub(super) fn job(
    service: &Service,
    node: &str,
    run: &str,
    task: Task,
    surroundings: &Surroundings,
    secret: Option<&(String, String)>,
) -> ServiceSpec {
    let template = service.spec.task_template.clone().unwrap_or_default();
    let mut own = template.container_spec.clone().unwrap_or_default();
    own.command = Some(garbage_collection::command(task, surroundings));
    own.args = None;
    // Its own registry is to prove that this makes it read-only; and it says whose job it is, even where another run was
    // first to make the service so.
    let env = own.env.get_or_insert_default();
    garbage_collection::make_writable(env);
    garbage_collection::make_read_only(env, run);
    own.healthcheck = Some(Healthcheck { test: Some(vec!["NONE".to_owned()]), ..Healthcheck::default() });
    // A shell as the first process of a container hears no SIGTERM. Deleting can be cut off at any time.
    own.stop_grace_period = Some(0);
    (own.labels, own.hostname, own.tty, own.open_stdin) = (None, None, None, None);
    if own.read_only == Some(true) {
        own.mounts.get_or_insert_default().push(Mount {
            kind: Some("tmpfs".to_owned()),
            target: Some("/tmp".to_owned()),
            ..Mount::default()
        });
    }
    own.secrets.get_or_insert_default().extend(secret.map(reference));
    ServiceSpec {
        name: Some(name(service.name())),
        labels: Some(labels(service)),
        mode: Some(Mode {
            replicated_job: Some(ReplicatedJob {
                max_concurrent: Some(1),
                total_completions: Some(1),
                ..ReplicatedJob::default()
            }),
            ..Mode::default()
        }),
        task_template: Some(beside(template, own, node, &service.spec)),
        ..ServiceSpec::default()
    }
}

fn beside(template: TaskSpec, container: ContainerSpec, node: &str, service: &ServiceSpec) -> TaskSpec {
    let mut networks = template.networks.or_else(|| service.networks.clone());
    for network in networks.iter_mut().flatten() {
        // Clients are not to find it by the registry's names.
        network.aliases = None;
    }
    let platforms = template.placement.and_then(|placement| placement.platforms);
    TaskSpec {
        container_spec: Some(container),
        // A node that is full of reservations has room for it all the same.
        resources: template.resources.map(|resources| Resources { reservations: None, ..resources }),
        restart_policy: Some(RestartPolicy {
            condition: Some("none".to_owned()),
            ..RestartPolicy::default()
        }),
        placement: Some(Placement {
            constraints: Some(vec![format!("node.id=={node}")]),
            platforms,
            ..Placement::default()
        }),
        networks,
        runtime: template.runtime,
        // Its output is read, wherever that of the service goes.
        log_driver: Some(Driver {
            name: Some("json-file".to_owned()),
            options: Some(BTreeMap::from([("max-size".to_owned(), "10m".to_owned())])),
            ..Driver::default()
        }),
        ..TaskSpec::default()
    }
}

fn reference((id, name): &(String, String)) -> SecretReference {
    SecretReference {
        file: Some(FileTarget {
            name: Some(REDIS_SECRET.to_owned()),
            uid: Some("0".to_owned()),
            gid: Some("0".to_owned()),
            // Whoever the container's user is.
            mode: Some(0o444),
            ..FileTarget::default()
        }),
        secret_id: Some(id.clone()),
        secret_name: Some(name.clone()),
        ..SecretReference::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service() -> Service {
        let spec = json!({
            "Name": "hub", "Labels": {"a": "b"}, "Mode": {"Replicated": {"Replicas": 2}},
            "EndpointSpec": {"Ports": [{"TargetPort": 5000}]},
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "registry:2", "Args": ["serve", "/run/secrets/registry-config.yml"], "Env": ["A=1"],
                    "Secrets": [{"SecretID": "s", "SecretName": "s", "File": {"Name": "registry-config.yml"}}],
                    "Mounts": [{"Type": "volume", "Source": "images", "Target": "/images"}, {"Type": "volume", "Target": "/x"},
                        {"Type": "tmpfs", "Target": "/t"}, {"Type": "bind", "Source": "/b", "Target": "/b"}],
                    "Healthcheck": {"Test": ["CMD", "x"]}, "ReadOnly": true, "User": "1000",
                },
                "Resources": {"Limits": {"NanoCPUs": 1}, "Reservations": {"MemoryBytes": 7}},
                "Placement": {"Constraints": ["node.labels.a==b"], "MaxReplicas": 1},
                "Networks": [{"Target": "n", "Aliases": ["hub.example.com"]}],
                "ForceUpdate": 3, "LogDriver": {"Name": "none"},
            },
        });
        Service { id: "id".into(), spec: serde_json::from_value(spec).unwrap(), ..Service::default() }
    }

    #[test]
    fn the_job_sees_what_the_registry_sees_and_is_not_taken_for_it() {
        let service = service();
        let surroundings = Surroundings {
            words: words(&service.spec),
            mounted: mounted(&service.spec),
            ..Surroundings::default()
        };
        assert_eq!(surroundings.mounted, ["/images", "/b"]);
        let job = job(&service, "node", "run", Task::Collect, &surroundings, Some(&("i".into(), "n".into())));
        let job = serde_json::to_value(job).unwrap();
        assert_eq!((&job["Name"], job.get("EndpointSpec")), (&json!("hub-garbage-collection"), None));
        assert_eq!(job["Mode"], json!({"ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 1}}));
        let task = &job["TaskTemplate"];
        assert_eq!(task["Placement"], json!({"Constraints": ["node.id==node"]}));
        assert_eq!(task["Resources"], json!({"Limits": {"NanoCPUs": 1}}));
        assert_eq!(task["Networks"], json!([{"Target": "n"}]));
        assert_eq!(task["LogDriver"]["Name"], "json-file");
        let container = &task["ContainerSpec"];
        assert_eq!((&container["Image"], &container["User"]), (&json!("registry:2"), &json!("1000")));
        assert_eq!(container["Mounts"].as_array().unwrap().len(), 5, "with a place for its own files");
        assert_eq!(container["Secrets"].as_array().unwrap().len(), 2);
        assert_eq!(container["Env"].as_array().unwrap().len(), 2);
        assert_eq!(
            container["Command"].as_array().unwrap()[4..7],
            ["collect", "registry", "/run/secrets/registry-config.yml"]
        );
    }

    #[test]
    fn a_job_says_whose_it_is_whoever_made_the_registry_read_only() {
        let mut service = service();
        let container = service.spec.task_template.as_mut().unwrap().container_spec.as_mut().unwrap();
        garbage_collection::make_read_only(container.env.as_mut().unwrap(), "other");
        let job = job(&service, "node", "own", Task::Check, &Surroundings::default(), None);
        let env = job.task_template.unwrap().container_spec.unwrap().env.unwrap();
        assert_eq!(garbage_collection::who_made_read_only(&env), Some("own"));
    }

    #[test]
    fn what_the_host_has_is_no_storage() {
        let mounts = json!({"TaskTemplate": {"ContainerSpec": {"Mounts": [
            {"Type": "volume", "Source": "images", "Target": "/images"},
            {"Type": "volume", "Source": "seen", "Target": "/seen", "ReadOnly": true},
            {"Type": "bind", "Source": "/srv/images", "Target": "/srv/images"},
            {"Type": "bind", "Source": "/etc/localtime", "Target": "/etc/localtime"},
            {"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/docker.sock"},
        ]}}});
        let own = |kind: &str, source: &str| (kind.to_owned(), source.to_owned());
        let spec: ServiceSpec = serde_json::from_value(mounts).unwrap();
        assert_eq!(storage(&spec), [own("volume", "images"), own("bind", "/srv/images")]);
    }

    #[test]
    fn names_are_never_too_long() {
        assert_eq!(name(&"a".repeat(63)).len(), 63);
    }
}
