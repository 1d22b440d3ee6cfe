//! What of a configuration excludes or needs one another, as far as it can be told without an Engine.

use crate::resources::service::{self, list, refuse};
use crate::terraform::{Config, Diagnostics, Path, Step, Value};

/// What is wrong with a configuration, of which parts may be unknown.
pub(super) fn offline(config: &Config) -> Diagnostics {
    let mut found = modes(config);
    found.extend(ports(config));
    found.extend(service::offline(config));
    found
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
