//! Labels of nodes, nodes, and the swarm.

use super::{
    case::{Case, Expected, STAYS, TERRAFORM_S},
    objects::timeouts,
};

/// What a label is on: two hosts.
pub fn labels(prefix: &str, [one, two]: [&str; 2]) -> Vec<Case> {
    let r#type = "swarm_node_label";
    let label = |node: &str, key: &str, value: &str| {
        format!("  node = \"{node}\"\n  key = \"{prefix}-{key}\"\n  value = \"{value}\"")
    };
    let mut cases = vec![
        Case::new(r#type, "node", &label(one, "node", ""), &label(two, "node", ""), None)
            .replaces()
            .follows(&["node_id", "id"]),
        Case::new(r#type, "key", &label(one, "key-a", "1"), &label(one, "key-b", "1"), None).replaces(),
        Case::new(r#type, "value", &label(one, "value", "1"), &label(one, "value", ""), None),
    ];
    cases.extend(timeouts(r#type, prefix, |name| {
        format!("  node = \"{one}\"\n  key = \"{name}\"\n  value = \"1\"")
    }));
    cases
}

/// Nodes that are in the swarm already.
pub fn nodes(prefix: &str, [one, two, three]: [&str; 3]) -> Vec<Case> {
    let r#type = "swarm_node";
    let node = |host: &str, more: &str| format!("  node = \"{host}\"\n  {more}");
    let mut cases = vec![
        Case::new(
            r#type,
            "availability",
            &node(one, "availability = \"drain\""),
            &node(one, "availability = \"pause\""),
            Some(&node(one, "")),
        )
        .cleared(Expected::Nothing(STAYS)),
        Case::new(
            r#type,
            "role",
            &node(two, "role = \"manager\""),
            &node(two, "role = \"worker\""),
            Some(&node(two, "")),
        )
        .cleared(Expected::Nothing(STAYS)),
    ];
    cases.extend(timeouts(r#type, prefix, |_| node(three, "")));
    cases
}

/// Settings of a swarm, which are tried all at once, since a host has one swarm.
const SWARM: &[(&str, &str, &str)] = &[
    ("availability", "availability = \"pause\"", "availability = \"drain\""),
    ("labels", "labels = { a = \"1\" }", "labels = { b = \"2\" }"),
    ("task_history_retention_limit", "task_history_retention_limit = 2", "task_history_retention_limit = 3"),
    (
        "raft.snapshot_interval raft.keep_old_snapshots raft.log_entries_for_slow_followers raft.heartbeat_tick raft.election_tick",
        "raft = { snapshot_interval = 5000, keep_old_snapshots = 1, log_entries_for_slow_followers = 100, heartbeat_tick = 2, election_tick = 20 }",
        "raft = { snapshot_interval = 6000, keep_old_snapshots = 2, log_entries_for_slow_followers = 200, heartbeat_tick = 1, election_tick = 10 }",
    ),
    (
        "dispatcher.heartbeat_period",
        "dispatcher = { heartbeat_period = \"4s\" }",
        "dispatcher = { heartbeat_period = \"6s\" }",
    ),
    (
        "ca.node_cert_expiry ca.external_cas.url ca.external_cas.options",
        "ca = { node_cert_expiry = \"24h\", external_cas = [{ url = \"https://a.example.com/sign\", options = { a = \"1\" } }] }",
        "ca = { node_cert_expiry = \"48h\", external_cas = [{ url = \"https://b.example.com/sign\", options = { b = \"2\" } }] }",
    ),
    ("autolock", "autolock = true", "autolock = false"),
];

/// What is Terraform's alone: it is kept in the state, and is there to be changed.
const TRIGGERS: &[(&str, &str, &str)] = &[
    ("rotate_worker_token", "rotate_worker_token = \"a\"", "rotate_worker_token = \"b\""),
    ("rotate_manager_token", "rotate_manager_token = \"a\"", "rotate_manager_token = \"b\""),
    ("rotate_ca", "rotate_ca = \"a\"", "rotate_ca = \"b\""),
    ("force_destroy", "force_destroy = false", "force_destroy = true"),
    (
        "timeouts.create timeouts.update timeouts.delete",
        "timeouts = { create = \"6m\", update = \"6m\", delete = \"6m\" }",
        "timeouts = { create = \"7m\", update = \"7m\", delete = \"7m\" }",
    ),
];

fn together(settings: &[(&str, &str, &str)]) -> Case {
    let of = |pick: fn(&(&str, &str, &str)) -> String| {
        settings.iter().map(|setting| format!("  {}\n", pick(setting))).collect::<String>()
    };
    let address = "  advertise_addr = \"eth0\"\n";
    let first = format!("{address}{}", of(|setting| setting.1.to_owned()));
    let second = format!("{address}{}", of(|setting| setting.2.to_owned()));
    let paths = settings.iter().flat_map(|(paths, ..)| paths.split(' ')).map(str::to_owned).collect();
    Case { paths, ..Case::new("swarm_cluster", "", &first, &second, Some(address)) }
}

/// The swarm of a bare host, in one case after the other.
pub fn swarm() -> [Case; 2] {
    let follows = &["root_ca_certificate"];
    [together(SWARM), together(TRIGGERS).behind(Expected::Blank(TERRAFORM_S)).follows(follows)]
}
