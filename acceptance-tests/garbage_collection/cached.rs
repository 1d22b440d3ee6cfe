//! A registry that keeps what it knows of blobs in redis forgets what was collected.

use super::{
    clients::{garbage, status},
    nothing_is_left, spec, version,
};
use crate::{
    actions,
    registry_service::free_port,
    testbed::{Testbed, eventually, unique},
};
use std::thread;

/// A registry on `hubworker01` that keeps what it knows of blobs in a redis with a password, both made by hand.
struct Cached<'a> {
    testbed: &'a Testbed,
    name: String,
    redis: String,
    registry: String,
}

const PASSWORD: &str = "p: #$ \"quoted\"";

impl<'a> Cached<'a> {
    fn start(testbed: &'a Testbed) -> Self {
        let (name, port) = (unique("cached"), free_port());
        let redis = format!("{name}-redis");
        testbed.docker(&["network", "create", "--driver", "overlay", &name]);
        // The program of this machine, which is every host's, with its libraries.
        let mounts = ["/usr", "/lib", "/lib64"]
            .map(|path| format!("--mount=type=bind,source={path},target={path},readonly"));
        let create = ["service", "create", "--quiet", "--detach", "--no-resolve-image", "--network", &name];
        let place = ["--endpoint-mode", "dnsrr", "--constraint", "node.hostname==hubworker01"];
        let server = ["busybox:1", "/usr/bin/redis-server", "--save", "", "--requirepass", PASSWORD];
        let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
        testbed.docker(&[&create[..], &place, &["--name", &redis], &mounts, &server].concat());
        let env = [
            "--env=REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=redis".to_owned(),
            format!("--env=REGISTRY_REDIS_ADDR={redis}:6379"),
            format!("--env=REGISTRY_REDIS_PASSWORD='{PASSWORD}'"),
            "--env=REGISTRY_STORAGE_DELETE_ENABLED=true".to_owned(),
            format!("--mount=type=volume,source={name},target=/var/lib/registry"),
            format!("--publish=mode=host,published={port},target=5000"),
        ];
        let env: Vec<&str> = env.iter().map(String::as_str).collect();
        testbed.docker(&[&create[..], &place, &["--name", &name], &env, &["registry:2"]].concat());
        let registry = format!("{}:{port}", testbed.address("hubworker01"));
        let cached = Cached { testbed, name, redis, registry };
        eventually("an answer of the registry", || {
            (status("GET", &format!("http://{}/v2/", cached.registry)) == "200").then_some(())
        });
        eventually("an answer of redis", || cached.try_redis("PING").filter(|answer| answer == "PONG"));
        cached
    }

    fn try_redis(&self, command: &str) -> Option<String> {
        let filter = format!("name={}.", self.redis);
        let container = self.testbed.docker_on("hubworker01", &["ps", "--quiet", "--filter", &filter]);
        let asked =
            ["exec", container.as_str(), "/usr/bin/redis-cli", "--no-auth-warning", "-a", PASSWORD, command];
        let output = self.testbed.try_docker_on("hubworker01", &asked);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Cached<'_> {
    fn drop(&mut self) {
        self.testbed.try_docker(&["service", "rm", &self.name, &self.redis]);
        if !thread::panicking() {
            eventually("the network to be free", || {
                self.testbed.try_docker(&["network", "rm", &self.name]).status.success().then_some(())
            });
        }
    }
}

#[test]
fn redis_forgets_what_was_collected() {
    let testbed = Testbed::shared();
    let cached = Cached::start(testbed);
    let gone = garbage(&cached.registry, "deleted");
    let keys = || cached.try_redis("DBSIZE").unwrap().parse::<u32>().unwrap();
    assert!(keys() > 0, "the cache is in use");
    let before = (spec(testbed, &cached.name), version(testbed, &cached.name));
    let hcl = |redis: &str| {
        format!(
            "action \"swarm_registry_garbage_collection\" \"it\" {{\n  config {{\n    service = \"{}\"\n{redis}  }}\n}}\n",
            cached.name
        )
    };
    let redis = |password: &str| {
        let password = password.replace('"', "\\\"");
        format!(
            "    redis = {{\n      address = \"{}:6379\"\n      password_wo = \"{password}\"\n    }}\n",
            cached.redis
        )
    };
    let (_folder, workspace) = actions::workspace(testbed, &hcl(""));
    let invocation =
        ["apply", "-auto-approve", "-no-color", "-invoke=action.swarm_registry_garbage_collection.it"];
    for (redis, words) in [
        (String::new(), "keeps in redis what it knows of blobs"),
        (redis("wrong"), "did not do PING: -WRONGPASS"),
    ] {
        workspace.write(&hcl(&redis));
        let output = workspace.try_run(&invocation);
        let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && said.contains(words), "{said}");
        assert_eq!(version(testbed, &cached.name), before.1, "the service was never touched");
        nothing_is_left(testbed, &cached.name);
    }
    assert!(keys() > 0);

    workspace.write(&hcl(&redis(PASSWORD)));
    let said = actions::invoke(&workspace, "swarm_registry_garbage_collection.it");
    assert!(said.contains("redis is flushed") && !said.contains(PASSWORD), "{said}");
    assert_eq!(keys(), 0, "redis knows of nothing");
    eventually("a registry that says so", || (status("HEAD", &gone) == "404").then_some(()));
    assert_eq!(spec(testbed, &cached.name), before.0, "the service is what it was");
    nothing_is_left(testbed, &cached.name);
}
