//! What would lose images, or could never start: said before anything is changed.

use super::{
    RegistryService,
    configuration::{Settings, diagnostic},
    owned::Role,
    settings::{SETTINGS, Tls, is_rendered},
};
use crate::{
    docker::{ApiVersion, Docker, Error, Node, Service},
    registry::{Secret, certificate, htpasswd},
    resources::{
        failure::{failure, sentence},
        service::{Constraint, Eligible, Healthcheck, Mount, Placement, Publish, Reference},
    },
    terraform::{Config, Diagnostic, Diagnostics, Duration, Plan},
};
use std::time::SystemTime;

/// What a configuration says by itself.
pub(super) fn offline(config: &Config) -> Diagnostics {
    let mut found = vec![];
    exclusions(config, &mut found);
    storage(config, &mut found);
    rollout(config, &mut found);
    ports(config, &mut found);
    references(config, &mut found);
    environment(config, &mut found);
    tls(config, &mut found);
    auth(config, &mut found);
    found
}

fn exclusions(config: &Config, found: &mut Diagnostics) {
    if !is_rendered(config) {
        for name in SETTINGS.into_iter().filter(|name| config.is_set(name)) {
            found.push(
                Diagnostic::error(
                    format!("`{name}` needs `storage`"),
                    format!(
                        "Without `storage` the provider writes no configuration file, and `{name}` would have no effect. \
                         Set `storage`, or configure the registry by `env`."
                    ),
                )
                .at(name),
            );
        }
        if config.0.get("mounts").is_null() || config.known::<Vec<Mount>>("mounts").is_some_and(|mounts| !holds_images(&mounts)) {
            found.push(
                Diagnostic::warning(
                    "Nothing is mounted on /var/lib/registry (S3)",
                    "Docker gives each task an anonymous volume there and deletes it with the task: the next update or \
                     restart of the service loses all images. Set `storage`, or mount a volume.",
                )
                .at("storage"),
            );
        }
    } else if config.is_set("args") {
        found.push(
            Diagnostic::error("`args` excludes `storage`", "With `storage` the arguments are those that serve the rendered configuration.")
                .at("args"),
        );
    }
    if config.known::<String>("mode").as_deref() == Some("global") {
        for path in ["replicas", "placement.max_replicas_per_node"] {
            if config.is_set(path) && config.known::<i64>(path) != Some(0) {
                found.push(
                    Diagnostic::error(
                        format!("`{path}` excludes a global service (P12)"),
                        "A global service has one task on each node that `placement` allows.",
                    )
                    .at(path),
                );
            }
        }
    }
}

fn holds_images(mounts: &[Mount]) -> bool {
    mounts.iter().any(|mount| "/var/lib/registry".starts_with(&mount.target))
}

/// S1, S3, S4, S6: images that each replica has for itself, or that nothing keeps.
fn storage(config: &Config, found: &mut Diagnostics) {
    if !is_rendered(config) || !config.is_known("storage") {
        return;
    }
    let (volume, bind) = (config.is_set("storage.filesystem.volume"), config.is_set("storage.filesystem.bind"));
    let path = "storage.filesystem";
    if !config.is_set(path) {
        if !config.is_set("extra_config") {
            found.push(
                Diagnostic::error(
                    "There is no storage driver (S6)",
                    "Set `storage.filesystem`, or a driver in `extra_config`: a registry without one does not start.",
                )
                .at("storage"),
            );
        }
        return;
    }
    match (volume, bind) {
        (true, true) => found.push(
            Diagnostic::error("Two places for the images", "Only one of `volume` and `bind` can be set.").at(path),
        ),
        (false, false) => found.push(
            Diagnostic::error(
                "Nothing holds the images (S3)",
                "Without `volume` or `bind`, Docker gives each task an anonymous volume and deletes it with the task: \
                 every update would lose all images.",
            )
            .at(path),
        ),
        _ => {}
    }
    let shared = config.known::<bool>("storage.filesystem.shared").unwrap_or(false);
    let several = config.known::<i64>("replicas").is_some_and(|replicas| replicas > 1);
    let global = config.known::<String>("mode").as_deref() == Some("global");
    if !shared && (several || global) {
        found.push(
            Diagnostic::error(
                "The replicas would not share their images (S1)",
                "Each replica would write to its own node's disk: pushes fail with 'blob upload unknown', pulls with \
                 'manifest unknown'. Run one replica, or set storage.filesystem.shared = true if this is the same file \
                 system on every node, as with NFS.",
            )
            .at(path),
        );
    }
    let constraints = config.get("placement.constraints");
    if !shared && !several && !global && constraints.is_null() {
        found.push(
            Diagnostic::warning(
                "The images stay on one node (S4)",
                "The task may be moved to a node that does not have the images. Pin it with placement.constraints, or use \
                 shared storage.",
            )
            .at("placement"),
        );
    }
}

/// P2, P13: an update that could not go on, an upload that would be cut off.
fn rollout(config: &Config, found: &mut Diagnostics) {
    let host_port = config.known::<Vec<crate::terraform::Object>>("publish");
    let _ = host_port;
    let is_host = match config.get("publish") {
        crate::terraform::Value::List(ports) => ports.iter().any(|port| port.get("mode").as_str() == Some("host")),
        _ => false,
    };
    if is_host && config.known::<String>("update.order").as_deref() == Some("start-first") {
        found.push(
            Diagnostic::error(
                "The update could never go on (P2)",
                "With start-first the new task needs the host-mode port that the old one still holds on its node, and \
                 waits for ever: Swarm's updater has no timeout. Use stop-first, which is the default here, or `ingress`.",
            )
            .at("update.order"),
        );
    }
    if is_rendered(config)
        && let Some(grace) = config.known::<Duration>("stop_grace_period")
    {
        let drain = config.known::<Duration>("http.drain_timeout").unwrap_or(Duration::from_secs(30));
        if grace.nanos() < drain.nanos() + 2_000_000_000 {
            found.push(
                Diagnostic::error(
                    "Uploads would be cut off (P13)",
                    format!(
                        "After stop_grace_period ({grace}) the task is killed, before http.drain_timeout ({drain}) is \
                         over. Give the grace at least two seconds more than the drain."
                    ),
                )
                .at("stop_grace_period"),
            );
        }
    }
}

/// P4, P7: ports that exclude one another, or that must not be seen from outside.
fn ports(config: &Config, found: &mut Diagnostics) {
    let crate::terraform::Value::List(ports) = config.get("publish") else { return };
    let mut seen = vec![];
    for (index, port) in ports.iter().enumerate() {
        let object = Config(crate::terraform::Object::from_value(port.clone()).unwrap_or_default());
        let Some(number) = object.known::<i64>("port") else { continue };
        let protocol = object.known::<String>("protocol").unwrap_or_else(|| "tcp".to_owned());
        let path = format!("publish[{index}]");
        if seen.contains(&(number, protocol.clone())) {
            found.push(
                Diagnostic::error("A port is published twice (P4)", format!("{number}/{protocol} is there already."))
                    .at(path.as_str()),
            );
        }
        let debug = config.known::<i64>("metrics.port").filter(|_| is_rendered(config));
        if debug.is_some() && debug == object.known::<i64>("target") {
            found.push(
                Diagnostic::warning(
                    "The debug port would be published (P7)",
                    "Whoever reaches it reads the registry's secrets and profiles. Let Prometheus reach it over a network \
                     of the swarm instead.",
                )
                .at(path.as_str()),
            );
        }
        if object.known::<String>("mode").as_deref() != Some("host")
            && config.known::<String>("endpoint_mode").as_deref() == Some("dnsrr")
        {
            found.push(
                Diagnostic::error(
                    "An ingress port needs a virtual address (P4)",
                    "With endpoint_mode = \"dnsrr\" only ports in host mode can be published.",
                )
                .at(path.as_str()),
            );
        }
        seen.push((number, protocol));
    }
}

/// T18: two files of one name.
fn references(config: &Config, found: &mut Diagnostics) {
    for path in ["secrets", "configs"] {
        let Some(references) = config.known::<Vec<Partial>>(path) else { continue };
        let mut targets: Vec<String> = vec![];
        for (index, Partial { target }) in references.into_iter().enumerate() {
            let Some(target) = target else { continue };
            let at = format!("{path}[{index}].target");
            if path == "secrets" && is_rendered(config) && Role::is_target(&target) {
                found.push(
                    Diagnostic::error("The file is the provider's", format!("`{target}` is mounted by this resource itself."))
                        .at(at.as_str()),
                );
            }
            if targets.contains(&target) {
                found.push(
                    Diagnostic::error("Two files of one name (T18)", format!("`{target}` is mounted twice.")).at(at.as_str()),
                );
            }
            targets.push(target);
        }
    }
}

/// What is looked at in a reference of a configuration, where defaults are not filled in yet.
struct Partial {
    target: Option<String>,
}

impl crate::terraform::Field for Partial {
    type Known = Self;
    fn attribute() -> crate::terraform::Builder<Self> {
        Reference::attribute().of()
    }
    fn decode(value: crate::terraform::Value) -> crate::terraform::Result<Self> {
        Ok(Partial { target: value.get("target").as_str().map(str::to_owned) })
    }
    fn encode(self) -> crate::terraform::Value {
        crate::terraform::Value::Null
    }
}

/// C13, C14, T20: an environment that contradicts the file, that Swarm expands, or that shows a secret.
fn environment(config: &Config, found: &mut Diagnostics) {
    let crate::terraform::Value::Map(env) = config.get("env") else { return };
    for (name, value) in env {
        let path = crate::terraform::Path::of("env").then(crate::terraform::Step::Key(name.clone()));
        if is_rendered(config) && name.starts_with("REGISTRY_") {
            found.push(
                Diagnostic::error(
                    "The environment contradicts the configuration file (C13)",
                    format!(
                        "With `storage` the provider writes the whole file, and {name} would override it unseen. Use the \
                         attribute for it, or extra_config."
                    ),
                )
                .at(path.clone()),
            );
        }
        if value.as_str().is_some_and(|value| value.contains("{{")) {
            found.push(
                Diagnostic::warning("Swarm expands templates (C14)", format!("`{{{{` in {name} is a template to Swarm."))
                    .at(path.clone()),
            );
        }
        let secret = ["SECRETKEY", "PASSWORD", "HTTP_SECRET", "ACCOUNTKEY"].iter().any(|word| name.ends_with(word));
        if secret {
            found.push(
                Diagnostic::warning("A secret in the environment (T20)", format!("Everyone who may inspect the service reads {name}."))
                    .at(path),
            );
        }
    }
}

/// T1 to T5, T7: a certificate that clients would refuse, or with which the registry would not start.
fn tls(config: &Config, found: &mut Diagnostics) {
    if !is_rendered(config) || !config.is_set("tls") || config.get("tls").is_unknown() {
        return;
    }
    let exactly = |names: &[&str], what: &str, found: &mut Diagnostics| {
        let set: Vec<&&str> = names.iter().filter(|name| config.is_set(&format!("tls.{name}"))).collect();
        if set.len() != 1 {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let detail = format!("Exactly one of {} says where the {what} is.", names.join(", "));
            found.push(Diagnostic::error(format!("The {what} is not told once (T7)"), detail).at("tls"));
        }
    };
    exactly(&["certificate", "certificate_secret"], "certificate", found);
    exactly(&["private_key", "private_key_wo", "private_key_secret"], "private key", found);
    let Some(certificate) = config.known::<String>("tls.certificate") else { return };
    let key = config.known::<String>("tls.private_key").or_else(|| config.known::<String>("tls.private_key_wo"));
    let host = config.known::<String>("url").and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
    let key = key.map(Secret::from);
    let findings = certificate::inspect(&certificate, key.as_ref(), host.as_deref(), SystemTime::now());
    found.extend(findings.iter().map(diagnostic));
}

/// A1 to A7, T11: users that could not log in.
fn auth(config: &Config, found: &mut Diagnostics) {
    let path = "auth.htpasswd";
    if !is_rendered(config) || !config.is_set(path) || config.get(path).is_unknown() {
        return;
    }
    let forms = ["users", "users_wo", "file", "file_secret"];
    if forms.iter().filter(|name| config.is_set(&format!("{path}.{name}"))).count() != 1 {
        found.push(
            Diagnostic::error("The users are not told once", "Exactly one of `users`, `users_wo`, `file` and `file_secret` says who they are.")
                .at(path),
        );
    }
    if let Some(file) = config.known::<String>("auth.htpasswd.file") {
        found.extend(htpasswd::inspect(file.as_bytes(), "auth.htpasswd.file").iter().map(diagnostic));
    }
    for name in ["auth.htpasswd.users", "auth.htpasswd.users_wo"] {
        let users = config.known::<std::collections::BTreeMap<String, String>>(name).unwrap_or_default();
        for (user, password) in users {
            if let Err(error) = htpasswd::check_user(&user, &Secret::from(password)) {
                found.push(Diagnostic::error(format!("Invalid value for `{name}` (A3)"), sentence(&error.to_string())).at(name));
            }
        }
    }
    if !config.is_set("tls") && !config.known::<String>("url").is_some_and(|url| url.starts_with("https://")) {
        found.push(
            Diagnostic::warning(
                "Passwords would travel in clear (T11)",
                "There is `auth` but no `tls`. If a proxy ends TLS before the registry, say so by an https `url`.",
            )
            .at("auth"),
        );
    }
}

/// What the plan says of the configuration file: warnings of its whole content.
pub(super) fn rendered(plan: &Plan) -> Diagnostics {
    let Some(settings) = Settings::planned(plan) else { return vec![] };
    let Ok(configuration) = settings.configuration(Secret::from("x")) else { return vec![] };
    configuration.inspect(settings.dialect).iter().map(diagnostic).collect()
}

/// What of the wish the live swarm is asked about.
pub(super) struct Wish {
    name: String,
    global: bool,
    replicas: Option<i64>,
    publish: Vec<Publish>,
    placement: Placement,
    healthcheck: Option<Healthcheck>,
    mounts: Vec<Mount>,
}

impl Wish {
    pub fn planned(plan: &Plan) -> Option<Self> {
        Some(Wish {
            name: plan.known("name")?,
            global: plan.known::<String>("mode")? == "global",
            replicas: plan.known("replicas"),
            publish: plan.known("publish")?,
            placement: plan.known("placement")?,
            healthcheck: plan.known("healthcheck"),
            mounts: plan.known("mounts").unwrap_or_default(),
        })
    }

    pub fn of(service: &RegistryService) -> Self {
        Wish {
            name: service.name.clone(),
            global: service.mode == "global",
            replicas: service.replicas,
            publish: service.publish.clone(),
            placement: service.placement.clone(),
            healthcheck: service.healthcheck.clone(),
            mounts: service.mounts.clone(),
        }
    }

    /// What the Engine is too old for: it would drop it without a word.
    pub async fn too_old(&self, docker: &Docker) -> Diagnostics {
        let mut needs = vec![];
        if self.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some()) {
            needs.push(("healthcheck.start_interval".to_owned(), ApiVersion(1, 44)));
        }
        for (index, mount) in self.mounts.iter().enumerate() {
            if mount.volume.as_ref().is_some_and(|volume| volume.subpath.is_some()) {
                needs.push((format!("mounts[{index}].volume.subpath"), ApiVersion(1, 45)));
            }
        }
        let mut found = vec![];
        for (path, version) in needs {
            if let Err(error @ Error::TooOld { .. }) = docker.require_version(&format!("`{path}`"), version).await {
                found.push(failure(&format!("use `{path}`"), &error).at(path.as_str()));
            }
        }
        found
    }

    /// P1, P3, P8, P11: what the nodes and the other services say.
    pub fn against(&self, nodes: &[Node], services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        let constraints: Vec<Constraint> = self.placement.parsed();
        let eligible = Eligible::among(nodes, &constraints);
        let count = i64::try_from(eligible.nodes.len()).unwrap_or(i64::MAX);
        let replicas = if self.global { 0 } else { self.replicas.unwrap_or(1) };
        if eligible.nodes.is_empty() && (replicas > 0 || self.global) {
            found.push(
                Diagnostic::error(
                    "No node can run the registry (P8)",
                    format!("No node satisfies `placement.constraints`: {}.", eligible.reasons()),
                )
                .at("placement.constraints"),
            );
            return found;
        }
        let host = self.publish.iter().find(|port| port.mode == "host");
        if let Some(port) = host
            && replicas > count
        {
            found.push(
                Diagnostic::error(
                    "Too few nodes for a host-mode port (P1)",
                    format!(
                        "Port {} can be bound once on each node: {replicas} replicas need as many nodes, and {count} can run \
                         one ({}). {}",
                        port.port.unwrap_or(port.target),
                        eligible.nodes.join(", "),
                        sentence(&eligible.reasons())
                    ),
                )
                .at("publish"),
            );
        }
        let most = self.placement.max_replicas_per_node;
        if most > 0 && replicas > most.saturating_mul(count) {
            found.push(
                Diagnostic::error(
                    "Too few nodes for so many replicas (P11)",
                    format!("{count} nodes with at most {most} each cannot run {replicas} replicas."),
                )
                .at("placement.max_replicas_per_node"),
            );
        }
        found.extend(self.ports_taken(services));
        found
    }

    /// Swarm refuses an ingress port that another service has, and a host-mode port that one has as an ingress port.
    fn ports_taken(&self, services: &[Service]) -> Diagnostics {
        let mut found = vec![];
        for service in services.iter().filter(|service| service.name() != self.name) {
            for theirs in Publish::read(&service.spec) {
                let clash = self.publish.iter().enumerate().find(|(_, ours)| {
                    ours.port.is_some()
                        && ours.port == theirs.port
                        && ours.protocol == theirs.protocol
                        && (ours.mode == "ingress" || theirs.mode == "ingress")
                });
                if let Some((index, ours)) = clash {
                    found.push(
                        Diagnostic::error(
                            "A port is taken (P3)",
                            format!(
                                "Port {}/{} is published by service `{}` already, in {} mode.",
                                ours.port.unwrap_or_default(),
                                ours.protocol,
                                service.name(),
                                theirs.mode
                            ),
                        )
                        .at(format!("publish[{index}].port").as_str()),
                    );
                }
            }
        }
        found
    }
}

/// Whether a key is the provider's to check at plan: write-only keys are seen in the configuration alone.
pub(super) fn has_key(tls: &Tls) -> bool {
    tls.private_key.is_some() || tls.private_key_secret.is_some() || tls.private_key_wo.expose().is_some()
}
