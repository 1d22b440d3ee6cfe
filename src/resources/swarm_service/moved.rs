//! The state of `docker_service` of the provider kreuzwerker/docker, as far as a `moved` block takes it over.
//!
//! Terraform refreshes what was moved before it plans, so what this resource always looks at comes from the Engine. What
//! it only looks at where the state has it, is carried over: then the plan of a configuration that says the same is empty.

use crate::resources::kreuzwerker;
use crate::terraform::{Diagnostic, Duration, MoveSource, Number, Result, Size};
use serde_json::{Map, Value, json};

type Json = Map<String, Value>;

/// The state in this resource's terms; none for a state of another type.
pub(super) fn moved(source: &MoveSource) -> Option<Result<Json>> {
    kreuzwerker::is(source, "docker_service").then(|| service(&source.attributes))
}

fn service(theirs: &Json) -> Result<Json> {
    let task = first(theirs.get("task_spec"));
    let container = first(task.get("container_spec"));
    let (Some(id), Some(name), Some(image)) =
        (theirs.get("id"), theirs.get("name"), container.get("image").and_then(Value::as_str))
    else {
        return Err(Diagnostic::error(
            "The state of `docker_service` cannot be read",
            "It has no `id`, `name` or image. Remove it from the state and import the service instead.",
        ));
    };
    let mode = first(theirs.get("mode"));
    let is_global = mode.get("global").and_then(Value::as_bool) == Some(true);
    let replicas = first(mode.get("replicated")).get("replicas").cloned();
    let ours = json!({
        "id": id,
        "name": name,
        "image": image,
        "image_digest": image.split_once('@').map(|(_, digest)| digest),
        "mode": if is_global { "global" } else { "replicated" },
        "replicas": replicas.filter(|_| !is_global),
        "labels": kreuzwerker::labels(theirs),
        "command": words(container.get("command")),
        "args": words(container.get("args")),
        "hostname": text(container.get("hostname")),
        "dir": text(container.get("dir")),
        "user": text(container.get("user")),
        "init": container.get("init").and_then(Value::as_bool).filter(|init| *init),
        "stop_signal": text(container.get("stop_signal")),
        "stop_grace_period": time(container.get("stop_grace_period")).unwrap_or_else(|| "10s".to_owned()),
        "healthcheck": healthcheck(&first(container.get("healthcheck"))),
        "dns": dns(&first(container.get("dns_config"))),
        "privileges": privileges(&first(container.get("privileges"))),
        "secrets": references(container.get("secrets"), "secret_id"),
        "configs": references(container.get("configs"), "config_id"),
        "resources": resources(&first(task.get("resources"))),
        "logging": logging(&first(task.get("log_driver"))),
    });
    Ok(ours.as_object().cloned().unwrap_or_default())
}

/// What theirs has in a list of one; nothing where that is empty.
fn first(block: Option<&Value>) -> Json {
    let first = block.and_then(|block| block.get(0));
    first.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn text(text: Option<&Value>) -> Option<String> {
    text.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn words(words: Option<&Value>) -> Option<Vec<Value>> {
    words.and_then(Value::as_array).filter(|words| !words.is_empty()).cloned()
}

fn whole(number: Option<&Value>) -> Option<i64> {
    number.and_then(Value::as_i64).filter(|number| *number != 0)
}

/// A length of time; nothing where it is nought, which is how theirs says nothing.
fn time(time: Option<&Value>) -> Option<String> {
    let time: Duration = text(time)?.parse().ok()?;
    (time.nanos() != 0).then(|| time.to_string())
}

/// An object, unless nothing in it says anything.
fn some(object: Value) -> Option<Value> {
    let says = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
    object.as_object().is_some_and(|object| object.values().any(says)).then_some(object)
}

fn healthcheck(theirs: &Json) -> Option<Value> {
    some(json!({
        "command": words(theirs.get("test")),
        "interval": time(theirs.get("interval")),
        "timeout": time(theirs.get("timeout")),
        "start_period": time(theirs.get("start_period")),
        "retries": whole(theirs.get("retries")),
    }))
}

fn dns(theirs: &Json) -> Option<Value> {
    some(json!({
        "nameservers": words(theirs.get("nameservers")).unwrap_or_default(),
        "search": words(theirs.get("search")).unwrap_or_default(),
        "options": words(theirs.get("options")).unwrap_or_default(),
    }))
}

fn privileges(theirs: &Json) -> Option<Value> {
    let credentials = first(theirs.get("credential_spec"));
    let selinux = first(theirs.get("se_linux_context"));
    let own = |name: &str| text(selinux.get(name));
    some(json!({
        "credential_spec": some(json!({
            "file": text(credentials.get("file")), "registry": text(credentials.get("registry")),
        })),
        "selinux": (!selinux.is_empty()).then(|| json!({
            "disable": selinux.get("disable").and_then(Value::as_bool).unwrap_or_default(),
            "user": own("user"), "role": own("role"), "type": own("type"), "level": own("level"),
        })),
    }))
}

fn references(theirs: Option<&Value>, id: &str) -> Vec<Value> {
    let theirs = theirs.and_then(Value::as_array).into_iter().flatten();
    let reference = |own: &Value| {
        let mode = own.get("file_mode").and_then(Value::as_i64).unwrap_or(0o444);
        json!({
            "source": own.get(id),
            "target": text(own.get("file_name")),
            "uid": text(own.get("file_uid")).unwrap_or_else(|| "0".to_owned()),
            "gid": text(own.get("file_gid")).unwrap_or_else(|| "0".to_owned()),
            "mode": format!("{mode:04o}"),
        })
    };
    theirs.map(reference).collect()
}

fn resources(theirs: &Json) -> Option<Value> {
    let (limits, kept) = (first(theirs.get("limits")), first(theirs.get("reservation")));
    let cpus = |own: &Json| whole(own.get("nano_cpus")).map(|nano| Number::unscaled(nano, 9).to_string());
    let cpus = |own: &Json| cpus(own).and_then(|cpus| cpus.parse::<serde_json::Number>().ok());
    let memory = |own: &Json| whole(own.get("memory_bytes")).map(|bytes| Size::from_bytes(bytes).to_string());
    some(json!({
        "limits": some(json!({ "cpus": cpus(&limits), "memory": memory(&limits) })),
        "reservations": some(json!({ "cpus": cpus(&kept), "memory": memory(&kept) })),
    }))
}

fn logging(theirs: &Json) -> Option<Value> {
    let driver = text(theirs.get("name"))?;
    Some(json!({ "driver": driver, "options": theirs.get("options").cloned().unwrap_or_else(|| json!({})) }))
}
