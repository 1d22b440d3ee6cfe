//! `moved`: a service of the provider kreuzwerker/docker is taken over as it is.

use crate::{
    moved::stand_in_for_kreuzwerker,
    terraform::Workspace,
    testbed::{Testbed, root, unique},
};

/// What the configuration of `docker_service` says, in this provider's terms.
const MOVED: &str = r#"
resource "swarm_service" "web" {
  name     = "NAME"
  image    = "busybox:1"
  replicas = 0
  labels   = { team = "web" }

  command           = ["sleep"]
  args              = ["600"]
  env               = { A = "1" }
  hostname          = "web"
  dir               = "/tmp"
  user              = "0"
  read_only         = true
  cap_add           = ["NET_ADMIN"]
  stop_signal       = "SIGINT"
  stop_grace_period = "3s"

  hosts       = { db = ["10.0.0.5"] }
  dns         = { nameservers = ["1.1.1.1"], search = ["a.b"] }
  healthcheck = { command = ["CMD", "true"], interval = "5s", timeout = "2s", retries = 2 }
  secrets     = [{ source = "NAME", target = "password", mode = "0400" }]
  mounts      = [{ source = "data", target = "/data" }]
  networks    = [{ network = "NETWORK_ID", aliases = ["web"] }]
  publish     = [{ port = 8080, target = 80, mode = "host" }]
  placement   = { constraints = ["node.role==worker"] }
  resources   = { limits = { cpus = 0.5, memory = "32MiB" } }
  restart     = { condition = "on-failure", delay = "3s", max_attempts = 4, window = "10s" }
  logging     = { driver = "json-file", options = { max-size = "1m" } }
  update      = { order = "start-first", parallelism = 2, delay = "1s", monitor = "2s", max_failure_ratio = 0.1 }
}

moved {
  from = docker_service.web
  to   = swarm_service.web
}
"#;

#[test]
fn a_state_of_docker_service_is_taken_over_and_plans_empty() {
    let testbed = Testbed::shared();
    let name = unique("moved");
    let secret = testbed.docker(&["secret", "create", &name, "/etc/hostname"]);
    let network = testbed.docker(&["network", "create", "--driver", "overlay", &name]);
    let id = testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &name,
        "--replicas",
        "0",
        "--label",
        "team=web",
        "--env",
        "A=1",
        "--hostname",
        "web",
        "--workdir",
        "/tmp",
        "--user",
        "0",
        "--read-only",
        "--cap-add",
        "NET_ADMIN",
        "--stop-signal",
        "SIGINT",
        "--stop-grace-period",
        "3s",
        "--host",
        "db:10.0.0.5",
        "--dns",
        "1.1.1.1",
        "--dns-search",
        "a.b",
        "--health-cmd",
        "true",
        "--secret",
        &format!("source={name},target=password,mode=0400"),
        "--mount",
        "type=volume,source=data,target=/data",
        "--network",
        &format!("name={name},alias=web"),
        "--publish",
        "published=8080,target=80,mode=host",
        "--constraint",
        "node.role==worker",
        "--limit-cpu",
        "0.5",
        "--limit-memory",
        "32M",
        "--restart-condition",
        "on-failure",
        "--restart-delay",
        "3s",
        "--restart-max-attempts",
        "4",
        "--restart-window",
        "10s",
        "--log-driver",
        "json-file",
        "--log-opt",
        "max-size=1m",
        "--update-order",
        "start-first",
        "--update-parallelism",
        "2",
        "--update-delay",
        "1s",
        "--update-monitor",
        "2s",
        "--update-max-failure-ratio",
        "0.1",
        "--health-interval",
        "5s",
        "--health-timeout",
        "2s",
        "--health-retries",
        "2",
        "--entrypoint",
        "sleep",
        "busybox:1",
        "600",
    ]);
    let words = [("SERVICE_ID", &id), ("SECRET_ID", &secret), ("NETWORK_ID", &network), ("NAME", &name)];
    let filled =
        |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    // The command's form of a check is that of a shell.
    let hcl = filled(MOVED).replace("[\"CMD\", \"true\"]", "[\"CMD-SHELL\", \"true\"]");
    let workspace = Workspace::new(testbed, &hcl);
    stand_in_for_kreuzwerker(&workspace);
    let state = std::fs::read_to_string(root().join("acceptance-tests/moved/docker_service.json")).unwrap();
    let state = filled(&state).replace("[\"CMD\", \"true\"]", "[\"CMD-SHELL\", \"true\"]");
    std::fs::write(workspace.path().join("terraform.tfstate"), state).unwrap();

    let spec = || testbed.docker(&["service", "inspect", &name, "--format", "{{json .Spec}}"]);
    let before = spec();
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [], "{}", plan.text);
    assert!(plan.text.contains("has moved to"), "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_service.web")["id"], *id);
    assert_eq!(spec(), before);
    workspace.destroy();
    testbed.docker(&["secret", "rm", &name]);
    testbed.docker(&["network", "rm", &name]);
}
