//! What of a configuration excludes or needs one another, as far as it can be told without an Engine.

use crate::terraform::{Config, Diagnostic, Diagnostics, Path, Step, Value};

/// What is wrong with a configuration, of which parts may be unknown.
pub(super) fn offline(config: &Config) -> Diagnostics {
    let mut found = modes(config);
    found.extend(ports(config));
    found.extend(mounts(config));
    found.extend(files(config));
    found.extend(one_each(config));
    found
}

fn refuse(found: &mut Diagnostics, path: impl Into<Path>, summary: &str, detail: &str) {
    found.push(Diagnostic::error(summary, detail).at(path));
}

/// What only some modes have.
fn modes(config: &Config) -> Diagnostics {
    let mut found = vec![];
    if !config.is_known("mode") {
        return found;
    }
    let mode = config.known::<String>("mode").unwrap_or_else(|| "replicated".to_owned());
    if mode != "replicated" && config.is_set("replicas") {
        let detail = match mode.as_str() {
            "replicated-job" => "How many tasks of a job there are is said in `job`.",
            _ => "It has one task on each node that `placement` allows.",
        };
        refuse(&mut found, "replicas", &format!("A {mode} service has no `replicas`"), detail);
    }
    if mode != "replicated-job" && config.is_set("job") {
        refuse(
            &mut found,
            "job",
            &format!("A {mode} service has no `job`"),
            "Only one of mode `replicated-job` has.",
        );
    }
    if mode.ends_with("-job") {
        for path in ["update", "rollback"] {
            if config.is_set(path) {
                let detail =
                    "An update of a job runs it again, and there are no tasks to replace one after another.";
                refuse(&mut found, path, &format!("A job has no `{path}`"), detail);
            }
        }
    }
    if mode.starts_with("global")
        && config.known::<i64>("placement.max_replicas_per_node").is_some_and(|most| most > 0)
    {
        let detail = "It has one task on each node that `placement` allows.";
        let summary = format!("A {mode} service has no `placement.max_replicas_per_node`");
        refuse(&mut found, "placement.max_replicas_per_node", &summary, detail);
    }
    found
}

fn ports(config: &Config) -> Diagnostics {
    let mut found = vec![];
    let is_dnsrr = config.known::<String>("endpoint_mode").as_deref() == Some("dnsrr");
    for (index, port) in list(config.get("publish")).iter().enumerate() {
        let path = Path::of(&format!("publish[{index}]"));
        if port.get("port").is_null() && port.get("target").is_null() {
            let detail = "Name at least one of both: `target` is the same as `port` where it is left out.";
            refuse(&mut found, path.clone(), "A published port has neither `port` nor `target`", detail);
        }
        let is_ingress =
            matches!(port.get("mode"), Value::Null) || port.get("mode").as_str() == Some("ingress");
        if is_dnsrr && is_ingress {
            let detail =
                "Swarm refuses it, since there is no address to which the port could lead. Use mode `host`.";
            let path = path.then(Step::Attribute("mode".to_owned()));
            refuse(&mut found, path, "A port in mode `ingress` excludes `dnsrr`", detail);
        }
    }
    found
}

/// Options of one kind of mount mean nothing to another.
fn mounts(config: &Config) -> Diagnostics {
    let mut found = vec![];
    for (index, mount) in list(config.get("mounts")).iter().enumerate() {
        let kind = match mount.get("type") {
            Value::Null => "volume",
            Value::String(kind) => kind,
            _ => continue,
        };
        let path = |name: &str| Path::of(&format!("mounts[{index}].{name}"));
        // What is generated of an import says the defaults too.
        let nothing = [Value::from("rprivate"), Value::Bool(false), Value::List(vec![])];
        for (name, only) in [
            ("volume", "volume"),
            ("bind_propagation", "bind"),
            ("bind_non_recursive", "bind"),
            ("tmpfs_size", "tmpfs"),
            ("tmpfs_mode", "tmpfs"),
            ("tmpfs_options", "tmpfs"),
        ] {
            let value = mount.get(name);
            if kind != only && !value.is_null() && !value.is_unknown() && !nothing.contains(value) {
                let summary = format!("A mount of type `{kind}` has no `{name}`");
                refuse(&mut found, path(name), &summary, &format!("Only one of type `{only}` has."));
            }
        }
        let source = mount.get("source");
        if kind == "tmpfs" && !source.is_null() {
            refuse(&mut found, path("source"), "A `tmpfs` has no `source`", "It is memory.");
        }
        if matches!(kind, "bind" | "npipe" | "cluster") && source.is_null() {
            let summary = format!("A mount of type `{kind}` needs a `source`");
            refuse(&mut found, path("source"), &summary, "Name what is to be mounted.");
        }
    }
    found
}

/// Two files of one path: Docker tells so only when the task starts.
fn files(config: &Config) -> Diagnostics {
    let mut found = vec![];
    for name in ["secrets", "configs"] {
        let mut seen: Vec<&str> = vec![];
        for (index, reference) in list(config.get(name)).iter().enumerate() {
            let Some(target) = reference.get("target").as_str() else { continue };
            if seen.contains(&target) {
                let path = format!("{name}[{index}].target");
                let detail = format!("Another one of `{name}` is `{target}` already.");
                refuse(&mut found, path.as_str(), "Two files have one name", &detail);
            }
            seen.push(target);
        }
    }
    found
}

fn one_each(config: &Config) -> Diagnostics {
    let mut found = vec![];
    let spec = "privileges.credential_spec";
    if config.is_set(spec) && config.is_known(spec) {
        let set = ["config", "file", "registry"]
            .into_iter()
            .filter(|name| config.is_set(&format!("{spec}.{name}")));
        if set.count() != 1 {
            refuse(
                &mut found,
                spec,
                "One place of credentials is needed",
                "Set one of `config`, `file` and `registry`.",
            );
        }
    }
    let seccomp = "privileges.seccomp";
    if config.is_set(seccomp) && config.is_known(seccomp) {
        let custom = config.known::<String>("privileges.seccomp.mode").as_deref() == Some("custom");
        if custom != config.is_set("privileges.seccomp.profile") {
            let detail = "Mode `custom` is the one with a `profile`, and needs one.";
            refuse(&mut found, "privileges.seccomp.profile", "Mode and profile do not fit", detail);
        }
    }
    if config.is_set("resources.memory_swap")
        && config.is_known("resources.limits")
        && !config.is_set("resources.limits.memory")
    {
        let detail = "The Engine limits swap only beside memory.";
        refuse(&mut found, "resources.memory_swap", "`memory_swap` needs `limits.memory`", detail);
    }
    if config.is_set("registry_auth") && config.is_known("registry_auth.password") {
        let has = |name: &str| config.is_set(&format!("registry_auth.{name}"));
        if has("password") && has("password_wo") {
            let detail = "Only one of `password_wo` and `password` can be set.";
            refuse(&mut found, "registry_auth.password", "The password is given twice", detail);
        } else if !has("password") && !has("password_wo") {
            let detail = "Set one of `password_wo` and `password`.";
            refuse(&mut found, "registry_auth", "The password is missing", detail);
        }
    }
    found
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => &[],
    }
}
