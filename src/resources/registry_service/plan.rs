//! What follows from the configuration where nobody says otherwise.

use super::{
    check::diagnostic,
    owned,
    settings::{Settings, is_rendered, storage},
};
use crate::{
    registry::{self, Secret, checks, configuration::DEBUG_PORT, derive, image::Reference as Image},
    resources::service::{self, Healthcheck, Publish, Rollout},
    terraform::{Duration, Plan, Result},
};

/// Derives and computes what the schema leaves open.
pub(super) fn plan(plan: &mut Plan) -> Result<()> {
    let rendered = is_rendered(&plan.config);
    distribution(plan, rendered)?;
    http(plan, rendered);
    storage::derive(plan);
    targets(plan, rendered);
    service::settle_references(plan);
    let check = healthcheck(plan, rendered);
    stop_grace(plan, rendered);
    rollouts(plan, rendered, check.as_ref());
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
    if rendered {
        let port: i64 = if plan.config.is_set("tls") { 443 } else { 5000 };
        plan.derive("http.port", port);
    } else {
        plan.derive("http", None::<String>);
    }
}

/// A published port leads to the one on which the registry listens.
fn targets(plan: &mut Plan, rendered: bool) {
    let listens = if rendered { plan.known::<i64>("http.port") } else { Some(by_environment(plan)) };
    plan.derive_each("publish", "target", |_| listens);
}

/// The port on which a registry listens that is configured by its environment.
fn by_environment(plan: &Plan) -> i64 {
    let address = plan.known::<String>("env.REGISTRY_HTTP_ADDR");
    address.and_then(|address| address.rsplit_once(':')?.1.parse().ok()).unwrap_or(5000)
}

fn healthcheck(plan: &mut Plan, rendered: bool) -> Option<derive::HealthCheck> {
    if plan.config.is_set("healthcheck") {
        return None;
    }
    if !rendered {
        plan.derive("healthcheck", None::<Healthcheck>);
        return None;
    }
    let port =
        if plan.get("metrics").is_null() { Some(i64::from(DEBUG_PORT)) } else { plan.known("metrics.port") };
    let check = derive::health_check(u16::try_from(port?).ok()?);
    let time = |time: std::time::Duration| Some(Duration::from_std(time));
    plan.derive(
        "healthcheck",
        Some(Healthcheck {
            command: Some(check.test.clone()),
            interval: time(check.interval),
            timeout: time(check.timeout),
            retries: Some(check.retries.into()),
            start_period: time(check.start_period),
            start_interval: None,
        }),
    );
    Some(check)
}

fn stop_grace(plan: &mut Plan, rendered: bool) {
    if !rendered {
        plan.derive("stop_grace_period", Duration::from_secs(10));
    } else if let Some(drain) = plan.known::<Duration>("http.drain_timeout") {
        plan.derive("stop_grace_period", Duration::from_std(derive::stop_grace(drain.to_std())));
    }
}

fn rollouts(plan: &mut Plan, rendered: bool, check: Option<&derive::HealthCheck>) {
    for path in ["update", "rollback"] {
        let mut default = Rollout::engine_default();
        let mut order = Some(default.order.clone());
        if rendered {
            order = update_order(plan);
            default.delay = Duration::from_secs(10);
            default.monitor = Duration::from_std(derive::monitor(check));
            default.failure_action = if path == "update" { "rollback" } else { "pause" }.to_owned();
        }
        default.derive(path, order, plan);
    }
}

/// The order in which an update can succeed (P2): where two tasks cannot be on one node, the old one makes room.
fn update_order(plan: &Plan) -> Option<String> {
    let ports = plan.known::<Vec<Publish>>("publish")?;
    let order = derive::update_order(derive::Rollout {
        has_host_port: ports.iter().any(|port| port.mode == "host"),
        has_max_per_node: plan.known::<i64>("placement.max_replicas_per_node")? > 0,
        is_proxy_on_disk: is_proxy_on_disk(plan)?,
    });
    Some(match order {
        derive::Order::StopFirst => "stop-first".to_owned(),
        derive::Order::StartFirst => "start-first".to_owned(),
    })
}

/// Whether the registry is a cache that keeps its files where the next task would find them; none if that is not known.
fn is_proxy_on_disk(plan: &Plan) -> Option<bool> {
    let [proxy, filesystem] = ["proxy", "storage.filesystem"].map(|path| plan.get(path));
    if proxy.is_unknown() || filesystem.is_unknown() {
        return None;
    }
    Some(!proxy.is_null() && !filesystem.is_null())
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
        // Where other files are to be mounted, an update is due that the file's own name does not show.
        match expected.flatten().filter(|_| !owned::has_other_files(&plan.private, &settings)) {
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
