//! `swarm_node`: what it promises. Each test has bare hosts of its own.

mod departure;

use crate::{
    faults::interrupted,
    swarm_cluster::state_of,
    terraform::Workspace,
    testbed::{Testbed, eventually},
};

const CLUSTER: &str = "resource \"swarm_cluster\" \"it\" {\n  advertise_addr = \"eth0\"\n}\n";

/// A host that joins.
fn node(testbed: &Testbed, host: &str, settings: &str) -> String {
    format!(
        "resource \"swarm_node\" \"{host}\" {{\n  cluster = swarm_cluster.it.id\n  engine = {{ host = \"unix://{}\" }}\n  {settings}\n}}\n",
        testbed.socket(host).display()
    )
}

fn manager(testbed: &Testbed, host: &str) -> String {
    node(testbed, host, "role = \"manager\"")
}

/// Host name, role, availability and state of each node, in order.
fn nodes(testbed: &Testbed, on: &str) -> Vec<String> {
    let ids = testbed.docker_on(on, &["node", "ls", "--quiet"]);
    let format = "{{.Description.Hostname}} {{.Spec.Role}} {{.Spec.Availability}} {{.Status.State}}";
    let mut args = vec!["node", "inspect", "--format", format];
    args.extend(ids.lines());
    let mut lines: Vec<String> = testbed.docker_on(on, &args).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn change(host: &str, action: &str) -> Vec<(String, String)> {
    vec![(format!("swarm_node.{host}"), action.to_owned())]
}

#[test]
fn a_host_joins_changes_is_imported_and_leaves() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{}", node(&testbed, "two", "")));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready", "two worker active ready"]);
    let state = workspace.state("swarm_node.two");
    assert_eq!((&state["hostname"], &state["address"]), (&"two".into(), &testbed.address("two").into()));

    for (settings, differing, now) in [
        ("availability = \"pause\"", "availability", "two worker pause ready"),
        ("availability = \"drain\"", "availability", "two worker drain ready"),
        ("availability = \"active\"\n  role = \"manager\"", "role", "two manager active ready"),
        ("", "role", "two worker active ready"),
    ] {
        workspace.write(&format!("{CLUSTER}{}", node(&testbed, "two", settings)));
        let plan = workspace.plan();
        assert_eq!(plan.changes(), change("two", "update"), "{}", plan.text);
        assert!(plan.differing("swarm_node.two").contains(&differing.to_owned()), "{}", plan.text);
        workspace.apply_and_settle();
        assert_eq!(nodes(&testbed, "one")[1], now);
        assert_eq!(workspace.state("swarm_node.two")["id"], state["id"]);
    }

    // What others change shows.
    testbed.docker(&["node", "update", "--availability", "drain", "two"]);
    let plan = workspace.plan();
    assert_eq!(plan.differing("swarm_node.two"), ["availability"], "{}", plan.text);
    workspace.apply_and_settle();

    // Without a connection it is a node that is in; destroying that leaves it in.
    workspace.run(&["state", "rm", "swarm_node.two"]);
    let named = format!("{CLUSTER}resource \"swarm_node\" \"two\" {{\n  node = \"two\"\n}}\n");
    workspace.write(&named);
    for id in ["two", state["id"].as_str().unwrap()] {
        workspace.run(&["import", "swarm_node.two", id]);
        if id == "two" {
            workspace.plan_is_empty();
        }
        workspace.run(&["state", "rm", "swarm_node.two"]);
    }
    workspace.apply_and_settle();
    workspace.write(CLUSTER);
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one")[1], "two worker active ready");

    // A host that is in is adopted, and leaves when it is destroyed.
    workspace.write(&format!("{CLUSTER}{}", node(&testbed, "two", "")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_node.two")["id"], state["id"]);
    workspace.destroy();
    assert_eq!(
        (state_of(&testbed, "one"), state_of(&testbed, "two")),
        ("inactive".into(), "inactive".into())
    );
}

#[test]
fn five_bare_hosts_become_a_swarm_shrink_and_are_bare_again_in_one_apply_each() {
    let hosts = ["one", "two", "three", "four", "five"];
    let testbed = Testbed::start(&["--no-swarm"], &hosts);
    let service = format!(
        r#"
resource "swarm_node_label" "five" {{
  node  = swarm_node.five.hostname
  key   = "of"
  value = "the-same-apply"
}}

resource "swarm_secret" "it" {{
  name       = "of-the-same-apply"
  data_wo    = "x"
  depends_on = [swarm_cluster.it]
}}

resource "registry_service" "it" {{
  provider   = swarm
  name       = "registry"
  image      = "registry:2"
  mode       = "global"
  storage    = {{ filesystem = {{ bind = "/mnt/shared", shared = true }} }}
  publish    = [{{ port = 5000, mode = "host" }}]
  wait_for   = {{ url = "http://{}:5000/v2/" }}
  depends_on = [swarm_node.two, swarm_node.five]
}}

resource "swarm_service" "kept" {{
  name       = "kept"
  image      = "busybox:1"
  args       = ["sleep", "100000"]
  replicas   = 4
  depends_on = [swarm_node.two, swarm_node.five]
}}
"#,
        testbed.address("one")
    );
    let all = [CLUSTER.to_owned(), manager(&testbed, "two"), manager(&testbed, "three")].concat();
    let workers = [node(&testbed, "four", ""), node(&testbed, "five", "")].concat();
    let workspace = Workspace::new(&testbed, &format!("{all}{workers}{service}"));
    let plan = workspace.plan();
    assert!(
        !plan.text.contains("swarm init") && !plan.text.contains("Cannot"),
        "nothing is missed yet: {}",
        plan.text
    );
    workspace.apply_and_settle();
    assert_eq!(
        nodes(&testbed, "one"),
        [
            "five worker active ready",
            "four worker active ready",
            "one manager active ready",
            "three manager active ready",
            "two manager active ready"
        ]
    );

    // Tasks that run where a host is taken out run elsewhere afterwards.
    let running = || {
        let tasks = testbed.docker(&[
            "service",
            "ps",
            "kept",
            "--filter",
            "desired-state=running",
            "--format",
            "{{.CurrentState}}",
        ]);
        tasks.lines().filter(|line| line.starts_with("Running")).count()
    };
    eventually("the service runs", || (running() == 4).then_some(()));
    let fewer = format!("{CLUSTER}{}{}{service}", manager(&testbed, "two"), node(&testbed, "five", ""));
    workspace.write(&fewer);
    let mut gone = workspace.plan().changes();
    gone.sort();
    assert_eq!(gone, [change("four", "delete"), change("three", "delete")].concat());
    workspace.apply_and_settle();
    assert_eq!(
        nodes(&testbed, "one"),
        ["five worker active ready", "one manager active ready", "two manager active ready"]
    );
    for host in ["three", "four"] {
        assert_eq!(state_of(&testbed, host), "inactive");
    }
    eventually("no task is lost", || (running() == 4).then_some(()));

    workspace.destroy();
    for host in hosts {
        assert_eq!(state_of(&testbed, host), "inactive", "{host}");
    }
}

#[test]
fn what_keeps_a_host_from_joining_is_said_in_words() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    testbed.docker_on("three", &["swarm", "init", "--advertise-addr", "eth0"]);
    let other = testbed.docker_on("three", &["swarm", "join-token", "--quiet", "worker"]);
    let mut workspace = Workspace::new(&testbed, CLUSTER);
    workspace.set("TF_VAR_token", &other);
    workspace.apply_and_settle();
    let joins = |settings: &str| {
        workspace.write(&format!("{CLUSTER}{}", node(&testbed, "two", settings)));
        let said = workspace.apply_fails();
        assert_eq!(state_of(&testbed, "two"), "inactive", "{said}");
        assert_eq!(nodes(&testbed, "one").len(), 1, "{said}");
        said
    };
    let said = joins("join_token_wo = var.token\n}\nvariable \"token\" {\n  sensitive = true");
    assert!(said.contains("The token is that of another swarm") && !said.contains(&other), "{said}");
    let said = joins("join_token_wo = \"SWMTKN-nonsense\"");
    assert!(said.contains("not, or no longer, one of this swarm"), "{said}");
    let said = joins("remote_addrs = [\"203.0.113.1:2377\"]");
    assert!(said.contains("must reach a manager at 203.0.113.1:2377"), "{said}");

    // A host of another swarm: told at plan, with which.
    workspace.write(&format!("{CLUSTER}{}", node(&testbed, "three", "")));
    let said = workspace.plan_fails();
    let id = testbed.docker_on("three", &["info", "--format", "{{.Swarm.Cluster.ID}}"]);
    assert!(said.contains("The host is in another swarm") && said.contains(&id), "{said}");
    testbed.docker_on("three", &["swarm", "leave", "--force"]);

    // A host that is not there, and a node that is not.
    workspace.write(&format!(
        "{CLUSTER}resource \"swarm_node\" \"it\" {{\n  cluster = swarm_cluster.it.id\n  engine = {{ host = \"tcp://127.0.0.1:1\" }}\n}}\n"
    ));
    let said = workspace.apply_fails();
    assert!(said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");
    workspace.write(&format!("{CLUSTER}resource \"swarm_node\" \"it\" {{\n  node = \"nobody\"\n}}\n"));
    let said = workspace.apply_fails();
    assert!(said.contains("nobody") && said.contains("(one, manager, ready)"), "{said}");
    workspace.write(&format!("{CLUSTER}resource \"swarm_node\" \"it\" {{\n}}\n"));
    assert!(workspace.plan_fails().contains("Which node is it?"));
    workspace.write(CLUSTER);
}

#[test]
fn a_restarted_manager_of_a_locked_swarm_is_unlocked() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    let locked = "resource \"swarm_cluster\" \"it\" {\n  advertise_addr = \"eth0\"\n  autolock = true\n}\n";
    let hcl = format!("{locked}{}{}", manager(&testbed, "two"), manager(&testbed, "three"));
    let workspace = Workspace::new(&testbed, &hcl);
    workspace.apply_and_settle();
    testbed.run("stop", &["two"]);
    testbed.run("start", &["two"]);
    assert_eq!(state_of(&testbed, "two"), "locked");
    let plan = workspace.plan();
    assert_eq!(plan.changes(), change("two", "update"), "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(state_of(&testbed, "two"), "active");
    workspace.destroy();
}

#[test]
fn the_same_on_a_new_engine() {
    let testbed = Testbed::start(&["--no-swarm", "--engine", "28.5"], &["one", "two", "three"]);
    let cluster = "resource \"swarm_cluster\" \"it\" {\n  advertise_addr = \"eth0\"\n  autolock = true\n  labels = { a = \"b\" }\n  ca = { node_cert_expiry = \"24h\" }\n}\n";
    let two = manager(&testbed, "two");
    let workspace = Workspace::new(&testbed, &format!("{cluster}{two}{}", node(&testbed, "three", "")));
    workspace.apply_and_settle();
    workspace.write(&format!(
        "{}{two}",
        cluster.replace("{ a = \"b\" }", "{}").replace("autolock = true", "rotate_ca = 1")
    ));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready", "two manager active ready"]);
    assert_eq!(state_of(&testbed, "three"), "inactive");
    workspace.destroy();
    assert_eq!(
        (state_of(&testbed, "one"), state_of(&testbed, "two")),
        ("inactive".into(), "inactive".into())
    );
}

/// What is warned of, but for what a configuration says by itself.
fn warnings(said: &str) -> Vec<&str> {
    let all = said.lines().filter_map(|line| line.strip_prefix("Warning: "));
    all.filter(|what| !what.starts_with("Provider development overrides") && !what.starts_with("Doubtful"))
        .collect()
}

#[test]
fn everything_comes_in_one_apply_on_a_bare_host_and_the_plan_warns_of_nothing() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let everything = r#"
ephemeral "swarm_join_token" "it" {
  cluster = swarm_cluster.it.id
}

data "swarm_nodes" "it" {
  depends_on = [swarm_node.two]
}

resource "swarm_node_label" "it" {
  node  = swarm_node.two.hostname
  key   = "zone"
  value = "a"
}

resource "swarm_secret" "it" {
  name       = "bare"
  data_wo    = "x"
  depends_on = [swarm_cluster.it]
}

resource "swarm_config" "it" {
  name       = "bare"
  data       = "x"
  depends_on = [swarm_cluster.it]
}

resource "swarm_network" "it" {
  name       = "bare"
  depends_on = [swarm_cluster.it]
}

resource "swarm_volume" "it" {
  name            = "bare"
  keep_on_destroy = false
}

resource "swarm_service" "it" {
  name     = "bare"
  image    = "registry:2"
  secrets  = [{ source = swarm_secret.it.id, target = "bare" }]
  networks = [{ network = swarm_network.it.id }]
}

resource "registry_service" "it" {
  provider  = swarm
  name      = "hub"
  image     = "registry:2"
  storage   = { filesystem = { volume = swarm_volume.it.name } }
  publish   = [{ port = 5000 }]
  placement = { constraints = ["node.role==manager"] }
  depends_on = [swarm_cluster.it]
}

output "hosts" {
  value = join(" ", data.swarm_nodes.it.nodes[*].hostname)
}
"#;
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{}{everything}", node(&testbed, "two", "")));
    let plan = workspace.plan();
    assert_eq!(warnings(&plan.text), [""; 0], "{}", plan.text);
    let said = workspace.apply();
    assert_eq!(warnings(&said), [""; 0], "{said}");
    workspace.plan_is_empty();
    assert!(workspace.run(&["output", "hosts"]).contains("one two"));
    let said = workspace.destroy();
    assert_eq!(warnings(&said), [""; 0], "{said}");
    for host in ["one", "two"] {
        assert_eq!(state_of(&testbed, host), "inactive", "{host}");
    }
}

#[test]
fn a_join_that_is_interrupted_is_done_by_the_next_apply() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let workspace = Workspace::new(&testbed, CLUSTER);
    workspace.apply_and_settle();
    // Nothing answers there, so that there is time to interrupt.
    let address = testbed.address("two");
    let (network, _) = address.rsplit_once('.').unwrap();
    let lost = node(&testbed, "two", &format!("remote_addrs = [\"{network}.250:2377\"]"));
    workspace.write(&format!("{CLUSTER}{lost}"));
    let said = interrupted(&workspace, || state_of(&testbed, "two") == "pending");
    assert!(said.contains("Stopped as Terraform asked"), "{said}");
    assert_eq!(state_of(&testbed, "two"), "inactive", "{said}");
    workspace.write(&format!("{CLUSTER}{}", node(&testbed, "two", "")));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready", "two worker active ready"]);
    workspace.destroy();
}
