//! `swarm_network`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded, unique},
};
use serde_json::{Value, json};

fn network(name: &str, body: &str) -> String {
    format!("resource \"swarm_network\" \"it\" {{\n  name = \"{name}\"\n{body}\n}}\n")
}

fn inspect(testbed: &Testbed, name: &str) -> Value {
    let json = testbed.docker(&["network", "inspect", name, "--format", "{{json .}}"]);
    serde_json::from_str(&json).unwrap()
}

fn replace() -> Vec<(String, String)> {
    vec![("swarm_network.it".to_owned(), "delete+create".to_owned())]
}

/// Starts a service whose tasks are on a network and take their time to stop.
fn service_on(testbed: &Testbed, network: &str, seconds: u8) -> String {
    let service = unique("on");
    let command = format!("trap 'sleep {seconds}; exit' TERM; while :; do sleep 0.1; done");
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &service,
        "--network",
        network,
        "--stop-grace-period",
        "30s",
        "busybox:1",
        "sh",
        "-c",
        &command,
    ]);
    eventually("its task runs", || {
        let state = testbed.docker(&["service", "ps", &service, "--format", "{{.CurrentState}}"]);
        state.starts_with("Running").then_some(())
    });
    service
}

#[test]
fn without_options_docker_chooses_and_the_plan_is_empty() {
    let testbed = Testbed::shared();
    let name = unique("plain");
    let workspace = Workspace::new(testbed, &network(&name, ""));
    workspace.apply_and_settle();
    let (state, there) = (workspace.state("swarm_network.it"), inspect(testbed, &name));
    assert_eq!(state["id"], there["Id"]);
    assert_eq!((&state["scope"], &state["driver"]), (&json!("swarm"), &json!("overlay")));
    assert_eq!(state["ipam"]["config"][0]["subnet"], there["IPAM"]["Config"][0]["Subnet"]);
    assert_eq!(state["options"], json!({}), "what the driver adds is no difference");

    testbed.docker(&["network", "rm", &name]);
    assert_eq!(workspace.plan().changes(), [("swarm_network.it".to_owned(), "create".to_owned())]);
    workspace.apply_and_settle();
    workspace.destroy();
    assert!(!testbed.try_docker(&["network", "inspect", &name]).status.success());
}

#[test]
fn every_option_arrives_and_a_change_of_it_makes_a_new_network() {
    let testbed = Testbed::shared();
    let name = unique("full");
    let ipam = "ipam = { config = [{ subnet = \"10.201.0.0/16\", ip_range = \"10.201.1.0/24\", gateway = \"10.201.1.1\" }] }";
    let options = "options = { \"com.docker.network.driver.mtu\" = \"1400\", encrypted = \"\" }";
    let workspace = Workspace::new(testbed, &network(&name, &format!("{ipam}\n{options}")));
    workspace.apply_and_settle();
    let there = inspect(testbed, &name);
    assert_eq!(
        there["IPAM"]["Config"],
        json!([{"Subnet": "10.201.0.0/16", "IPRange": "10.201.1.0/24", "Gateway": "10.201.1.1"}])
    );
    assert_eq!(there["Options"]["com.docker.network.driver.mtu"], "1400");
    assert_eq!(there["Options"]["encrypted"], "");

    for (body, attribute, at, wanted) in [
        ("options = {}", "options", "/Options/encrypted", Value::Null),
        ("attachable = true", "attachable", "/Attachable", json!(true)),
        ("internal = true", "internal", "/Internal", json!(true)),
        ("labels = { a = \"1\" }", "labels", "/Labels/a", json!("1")),
        (
            "ipv6 = true\nipam = { config = [{ subnet = \"10.202.0.0/24\" }, { subnet = \"fd00:202::/64\" }] }",
            "ipv6",
            "/IPAM/Config/1/Subnet",
            json!("fd00:202::/64"),
        ),
    ] {
        workspace.write(&network(&name, body));
        let plan = workspace.plan();
        assert_eq!(plan.changes(), replace(), "{body}");
        assert!(plan.differing("swarm_network.it").contains(&attribute.to_owned()), "{body}");
        workspace.apply_and_settle();
        assert_eq!(inspect(testbed, &name).pointer(at).cloned().unwrap_or_default(), wanted, "{body}");
    }
}

#[test]
fn imports_plan_empty_by_name_by_id_and_as_generated() {
    let testbed = Testbed::shared();
    let name = unique("imported");
    let id = testbed.docker(&[
        "network",
        "create",
        "--driver",
        "overlay",
        "--attachable",
        "--label",
        "a=1",
        "--subnet",
        "10.203.0.0/24",
        &name,
    ]);
    for by in [&name, &id] {
        let workspace = Workspace::new(
            testbed,
            // What is left out, such as the label and the gateway, is no difference.
            &network(&name, "attachable = true\nipam = { config = [{ subnet = \"10.203.0.0/24\" }] }"),
        );
        workspace.run(&["import", "swarm_network.it", by]);
        workspace.plan_is_empty();
        workspace.run(&["state", "rm", "swarm_network.it"]);
    }
    let workspace =
        Workspace::new(testbed, &format!("import {{\n  to = swarm_network.it\n  id = \"{name}\"\n}}\n"));
    workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color"]);
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_network.it")["id"], id);
    let said = Workspace::new(testbed, &network("bridge", "")).try_run(&[
        "import",
        "-no-color",
        "swarm_network.it",
        "docker_gwbridge",
    ]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("one host"));
}

#[test]
fn a_taken_name_is_told_with_the_way_to_import() {
    let testbed = Testbed::shared();
    let name = unique("taken");
    let id = testbed.docker(&["network", "create", "--driver", "overlay", &name]);
    let said = Workspace::new(testbed, &network(&name, "")).apply_fails();
    testbed.docker(&["network", "rm", &name]);
    assert!(said.contains(&format!("terraform import ADDRESS {id}")), "{said}");
}

#[test]
fn a_network_in_use_stays_and_its_service_is_named() {
    let testbed = Testbed::shared();
    let name = unique("used");
    let workspace = Workspace::new(testbed, &network(&name, "timeouts = { delete = \"2s\" }"));
    workspace.apply_and_settle();
    let service = service_on(testbed, &name, 0);
    workspace.write("");
    let said = workspace.apply_fails();
    assert!(said.contains(&service) && said.contains("timeouts.delete"), "{said}");
    testbed.docker(&["service", "rm", &service]);
    eventually("the network goes with the tasks", || {
        workspace.try_run(&["apply", "-auto-approve", "-no-color"]).status.success().then_some(())
    });
}

#[test]
fn a_network_is_removed_after_the_tasks_of_its_service_have_stopped() {
    let testbed = Testbed::shared();
    let name = unique("stopping");
    let workspace = Workspace::new(testbed, &network(&name, ""));
    workspace.apply_and_settle();
    let service = service_on(testbed, &name, 5);
    let containers = || {
        let mut found = 0;
        for host in ["hubmgr", "hubworker01", "hubworker02"] {
            let listed = std::process::Command::new("docker")
                .args(["-H", &format!("unix://{}", testbed.socket(host).display())])
                .args([
                    "ps",
                    "--quiet",
                    "--filter",
                    &format!("label=com.docker.swarm.service.name={service}"),
                ])
                .output()
                .unwrap();
            found += succeeded("docker ps", &listed).lines().count();
        }
        found
    };
    assert_eq!(containers(), 1);
    // The service is gone at once, its task stops for some seconds more.
    testbed.docker(&["service", "rm", &service]);
    let destroy = workspace.spawn(&["destroy", "-auto-approve", "-no-color"]);
    let output = destroy.wait_with_output().unwrap();
    succeeded("terraform destroy", &output);
    assert_eq!(containers(), 0, "the network went before the task");
    assert!(!testbed.try_docker(&["network", "inspect", &name]).status.success());
}

#[test]
fn settings_of_one_host_make_a_network_of_the_swarm() {
    let testbed = Testbed::shared();
    let name = unique("lan");
    let hcl = format!(
        r#"
resource "swarm_network" "it" {{
  name        = "{name}"
  driver      = "macvlan"
  config_from = swarm_network.settings.name
}}

resource "swarm_network" "settings" {{
  name        = "{name}-settings"
  config_only = true
  engine  = {{ host = "unix://{}" }}
  ipam        = {{ config = [{{ subnet = "192.168.201.0/24", aux_addresses = {{ router = "192.168.201.2" }} }}] }}
}}
"#,
        testbed.socket("hubworker01").display()
    );
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_network.settings")["scope"], "local");
    assert_eq!(inspect(testbed, &name)["ConfigFrom"]["Network"], format!("{name}-settings"));
    assert!(!testbed.try_docker(&["network", "inspect", &format!("{name}-settings")]).status.success());
}

#[test]
fn what_cannot_be_a_network_is_refused_at_plan() {
    let testbed = Testbed::shared();
    let subnet = |more: &str| format!("ipam = {{ config = [{{ subnet = \"10.204.0.0/24\", {more} }}] }}");
    for (body, words) in [
        ("attachable = true\ningress = true".to_owned(), "Ingress and attachable"),
        ("ipam = { config = [{ subnet = \"10.204.0.7/24\" }] }".to_owned(), "host bits"),
        (subnet("gateway = \"10.205.0.1\""), "The gateway is not in the subnet"),
        (subnet("ip_range = \"10.0.0.0/8\""), "The range is not in the subnet"),
        (subnet("aux_addresses = { a = \"10.204.0.9\" }"), "have no effect"),
        ("config_only = true\nattachable = true".to_owned(), "cannot be `attachable`"),
        ("ipv4 = false".to_owned(), "whatever it is asked for"),
        ("ipv4 = false\nconfig_only = true".to_owned(), "needs Engine API 1.48"),
    ] {
        let said = Workspace::new(testbed, &network(&unique("bad"), &body)).plan_fails();
        assert!(said.contains(words), "{body}: {said}");
    }
    let said = Workspace::new(testbed, &network("a.b", "")).plan_fails();
    assert!(said.contains("`name`") && said.contains("63 characters"), "{said}");
}

#[test]
fn a_data_source_finds_the_network_of_published_ports() {
    let testbed = Testbed::shared();
    let workspace = Workspace::new(testbed, "data \"swarm_network\" \"it\" {\n  name = \"ingress\"\n}\n");
    workspace.apply_and_settle();
    let (found, there) = (workspace.state("data.swarm_network.it"), inspect(testbed, "ingress"));
    assert_eq!((&found["id"], &found["ingress"]), (&there["Id"], &json!(true)));
    assert_eq!(found["ipam"]["config"][0]["subnet"], there["IPAM"]["Config"][0]["Subnet"]);
}
