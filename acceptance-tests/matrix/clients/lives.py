"""What is made, changed, read and validated. NAME stands for a name that nothing else has."""

# Each resource type that costs little: two configurations, what it is imported by, and which attributes replace it.
LIVES = {
    "swarm_node_label": {
        "first": {"node": "hubworker01", "key": "NAME", "value": "a"},
        "second": {"node": "hubworker01", "key": "NAME", "value": "b"},
        "id": "hubworker01/NAME",
        "replaced": [],
    },
    "swarm_secret": {
        "first": {"name": "NAME", "data": "x", "labels": {"a": "1"}},
        "second": {"name": "NAME", "data": "x", "labels": {"a": "2", "b": ""}},
        "id": "NAME",
        "replaced": [],
    },
    "swarm_config": {
        "first": {"name": "NAME", "data": "one"},
        "second": {"name": "NAME", "data": "two"},
        "id": "NAME",
        "replaced": [],
    },
    "swarm_network": {
        "first": {"name": "NAME", "options": {"com.docker.network.driver.mtu": "1400"}},
        "second": {"name": "NAME", "options": {"com.docker.network.driver.mtu": "1300"}},
        "id": "NAME",
        "replaced": ["options"],
    },
    "swarm_volume": {
        "first": {"name": "NAME", "labels": {"a": "1"}},
        "second": {"name": "NAME", "labels": {"a": "1"}, "keep_on_destroy": False},
        "id": "NAME",
        "replaced": [],
    },
    "swarm_service": {
        "first": {"name": "NAME", "image": "busybox:1", "replicas": 0, "env": {"A": "1"}},
        "second": {
            "name": "NAME",
            "image": "busybox:1",
            "replicas": 0,
            "env": {"A": "2", "B": "x=y"},
            "publish": [{"target": 8080}, {"target": 53, "protocol": "udp"}],
            "resources": {"limits": {"cpus": 0.5, "memory": "64MiB"}},
            "ulimits": {"nofile": {"soft": 10, "hard": 20}},
        },
        "id": "NAME",
        "replaced": [],
    },
    "registry_service": {
        "first": {
            "name": "NAME-hub",
            "image": "registry:2",
            "replicas": 0,
            "wait_for": {"replicas": False},
            "storage": {"filesystem": {"volume": "NAME-hub"}},
        },
        "second": {
            "name": "NAME-hub",
            "image": "registry:2",
            "replicas": 0,
            "wait_for": {"replicas": False},
            "storage": {"filesystem": {"volume": "NAME-hub"}, "delete": True},
            "notifications": {"hook": {"url": "http://127.0.0.1:9/", "timeout": "1s"}},
        },
        "id": "NAME-hub",
        "replaced": [],
    },
}

# The types that `ListResource` finds in the middle of such a life.
LISTED = tuple(LIVES)

# The data sources that find something in each swarm of a testbed.
DATA = {
    "swarm_cluster": {},
    "swarm_network": {"name": "ingress"},
    "swarm_node": {"node": "hubworker01"},
    "swarm_nodes": {"role": "worker"},
}

REGISTRY = {"url": "http://127.0.0.1:5000"}
CA = """-----BEGIN CERTIFICATE-----
MIIBoDCCAUegAwIBAgIUYXriJTcYwG4YNfiWBewKMEzcuUUwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSQW4gZXhhbXBsZSBvZiBhIENBMCAXDTI2MTEyNTIxMjYwNloY
DzIxMjYxMTAxMjEyNjA2WjAdMRswGQYDVQQDDBJBbiBleGFtcGxlIG9mIGEgQ0Ew
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQnwXdgBaAbajV4LhFSi+VOqq2XpEcf
6es99IYh5v0KlX1IBjoNTpgDQqEhqOYLSTpKuCdAvHL9xoxZhKGU232Co2MwYTAd
BgNVHQ4EFgQUkQ2B4VXYWz4kHZDi4zULXcV5HNgwHwYDVR0jBBgwFoAUkQ2B4VXY
Wz4kHZDi4zULXcV5HNgwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQw
CgYIKoZIzj0EAwIDRwAwRAIgf/DHB9K27X4jCDqhKd8nqE6xDoyj5LwQxBUpPgiJ
nXkCIC8XC7/3boyOPHpXLHWsQ5Nv2yQC/lLby9efKXCnN1d0
-----END CERTIFICATE-----
"""

# A configuration of everything else.
VALIDATED = {
    "resource": {
        "swarm_cluster": {"subnet_size": 24},
        "swarm_node": {"node": "hubworker01", "availability": "drain"},
        "swarm_registry_service": LIVES["registry_service"]["first"],
        "swarm_registry_image": {
            "registry": REGISTRY,
            "repository": "team/shop",
            "tags": ["1.4"],
            "platforms": ["linux/amd64"],
            "source": {"image": "docker.io/library/alpine:3.20"},
        },
        "swarm_registry_retention": {"registry": REGISTRY, "repositories": ["team/**"], "keep_last": 10},
        "swarm_registry_garbage_collection": {"service": "hub", "triggers": {"date": "today"}},
        "swarm_registry_trust": {"host": "hub.docker.local:5000", "ca": CA},
    },
    "data": {
        "swarm_config": {"name": "motd"},
        "swarm_secret": {"name": "certificate"},
        "swarm_service": {"name": "web"},
        "swarm_volume": {"name": "data"},
        "swarm_registry_catalog": {"registry": REGISTRY},
        "swarm_registry_endpoint": {"registry": REGISTRY, "wait": "30s"},
        "swarm_registry_manifest": {"registry": REGISTRY, "repository": "team/shop"},
        "swarm_registry_tags": {"registry": REGISTRY, "repository": "team/shop", "order": "version"},
    },
    "ephemeral": {},
    "list": {"swarm_secret": {"name": "web-", "labels": {"team": "shop"}}},
    "action": {
        "swarm_cluster_rotate": {"worker_token": True},
        "swarm_registry_garbage_collection": {"service": "hub", "dry_run": True},
        "swarm_service_redeploy": {"service": "web"},
    },
}
