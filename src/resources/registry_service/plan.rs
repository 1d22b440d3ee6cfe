//! What follows from the configuration where nobody says otherwise.

use super::{
    check::{self, diagnostic},
    owned,
    settings::{Settings, is_rendered, storage},
};
use crate::{
    registry::{self, Secret, checks, configuration::DEBUG_PORT, derive, image::Reference as Image},
    resources::service::{self, Healthcheck, Rollout},
    terraform::{Duration, Plan, Result, Value},
};

/// Derives and computes what the schema leaves open.
pub(super) fn plan(plan: &mut Plan) -> Result<()> {
    let rendered = is_rendered(&plan.config);
    distribution(plan, rendered)?;
    http(plan, rendered);
    storage::derive(plan);
    targets(plan, rendered);
    service::settle_references(plan);
    healthcheck(plan, rendered);
    stop_grace(plan, rendered);
    rollouts(plan, rendered);
    computed(plan, rendered)
}

/// The format of the configuration file is what the image's tag promises.
fn distribution(plan: &mut Plan, rendered: bool) -> Result<()> {
    if !rendered {
        plan.derive("distribution", None::<String>);
        return Ok(());
    }
    if plan.config.is_set("distribution") {
        return Ok(());
    }
    let Some(image) = plan.known::<String>("image") else { return Ok(()) };
    let Ok(reference) = image.parse::<Image>() else { return Ok(()) };
    let dialect = checks::dialect(None, &reference).map_err(|finding| diagnostic(&finding))?;
    plan.derive("distribution", dialect.to_string());
    Ok(())
}

fn http(plan: &mut Plan, rendered: bool) {
    if !rendered {
        plan.derive("http", None::<String>);
    } else if !plan.config.get("tls").is_unknown() {
        let port: i64 = if plan.config.is_set("tls") { 443 } else { 5000 };
        plan.derive("http.port", port);
    }
}

/// A published port leads to the one on which the registry listens.
fn targets(plan: &mut Plan, rendered: bool) {
    let listens = if rendered { plan.known::<i64>("http.port") } else { by_environment(plan) };
    plan.derive_each("publish", "target", |_| listens);
}

/// The port on which a registry listens that is configured by its environment; none if that is not known.
fn by_environment(plan: &Plan) -> Option<i64> {
    let address = plan.get("env.REGISTRY_HTTP_ADDR");
    if address.is_unknown() {
        return None;
    }
    let port = address.as_str().and_then(|address| address.rsplit_once(':')?.1.parse().ok());
    Some(port.unwrap_or(5000))
}

fn healthcheck(plan: &mut Plan, rendered: bool) {
    if plan.config.is_set("healthcheck") {
        return;
    }
    if !rendered {
        plan.derive("healthcheck", None::<Healthcheck>);
        return;
    }
    let port =
        if plan.get("metrics").is_null() { Some(i64::from(DEBUG_PORT)) } else { plan.known("metrics.port") };
    let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else {
        // Left alone it would be an object of which all is known, and nothing set.
        plan.set_unknown("healthcheck");
        return;
    };
    let check = derive::health_check(port);
    let time = |time: std::time::Duration| Some(Duration::from_std(time));
    plan.derive(
        "healthcheck",
        Some(Healthcheck {
            command: Some(check.test),
            interval: time(check.interval),
            timeout: time(check.timeout),
            retries: Some(check.retries.into()),
            start_period: time(check.start_period),
            start_interval: None,
        }),
    );
}

fn stop_grace(plan: &mut Plan, rendered: bool) {
    if !rendered {
        plan.derive("stop_grace_period", Duration::from_secs(10));
    } else if let Some(drain) = plan.known::<Duration>("http.drain_timeout") {
        plan.derive("stop_grace_period", Duration::from_std(derive::stop_grace(drain.to_std())));
    }
}

fn rollouts(plan: &mut Plan, rendered: bool) {
    for path in ["update", "rollback"] {
        let mut default = Rollout::engine_default();
        let mut order = Some(default.order.clone());
        let mut watched = Some(default.monitor.clone());
        if rendered {
            order = update_order(plan);
            watched = monitor(plan);
            default.delay = Duration::from_secs(10);
            default.failure_action = if path == "update" { "rollback" } else { "pause" }.to_owned();
        }
        let is_open = watched.is_none() && !plan.config.is_set(&format!("{path}.monitor"));
        default.monitor = watched.unwrap_or(default.monitor);
        default.derive(path, order, plan);
        if is_open {
            plan.set_unknown(&format!("{path}.monitor"));
        }
    }
}

/// How long a new task is watched: until the provider's own check would have failed, which takes as long on every port. None
/// if it is not known whether that is the check.
fn monitor(plan: &Plan) -> Option<Duration> {
    let own = match plan.config.get("healthcheck") {
        Value::Unknown(_) => return None,
        Value::Null => Some(derive::health_check(DEBUG_PORT)),
        _ => None,
    };
    Some(Duration::from_std(derive::monitor(own.as_ref())))
}

/// The order in which an update can succeed (P2): where two tasks cannot be on one node, the old one makes room.
fn update_order(plan: &Plan) -> Option<String> {
    let order = derive::update_order(derive::Rollout {
        has_host_port: has_host_port(plan)?,
        has_max_per_node: plan.known::<i64>("placement.max_replicas_per_node")? > 0,
        has_schedule: has_schedule(plan)?,
    });
    Some(match order {
        derive::Order::StopFirst => "stop-first".to_owned(),
        derive::Order::StartFirst => "start-first".to_owned(),
    })
}

/// Whether a port is published on the task's own node, whichever port that will be; none if that is not known.
fn has_host_port(plan: &Plan) -> Option<bool> {
    let Value::List(ports) = plan.get("publish") else { return None };
    let is_open = |port: &Value| port.is_unknown() || port.get("mode").is_unknown();
    if ports.iter().any(|port| port.get("mode").as_str() == Some("host")) {
        Some(true)
    } else if ports.iter().any(is_open) {
        None
    } else {
        Some(false)
    }
}

/// Whether the registry is a cache that keeps a schedule where the next task finds it, which is all but its own memory (C1);
/// none if that is not known.
fn has_schedule(plan: &Plan) -> Option<bool> {
    let [proxy, memory] = ["proxy", "storage.in_memory"].map(|path| plan.get(path));
    if proxy.is_null() {
        Some(false)
    } else if proxy.is_unknown() || memory.is_unknown() {
        None
    } else if memory.is_null() {
        check::expires(plan.planned())
    } else {
        Some(false)
    }
}

fn computed(plan: &mut Plan, rendered: bool) -> Result<()> {
    service::plan_digest(plan);
    if !rendered {
        plan.set("config_secret", String::new());
        plan.set("config_preview", String::new());
    } else if let Some(settings) = Settings::planned(plan) {
        let configuration = settings.configuration(Secret::from("x"))?;
        plan.set("config_preview", configuration.render().preview);
        let name = plan.known::<String>("name");
        let expected =
            name.map(|name| owned::expected_config(&plan.private, &name, &settings)).transpose()?;
        // Where other files are to be mounted, an update is due that neither the file's own name nor an attribute shows.
        let shows = ["storage", "compatibility"].iter().any(|section| plan.changes(section));
        match expected.flatten().filter(|_| shows || !owned::has_other_files(&plan.private, &settings)) {
            Some(expected) => plan.set("config_secret", expected),
            None => plan.set_unknown("config_secret"),
        }
        let errors = configuration.inspect(settings.dialect()).into_iter().find(registry::Finding::is_error);
        if let Some(finding) = errors {
            return Err(diagnostic(&finding));
        }
    } else {
        plan.set_unknown("config_preview");
        plan.set_unknown("config_secret");
    }
    if service::is_unsettled(&plan.private) {
        // A rollout was cut off: an update is planned that carries it on, and this is how it shows.
        plan.set_unknown("config_preview");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
