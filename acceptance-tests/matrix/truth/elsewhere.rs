//! Attributes that take more than a Terraform run, and which acceptance test shows them instead.

/// The type, its paths, and why there is no case.
const ELSEWHERE: &[(&str, &[&str], &str)] = &[
    ("*", &["engine."], "it is a way to an Engine: `ssh`, `connections`"),
    (
        "swarm_node",
        &[
            "node",
            "cluster",
            "advertise_addr",
            "listen_addr",
            "data_path_addr",
            "remote_addrs",
            "join_token_wo",
        ],
        "a host joins by it: `swarm_node`",
    ),
    (
        "swarm_cluster",
        &[
            "advertise_addr",
            "listen_addr",
            "data_path_addr",
            "data_path_port",
            "default_addr_pool",
            "subnet_size",
            "force_new_cluster",
            "ca.signing_ca_cert",
            "ca.signing_ca_key_wo",
            "ca.external_cas.protocol",
            "ca.external_cas.ca_cert",
            "rotate_unlock_key",
        ],
        "a swarm is made or locked by it: `swarm_cluster`",
    ),
    ("swarm_secret", &["driver."], "it takes a plugin in the Engine"),
    ("swarm_volume", &["driver"], "it takes a plugin in the Engine"),
    ("swarm_network", &["ingress"], "a swarm has one such network"),
    ("swarm_network", &["ipv4"], "no network of the swarm is without"),
    ("swarm_network", &["ipv6"], "not every Engine has it: `swarm_network`"),
    ("swarm_network", &["ipam.driver"], "it takes a plugin in the Engine"),
    (
        "swarm_registry_garbage_collection",
        &[
            "service",
            "dry_run",
            "delete_untagged",
            "force_delete_untagged",
            "redis.",
            "triggers",
            "timeouts.",
        ],
        "it rolls a registry out twice: `garbage_collection`",
    ),
    ("swarm_registry_trust", &["mount"], "it takes other folders on the nodes: `swarm_registry_trust`"),
    ("registry_service", &["wait_for."], "it takes tasks that serve: `registry_service`"),
    ("registry_service", &["discard_images"], "it is a word of the user's: `docker_service_create`"),
    ("swarm_registry_retention", &["registry.url"], "it is a way to a registry: `retention`"),
    ("swarm_registry_image", &["source.registry."], "it is a way to a registry: `swarm_registry_image`"),
];

/// Why an attribute has no case. A path that ends in a dot stands for all that is in there.
pub fn elsewhere(r#type: &str, path: &str) -> Option<&'static str> {
    let is_it = |named: &&str| *named == path || named.ends_with('.') && path.starts_with(named);
    let fits =
        |(of, paths, _): &&(&str, &[&str], &str)| (*of == "*" || *of == r#type) && paths.iter().any(is_it);
    ELSEWHERE.iter().find(fits).map(|(.., why)| *why)
}
