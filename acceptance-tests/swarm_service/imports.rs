//! What is there already: imports, a taken name, a data source.

use super::*;

#[test]
fn an_import_plans_empty_and_generates_a_configuration_that_does() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("imported"), free_port());
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &name,
        "--replicas",
        "0",
        "--env",
        "B=2",
        "--env",
        "A=1",
        "--label",
        "l=1",
        "--container-label",
        "c=1",
        "--hostname",
        "h",
        "--workdir",
        "/tmp",
        "--user",
        "0:0",
        "--group",
        "1",
        "--init",
        "--read-only",
        "--tty",
        "--host",
        "db:10.0.0.1",
        "--dns",
        "1.1.1.1",
        "--dns-search",
        "a.b",
        "--dns-option",
        "ndots:3",
        "--stop-signal",
        "SIGINT",
        "--stop-grace-period",
        "3s",
        "--health-cmd",
        "true",
        "--health-interval",
        "3s",
        "--sysctl",
        "net.core.somaxconn=100",
        "--cap-add",
        "NET_ADMIN",
        "--cap-drop",
        "MKNOD",
        "--ulimit",
        "nofile=10:20",
        "--mount",
        "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777",
        "--mount",
        "type=bind,source=/tmp,target=/b,bind-propagation=rslave,readonly",
        "--mount",
        "type=volume,source=v,target=/v,volume-nocopy,volume-label=a=b,volume-opt=o=x",
        "--publish",
        &format!("published={port},target=80,mode=host"),
        "--endpoint-mode",
        "dnsrr",
        "--constraint",
        "node.role==worker",
        "--placement-pref",
        "spread=node.labels.zone",
        "--replicas-max-per-node",
        "2",
        "--limit-cpu",
        "0.5",
        "--limit-memory",
        "32M",
        "--limit-pids",
        "9",
        "--reserve-cpu",
        "0.1",
        "--reserve-memory",
        "8M",
        "--generic-resource",
        "SSD=1",
        "--restart-condition",
        "on-failure",
        "--restart-delay",
        "1s",
        "--restart-max-attempts",
        "3",
        "--update-parallelism",
        "2",
        "--update-order",
        "start-first",
        "--update-max-failure-ratio",
        "0.25",
        "--rollback-failure-action",
        "continue",
        "--log-driver",
        "json-file",
        "--log-opt",
        "max-size=1m",
        "--entrypoint",
        "sleep",
        "busybox:1",
        "600",
    ]);
    let before = spec(testbed, &name, "");
    let workspace =
        Workspace::new(testbed, &format!("import {{\n  to = swarm_service.it\n  id = \"{name}\"\n}}\n"));
    workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color", "-input=false"]);
    let applied = workspace.apply();
    assert!(applied.contains("1 imported, 0 added, 0 changed, 0 destroyed"), "{applied}");
    workspace.write("");
    workspace.plan_is_empty();
    assert_eq!(spec(testbed, &name, ""), before, "an import changes nothing");
    // An apply of one thing writes that one thing.
    let generated = workspace.path().join("generated.tf");
    let hcl = std::fs::read_to_string(&generated).unwrap().replace("\"2\"", "\"3\"");
    std::fs::write(&generated, hcl).unwrap();
    assert_eq!(workspace.plan().differing("swarm_service.it"), ["env"]);
    workspace.apply_and_settle();
    assert_eq!(spec(testbed, &name, ""), before.replace("B=2", "B=3"));
}

#[test]
fn a_taken_name_tells_how_to_import() {
    let testbed = Testbed::shared();
    let name = unique("taken");
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--replicas",
        "0",
        "--name",
        &name,
        "busybox:1",
    ]);
    let said = Workspace::new(testbed, &sleeper(&name, "")).apply_fails();
    testbed.docker(&["service", "rm", &name]);
    assert!(said.contains(&format!("terraform import ADDRESS {name}")), "{said}");
}

#[test]
fn a_data_source_tells_what_there_is() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("told"), free_port());
    let own = sleeper(
        &name,
        &format!(
            "replicas = 2\n  env = {{ A = \"1\" }}\n  publish = [{{ port = {port}, target = 80 }}, {{ target = 81 }}]"
        ),
    );
    let workspace = Workspace::new(
        testbed,
        &format!(
            "{own}\ndata \"swarm_service\" \"by_name\" {{\n  name = swarm_service.it.name\n  depends_on = [swarm_service.it]\n}}\ndata \"swarm_service\" \"by_id\" {{\n  id = swarm_service.it.id\n}}\n"
        ),
    );
    workspace.apply_and_settle();
    for address in ["data.swarm_service.by_name", "data.swarm_service.by_id"] {
        let told = workspace.state(address);
        assert_eq!(told["id"], workspace.state("swarm_service.it")["id"]);
        assert_eq!((&told["running_tasks"], &told["desired_tasks"]), (&2.into(), &2.into()));
        assert_eq!(told["spec"]["env"]["A"], "1");
        assert_eq!((&told["mode"], &told["replicas"]), (&"replicated".into(), &2.into()));
        let ports = told["ports"].as_array().unwrap();
        assert!(ports.iter().any(|own| own["port"] == port && own["target"] == 80), "{ports:?}");
        assert!(
            ports.iter().any(|own| own["port"].as_i64() >= Some(30000) && own["target"] == 81),
            "{ports:?}"
        );
        assert!(told["virtual_ips"][0]["address"].as_str().unwrap().contains('/'));
    }
    let missing =
        Workspace::new(testbed, "data \"swarm_service\" \"it\" {\n  name = \"no-such-service\"\n}\n")
            .plan_fails();
    assert!(missing.contains("There is no service `no-such-service`"), "{missing}");
}
