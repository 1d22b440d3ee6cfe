//! `swarm_node`: what it promises. Each test has bare hosts of its own.

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
fn the_provider_s_own_node_goes_last_and_the_last_manager_stays() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    let all = [manager(&testbed, "one"), manager(&testbed, "two"), manager(&testbed, "three")].concat();
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{all}"));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one").len(), 3);
    let said = workspace.destroy();
    assert!(said.contains("stays in the swarm"), "{said}");
    for host in ["one", "two", "three"] {
        assert_eq!(state_of(&testbed, host), "inactive", "{host}");
    }
}

#[test]
fn the_manager_that_the_provider_talks_to_is_taken_out_through_another_one() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    let socket = |host: &str| format!("\"unix://{}\"", testbed.socket(host).display());
    let swarm = |first: &str| {
        format!(
            "provider \"swarm\" {{\n  hosts = [{}, {}, {}]\n}}\nresource \"swarm_cluster\" \"it\" {{\n  engine = {{ host = {} }}\n  advertise_addr = \"eth0\"\n}}\n",
            socket("one"),
            socket("two"),
            socket("three"),
            socket(first)
        )
    };
    let [one, two, three] = ["one", "two", "three"].map(|host| manager(&testbed, host));
    let workspace = Workspace::new(&testbed, &format!("{}{one}{two}{three}", swarm("one")));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "one").len(), 3);

    workspace.write(&format!("{}{two}{three}", swarm("two")));
    workspace.apply_and_settle();
    assert_eq!(nodes(&testbed, "two"), ["three manager active ready", "two manager active ready"]);
    assert_eq!(state_of(&testbed, "one"), "inactive");
    workspace.destroy();
    for host in ["one", "two", "three"] {
        assert_eq!(state_of(&testbed, host), "inactive", "{host}");
    }
}

#[test]
fn a_host_that_lost_its_membership_joins_again_and_leaves_no_phantom() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    let hcl = format!("{CLUSTER}{}{}", node(&testbed, "two", ""), manager(&testbed, "three"));
    let workspace = Workspace::new(&testbed, &hcl);
    workspace.apply_and_settle();
    let before = workspace.state("swarm_node.two")["id"].clone();
    testbed.docker_on("two", &["swarm", "leave"]);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), change("two", "update"), "{}", plan.text);
    assert!(plan.differing("swarm_node.two").contains(&"joined".to_owned()));
    workspace.apply_and_settle();
    assert_ne!(workspace.state("swarm_node.two")["id"], before);
    assert_eq!(
        nodes(&testbed, "one"),
        ["one manager active ready", "three manager active ready", "two worker active ready"]
    );

    // It left, and its record was removed, by somebody else: a destroy has nothing to do.
    testbed.docker_on("two", &["swarm", "leave"]);
    testbed.docker(&["node", "rm", "--force", "two"]);
    assert_eq!(workspace.plan().changes(), change("two", "update"));
    workspace.destroy();
}

#[test]
fn a_swarm_that_was_lost_as_a_whole_is_made_again_with_the_same_hosts() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let two = node(&testbed, "two", "depends_on = [swarm_cluster.it]");
    let of_any_swarm = two.replace("  cluster = swarm_cluster.it.id\n", "");
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{of_any_swarm}"));
    workspace.apply_and_settle();
    let cluster = || workspace.state("swarm_node.two")["cluster"].clone();
    let before = cluster();
    for host in ["two", "one"] {
        testbed.docker_on(host, &["swarm", "leave", "--force"]);
    }
    let made = vec![("swarm_cluster.it".to_owned(), "create".to_owned())];
    let mut changes = workspace.plan().changes();
    changes.sort();
    assert_eq!(changes, [made, change("two", "update")].concat());
    workspace.apply_and_settle();
    assert_ne!(cluster(), before);
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready", "two worker active ready"]);
    workspace.destroy();
}

#[test]
fn dead_hosts_lose_their_records_and_a_quorum_is_kept() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three", "four"]);
    let [two, three] = ["two", "three"].map(|host| manager(&testbed, host));
    let four = node(&testbed, "four", "");
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{two}{three}{four}"));
    workspace.apply_and_settle();
    testbed.run("kill", &["three"]);
    testbed.run("kill", &["four"]);
    eventually("the dead manager is missed", || {
        let managers = testbed.docker(&["node", "ls", "--format", "{{.ManagerStatus}}"]);
        managers.contains("Unreachable").then_some(())
    });

    // One of two that are left must not go; it is said before anything is done.
    let demoted = node(&testbed, "two", "role = \"worker\"");
    workspace.write(&format!("{CLUSTER}{demoted}{three}{four}"));
    let said = workspace.plan_fails();
    assert!(said.contains("3 managers, of which 2 can be reached") && said.contains("three"), "{said}");
    workspace.write(&format!("{CLUSTER}{three}{four}"));
    let said = workspace.apply_fails();
    assert!(said.contains("3 managers, of which 2 can be reached"), "{said}");
    let found = nodes(&testbed, "one");
    assert!(found.contains(&"two manager active ready".to_owned()), "{found:?}");

    // The dead ones may.
    workspace.write(&format!("{CLUSTER}{two}"));
    workspace.apply();
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready", "two manager active ready"]);
    workspace.plan_is_empty();
    workspace.destroy();
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

#[test]
fn a_drain_that_is_interrupted_is_done_by_the_next_apply() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let workspace = Workspace::new(&testbed, &format!("{CLUSTER}{}", node(&testbed, "two", "")));
    workspace.apply_and_settle();
    // It does not heed the signal to end, so that there is time to interrupt.
    let slow = [
        "service",
        "create",
        "--name",
        "slow",
        "--detach",
        "--no-resolve-image",
        "--stop-grace-period",
        "8s",
    ];
    let stubborn = [
        "--constraint",
        "node.hostname==two",
        "--entrypoint",
        "sh -c \"trap : TERM; while :; do sleep 1; done\"",
    ];
    testbed.docker(&[&slow[..], &stubborn, &["registry:2"]].concat());
    eventually("the task runs", || {
        testbed
            .docker(&["service", "ps", "slow", "--format", "{{.CurrentState}}"])
            .contains("Running")
            .then_some(())
    });
    workspace.write(CLUSTER);
    let said =
        interrupted(&workspace, || nodes(&testbed, "one").contains(&"two worker drain ready".to_owned()));
    assert!(said.contains("Stopped as Terraform asked"), "{said}");
    assert_eq!(state_of(&testbed, "two"), "active");
    assert_eq!(workspace.plan().changes(), change("two", "delete"));
    workspace.apply_and_settle();
    assert_eq!(state_of(&testbed, "two"), "inactive");
    assert_eq!(nodes(&testbed, "one"), ["one manager active ready"]);
    testbed.docker(&["service", "rm", "slow"]);
    workspace.destroy();
}
