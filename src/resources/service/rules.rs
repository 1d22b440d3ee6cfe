//! What of the parts of a service excludes or needs one another, as far as it can be told without an Engine.

use crate::terraform::{Config, Diagnostic, Diagnostics, Path, Value};

/// What is wrong with the parts of a configuration, of which some may be unknown.
pub fn offline(config: &Config) -> Diagnostics {
    let mut found = mounts(config);
    found.extend(files(config));
    found.extend(one_each(config));
    found
}

/// Refuses something at its path.
pub fn refuse(found: &mut Diagnostics, path: impl Into<Path>, summary: &str, detail: &str) {
    found.push(Diagnostic::error(summary, detail).at(path));
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

/// The Engine takes nothing for "not said", so it would not come back.
pub fn not_empty(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("it is empty; leave it out instead".to_owned()) } else { Ok(()) }
}

/// The elements of a list that is known; none of another.
pub fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        _ => &[],
    }
}
