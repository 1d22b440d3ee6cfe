//! `registry_service`: what is refused or warned of, at plan and at apply.

use crate::{
    registry_service::{Registry, free_port},
    terraform::Workspace,
    testbed::{Testbed, unique},
};

#[test]
fn what_would_lose_images_or_never_start_is_refused_at_plan() {
    let testbed = Testbed::shared();
    let registry = Registry::new("refused");
    let volume = "storage = { filesystem = { volume = \"VOLUME\" } }";
    for (storage, more, words) in [
        (volume, "replicas = 3", vec!["disk", "shared"]),
        ("storage = { delete = true }", "", vec!["filesystem"]),
        (volume, "extra_config = \"storage: {s3: {bucket: x}}\"", vec!["2: filesystem, s3"]),
        (volume, "placement = { constraints = [\"node.foo==x\"] }", vec!["node.foo"]),
        (
            volume,
            "http = { drain_timeout = \"60s\" }\n  stop_grace_period = \"10s\"",
            vec!["stop_grace_period"],
        ),
        (volume, "env = { REGISTRY_HTTP_ADDR = \":443\" }", vec!["REGISTRY_HTTP_ADDR"]),
        (volume, "image = \"registry\"", vec!["distribution"]),
        (volume, "image = \"Registry:2\"", vec!["image"]),
        (volume, "extra_config = \"http: {addr: ':1'}\"", vec!["http.addr"]),
        (
            volume,
            "tls = { certificate = \"nonsense\", private_key_wo = \"nonsense\" }",
            vec!["tls.certificate"],
        ),
        ("", "http = {}", vec!["storage"]),
        ("storage = { s3 = { bucket = \"hub\" } }", "", vec!["(S8)", "region_endpoint"]),
        (
            "storage = { s3 = { bucket = \"hub\", region = \"us-east-1\", access_key = \"x\" } }",
            "",
            vec!["(S9)"],
        ),
        (volume, "mounts = [{ source = \"v\", target = \"/var/lib\" }]", vec!["(S18)"]),
        (
            volume,
            "image = \"hub.example.com/registry:2\"\n  url = \"https://hub.example.com\"",
            vec!["(P20)"],
        ),
        (volume, "hostname = \"{{ host }}\"", vec!["(C14)"]),
        (volume, "proxy = { remote_url = \"https://u:p@a.example\" }", vec!["(C3)", "proxy.username"]),
        (
            volume,
            "resources = { limits = { memory = \"256MiB\" }, reservations = { memory = \"512MiB\" } }",
            vec!["(P16)"],
        ),
    ] {
        let said = Workspace::new(testbed, &registry.with(storage, more)).plan_fails();
        for word in words {
            assert!(said.contains(word), "{more}: {said}");
        }
    }
}

#[test]
fn no_storage_is_the_loudest_warning() {
    let registry = Registry::new("loud");
    let plan = Workspace::new(Testbed::shared(), &registry.with("", "")).plan();
    assert!(plan.text.contains("Warning") && plan.text.contains("/var/lib/registry"), "{}", plan.text);
}

#[test]
fn nodes_that_do_not_fit_warn_at_plan_and_refuse_at_apply() {
    let testbed = Testbed::shared();
    let registry = Registry::new("unfit");
    let more = "placement = { constraints = [\"node.labels.unfit==true\"] }";
    let workspace = Workspace::new(testbed, &registry.hcl(more));
    let plan = workspace.plan();
    assert!(
        plan.text.contains("Warning") && plan.text.contains("hubworker01 does not satisfy"),
        "{}",
        plan.text
    );
    let said = workspace.apply_fails();
    assert!(said.contains("hubworker01 does not satisfy"), "{said}");
    assert!(
        !testbed.try_docker(&["service", "inspect", &registry.name]).status.success(),
        "nothing was made"
    );
}

#[test]
fn start_first_with_a_host_mode_port_is_told_at_plan_and_refused_at_apply() {
    let registry = Registry::new("start-first");
    let workspace = Workspace::new(Testbed::shared(), &registry.hcl("update = { order = \"start-first\" }"));
    let plan = workspace.plan();
    assert!(plan.text.contains("The update could never go on"), "{}", plan.text);
    let said = workspace.apply_fails();
    assert!(said.contains("Error: The update could never go on") && said.contains("stop-first"), "{said}");
}

#[test]
fn what_the_engine_is_too_old_for_is_refused_at_plan() {
    // The shared swarm is of Engine 20.10, which speaks API 1.41 and would drop the fields without a word.
    let registry = Registry::new("too-old");
    for (more, version) in [
        ("healthcheck = { command = [\"CMD\", \"true\"], start_interval = \"1s\" }", "1.44"),
        ("mounts = [{ source = \"v\", target = \"/v\", volume = { subpath = \"a\" } }]", "1.45"),
    ] {
        let said = Workspace::new(Testbed::shared(), &registry.hcl(more)).plan_fails();
        assert!(said.contains(version) && said.contains("1.41"), "{said}");
    }
}

#[test]
fn what_only_the_swarm_knows_warns_at_plan_and_refuses_at_apply() {
    let testbed = Testbed::shared();
    let registry = Registry::new("live");
    let manager = "placement = { constraints = [\"node.role==manager\"] }";
    let nowhere = "storage = { filesystem = { bind = \"/no/such/folder\" } }";
    let volume = "storage = { filesystem = { volume = \"VOLUME\" } }";
    let worker = "placement = { constraints = [\"node.hostname==hubworker01\"] }";
    let crt = "tls = { certificate_secret = \"no-such-crt\", private_key_secret = \"no-such-key\" }\n  publish = []";
    for (storage, more, words) in [
        // P1: one host-mode port for each node.
        (
            volume,
            format!("replicas = 2\n  publish = [{{ port = 50443, mode = \"host\" }}]\n  {worker}"),
            vec!["(P1)", "50443"],
        ),
        // P11
        (
            volume,
            "replicas = 9\n  placement = { max_replicas_per_node = 1 }".to_owned(),
            vec!["(P11)", "9 replicas"],
        ),
        // S16: the provider talks to the one manager.
        (nowhere, manager.to_owned(), vec!["(S16)", "/no/such/folder"]),
        // T18
        (volume, format!("{crt}\n  {worker}"), vec!["(T18)", "no-such-crt"]),
        (volume, format!("secrets = [{{ source = \"no-such-secret\" }}]\n  {worker}"), vec!["(T18)"]),
    ] {
        let shared = storage.replace("volume = \"VOLUME\"", "volume = \"VOLUME\", shared = true");
        let workspace = Workspace::new(testbed, &registry.with(&shared, &more));
        let plan = workspace.plan();
        let said = workspace.apply_fails();
        for word in words {
            assert!(plan.text.contains("Warning") && plan.text.contains(word), "{more}: {}", plan.text);
            assert!(said.contains("Error") && said.contains(word), "{more}: {said}");
        }
    }
    assert!(
        !testbed.try_docker(&["service", "inspect", &registry.name]).status.success(),
        "nothing was made"
    );
    let own = format!("label=io.localhub.swarm.service={}", registry.name);
    assert_eq!(
        testbed.docker(&["secret", "ls", "--quiet", "--filter", &own]).trim(),
        "",
        "nor a secret for it"
    );
}

#[test]
fn a_port_of_another_service_warns_at_plan_and_refuses_at_apply() {
    let testbed = Testbed::shared();
    let (registry, other) = (Registry::new("taken"), unique("other"));
    let port = free_port();
    let ports = format!("published={port},target=80");
    let none = ["--quiet", "--detach", "--replicas", "0", "--no-resolve-image"];
    let named = ["--name", &other, "--publish", &ports, "registry:2"];
    testbed.docker(&[&["service", "create"][..], &none, &named].concat());
    let workspace = Workspace::new(testbed, &registry.hcl(&format!("publish = [{{ port = {port} }}]")));
    let (plan, said) = (workspace.plan(), workspace.apply_fails());
    testbed.docker(&["service", "rm", &other]);
    assert!(plan.text.contains("(P3)") && plan.text.contains(&other), "{}", plan.text);
    assert!(said.contains("Error: A port is taken (P3)") && said.contains(&other), "{said}");
}

#[test]
fn what_may_go_wrong_later_is_warned_of_at_plan() {
    let testbed = Testbed::shared();
    let registry = Registry::new("later");
    let volume = "storage = { filesystem = { volume = \"VOLUME\" } }";
    let shared = "storage = { filesystem = { volume = \"VOLUME\", shared = true } }";
    for (storage, more, code) in [
        // The images are on one of the nodes that satisfy the constraint.
        (volume, "replicas = 1\n  placement = { constraints = [\"node.platform.os==linux\"] }", "(S5)"),
        (shared, "replicas = 2\n  placement = { spread = [\"node.labels.no-such-label\"] }", "(P9)"),
        (volume, "placement = { constraints = [\"node.role==manager\"] }", "(P18)"),
    ] {
        let plan = Workspace::new(testbed, &registry.with(storage, more)).plan();
        assert!(plan.text.contains(code), "{more}: {}", plan.text);
    }
}
