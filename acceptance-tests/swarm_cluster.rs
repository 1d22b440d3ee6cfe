//! `swarm_cluster`: what it promises. Each test has bare hosts of its own.

use crate::{
    secrecy::plan_file,
    terraform::Workspace,
    testbed::{Testbed, eventually},
};
use serde_json::Value;
use std::fs;

/// A swarm on the provider's Engine.
fn cluster(settings: &str) -> String {
    format!("resource \"swarm_cluster\" \"it\" {{\n  advertise_addr = \"eth0\"\n{settings}\n}}\n")
}

/// The swarm as the Engine tells it, without its tokens.
fn inspect(testbed: &Testbed) -> Value {
    serde_json::from_str(&testbed.docker(&["info", "--format", "{{json .Swarm.Cluster}}"])).unwrap()
}

fn token(testbed: &Testbed, role: &str) -> String {
    testbed.docker(&["swarm", "join-token", "--quiet", role])
}

/// Whether a host is in a swarm, in Docker's word.
pub fn state_of(testbed: &Testbed, host: &str) -> String {
    testbed.docker_on(host, &["info", "--format", "{{.Swarm.LocalNodeState}}"])
}

fn updates(workspace: &Workspace, differing: &[&str]) {
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_cluster.it".to_owned(), "update".to_owned())], "{}", plan.text);
    assert_eq!(plan.differing("swarm_cluster.it"), differing, "{}", plan.text);
}

#[test]
fn a_swarm_is_made_changed_imported_and_left() {
    let testbed = Testbed::start(&["--no-swarm"], &["one"]);
    let settings = "  data_path_port = 4790\n  default_addr_pool = [\"10.77.0.0/16\"]\n  subnet_size = 26\n  availability = \"drain\"\n";
    let workspace = Workspace::new(&testbed, &cluster(settings));
    workspace.apply_and_settle();
    let made = inspect(&testbed);
    assert_eq!((made["DataPathPort"].as_i64(), made["SubnetSize"].as_i64()), (Some(4790), Some(26)));
    assert_eq!(made["DefaultAddrPool"], serde_json::json!(["10.77.0.0/16"]));
    let node = || testbed.docker(&["node", "inspect", "self", "--format", "{{.Spec.Availability}}"]);
    assert_eq!(node(), "drain");
    let state = workspace.state("swarm_cluster.it");
    assert_eq!(state["id"], made["ID"]);
    assert!(state["root_ca_certificate"].as_str().unwrap().contains("BEGIN CERTIFICATE"));

    // Every setting is set and cleared in place, one after the other; what is not set any more is left as it is.
    let steps = [
        ("availability = \"active\"", "availability"),
        ("labels = { a = \"b\" }", "labels"),
        ("labels = {}", "labels"),
        ("task_history_retention_limit = 2", "task_history_retention_limit"),
        (
            "raft = { snapshot_interval = 5000, keep_old_snapshots = 1, log_entries_for_slow_followers = 100, heartbeat_tick = 2, election_tick = 20 }",
            "raft",
        ),
        ("raft = { snapshot_interval = 6000 }", "raft"),
        ("dispatcher = { heartbeat_period = \"4s\" }", "dispatcher"),
        (
            "ca = { node_cert_expiry = \"24h\", external_cas = [{ url = \"https://ca.example.com/sign\" }] }",
            "ca",
        ),
        ("ca = { external_cas = [] }", "ca"),
        ("autolock = true", "autolock"),
        ("autolock = false", "autolock"),
    ];
    let before = inspect(&testbed);
    let mut dropped = "availability";
    for (setting, name) in steps {
        workspace
            .write(&cluster(&settings.replace("  availability = \"drain\"\n", &format!("  {setting}\n"))));
        let mut differing = vec![name];
        if dropped != name {
            differing.push(dropped);
        }
        differing.sort_unstable();
        updates(&workspace, &differing);
        workspace.apply_and_settle();
        dropped = name;
    }
    let after = inspect(&testbed);
    assert_eq!(after["ID"], before["ID"]);
    assert_eq!(node(), "active");
    assert_eq!(after["Spec"]["Raft"]["SnapshotInterval"], 6000);
    assert_eq!(after["Spec"]["Raft"]["KeepOldSnapshots"], 1, "what is not set is left as it is");
    assert_eq!(after["Spec"]["CAConfig"]["NodeCertExpiry"], 86_400_000_000_000_i64);
    assert_eq!(after["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"], 2);

    // What others change shows, if it is set.
    workspace.write(&cluster("task_history_retention_limit = 2\ndispatcher = { heartbeat_period = \"4s\" }"));
    workspace.apply_and_settle();
    testbed.docker(&["swarm", "update", "--task-history-limit", "9", "--dispatcher-heartbeat", "7s"]);
    updates(&workspace, &["dispatcher", "task_history_retention_limit"]);
    workspace.apply_and_settle();

    for id in [made["ID"].as_str().unwrap(), "default"] {
        workspace.run(&["state", "rm", "swarm_cluster.it"]);
        workspace.write("resource \"swarm_cluster\" \"it\" {}\n");
        workspace.run(&["import", "swarm_cluster.it", id]);
        workspace.plan_is_empty();
    }
    workspace.destroy();
    assert_eq!(state_of(&testbed, "one"), "inactive");
    workspace.destroy();
}

#[test]
fn what_is_decided_once_makes_a_new_swarm_with_a_warning_unless_it_is_left_out() {
    let testbed = Testbed::start(&["--no-swarm"], &["one"]);
    let workspace = Workspace::new(&testbed, &cluster("  subnet_size = 25\n"));
    workspace.apply_and_settle();
    let id = workspace.state("swarm_cluster.it")["id"].clone();
    workspace.write(&cluster(""));
    updates(&workspace, &["subnet_size"]);
    workspace.write(&cluster("  subnet_size = 26\n"));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_cluster.it".to_owned(), "delete+create".to_owned())]);
    assert!(plan.text.contains("made anew") && plan.text.contains("subnet_size"), "{}", plan.text);
    workspace.apply_and_settle();
    assert_ne!(workspace.state("swarm_cluster.it")["id"], id);
    assert_eq!(inspect(&testbed)["SubnetSize"], 26);
}

#[test]
fn a_swarm_that_is_there_is_adopted_and_one_that_is_gone_is_made_again() {
    let testbed = Testbed::start(&["--managers", "1"], &["one", "two"]);
    let id = inspect(&testbed)["ID"].clone();
    let workspace = Workspace::new(&testbed, &cluster("  subnet_size = 20\n"));
    let said = workspace.apply_fails();
    assert!(said.contains("`subnet_size` is not that of the swarm") && said.contains("24"), "{said}");
    // Nothing was changed, and nothing is taken for a part of it that the next attempt would destroy.
    workspace.write(&cluster(""));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_cluster.it".to_owned(), "create".to_owned())], "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_cluster.it")["id"], id);
    assert_eq!(testbed.docker(&["node", "ls", "--quiet"]).lines().count(), 2);

    // Other nodes are named, and nothing happens to them.
    let said = workspace.destroy_fails();
    assert!(
        said.contains("Other nodes are in the swarm")
            && said.contains("two")
            && said.contains("force_destroy"),
        "{said}"
    );
    assert_eq!(state_of(&testbed, "one"), "active");
    workspace.write(&cluster("  force_destroy = true\n"));
    workspace.apply_and_settle();
    workspace.destroy();
    assert_eq!(state_of(&testbed, "one"), "inactive");

    // A worker of some swarm can neither make nor manage one.
    let socket = format!("unix://{}", testbed.socket("two").display());
    let on_two = cluster(&format!("  engine = {{ host = \"{socket}\" }}\n"));
    workspace.write(&on_two);
    let said = workspace.plan_fails();
    assert!(said.contains("is a worker of a swarm"), "{said}");
    testbed.docker_on("two", &["swarm", "leave", "--force"]);

    // On a host that is not the provider's; gone means gone.
    workspace.apply_and_settle();
    testbed.docker_on("two", &["swarm", "leave", "--force"]);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("swarm_cluster.it".to_owned(), "create".to_owned())], "{}", plan.text);
    workspace.apply_and_settle();

    // Another swarm in its place is an error, not a disappearance.
    testbed.docker_on("two", &["swarm", "leave", "--force"]);
    testbed.docker_on("two", &["swarm", "init", "--advertise-addr", "eth0"]);
    let said = workspace.plan_fails();
    assert!(said.contains("is not there") && said.contains("manages swarm"), "{said}");
    testbed.docker_on("two", &["swarm", "leave", "--force"]);
}

#[test]
fn tokens_keys_and_the_authority_are_made_anew_by_triggers() {
    let testbed = Testbed::start(&["--managers", "2"], &["one", "two"]);
    let workspace = Workspace::new(&testbed, &cluster("  autolock = true\n  force_destroy = true\n"));
    workspace.apply_and_settle();
    let key = || testbed.docker(&["swarm", "unlock-key", "--quiet"]);
    let seen = || {
        // A token ends with its secret; the part before is the digest of the authority.
        let token = |role| token(&testbed, role).rsplit('-').next().unwrap().to_owned();
        let root = inspect(&testbed)["TLSInfo"]["TrustRoot"].as_str().unwrap().to_owned();
        [token("worker"), token("manager"), key(), root]
    };
    let mut before = seen();
    let triggers = ["rotate_worker_token", "rotate_manager_token", "rotate_unlock_key", "rotate_ca"];
    for (index, trigger) in triggers.into_iter().enumerate() {
        workspace.write(&cluster(&format!("  autolock = true\n  force_destroy = true\n  {trigger} = 1\n")));
        workspace.apply_and_settle();
        let after = seen();
        for other in 0..4 {
            // The tokens of a new authority are new as well.
            let is_new = other == index || (trigger == "rotate_ca" && other < 2);
            assert_eq!(before[other] != after[other], is_new, "{trigger}: {}", triggers[other]);
        }
        before = after;
    }
    assert_eq!(inspect(&testbed)["RootRotationInProgress"], false);
    assert_eq!(workspace.state("swarm_cluster.it")["root_ca_certificate"], before[3].as_str());

    // An authority of one's own: its key is sent and kept nowhere.
    let made = rcgen::CertificateParams::new(vec![]).map(|mut params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "own");
        let key = rcgen::KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    });
    let (certificate, private_key) = made.unwrap();
    fs::write(workspace.path().join("ca.pem"), &certificate).unwrap();
    fs::write(workspace.path().join("ca-key.pem"), &private_key).unwrap();
    workspace.write(&cluster(
        "  autolock = true\n  force_destroy = true\n  rotate_ca = 1\n  ca = {\n    signing_ca_cert = file(\"ca.pem\")\n    signing_ca_key_wo = file(\"ca-key.pem\")\n  }\n",
    ));
    workspace.apply_and_settle();
    assert_eq!(inspect(&testbed)["TLSInfo"]["TrustRoot"].as_str().unwrap().trim(), certificate.trim());
    let state = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap();
    let line = private_key.lines().nth(1).unwrap();
    assert!(!state.contains(line), "the key is in the state");
}

#[test]
fn tokens_and_keys_are_in_neither_state_nor_plan_nor_log() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    let hcl = format!(
        r#"{}
resource "swarm_node" "two" {{
  cluster    = swarm_cluster.it.id
  engine = {{ host = "unix://{}" }}
}}

ephemeral "swarm_join_token" "worker" {{
  cluster = swarm_cluster.it.id
}}

ephemeral "swarm_join_token" "manager" {{
  role    = "manager"
  cluster = swarm_cluster.it.id
}}

ephemeral "swarm_unlock_key" "it" {{
  cluster = swarm_cluster.it.id
}}

resource "swarm_secret" "it" {{
  name    = "of-the-token"
  data_wo = "${{ephemeral.swarm_join_token.worker.token}} ${{ephemeral.swarm_join_token.manager.manager_addresses[0]}} ${{ephemeral.swarm_unlock_key.it.unlock_key}}"
}}
"#,
        cluster("  autolock = true\n"),
        testbed.socket("two").display()
    );
    let mut workspace = Workspace::new(&testbed, &hcl);
    workspace.set("TF_LOG", "TRACE");
    let log = workspace.path().join("log");
    workspace.set("TF_LOG_PATH", &log.display().to_string());
    workspace.run(&["plan", "-out=plan.bin", "-no-color", "-input=false"]);
    workspace.run(&["apply", "-no-color", "plan.bin"]);
    workspace.plan_is_empty();
    workspace.run(&["plan", "-out=plan.bin", "-no-color", "-input=false"]);
    let key = testbed.docker(&["swarm", "unlock-key", "--quiet"]);
    let secrets = [token(&testbed, "worker"), token(&testbed, "manager"), key];
    let places = [
        ("state", fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap()),
        ("plan", plan_file(&workspace)),
        ("log", fs::read_to_string(&log).unwrap()),
    ];
    for (place, text) in &places {
        assert!(text.len() > 1000, "{place} is read");
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "a token or key is in the {place}");
        }
    }
}

#[test]
fn an_unlock_key_that_is_not_there_and_data_sources() {
    let testbed = Testbed::start(&["--managers", "2"], &["one", "two", "three"]);
    testbed.docker(&["node", "update", "--label-add", "zone=a", "three"]);
    let workspace = Workspace::new(
        &testbed,
        r#"
data "swarm_cluster" "it" {}
data "swarm_node" "three" { node = "three" }
data "swarm_nodes" "all" {}
data "swarm_nodes" "managers" { role = "manager" }
data "swarm_nodes" "zone" { node_labels = ["zone=a"] }
data "swarm_nodes" "named" { names = ["t"] }
output "cluster" { value = data.swarm_cluster.it }
output "three" { value = data.swarm_node.three }
output "hosts" {
  value = [for found in [data.swarm_nodes.all, data.swarm_nodes.managers, data.swarm_nodes.zone, data.swarm_nodes.named] :
    join(" ", found.nodes[*].hostname)]
}
"#,
    );
    workspace.apply_and_settle();
    let output =
        |name: &str| -> Value { serde_json::from_str(&workspace.run(&["output", "-json", name])).unwrap() };
    assert_eq!(output("hosts"), serde_json::json!(["one three two", "one two", "three", "three two"]));
    let (cluster, three) = (output("cluster"), output("three"));
    assert_eq!(cluster["id"], inspect(&testbed)["ID"]);
    assert_eq!(cluster["manager_addresses"].as_array().unwrap().len(), 2);
    assert_eq!((&three["state"], &three["labels"]["zone"]), (&"ready".into(), &"a".into()));
    assert_eq!((&three["address"], &three["manager"]), (&testbed.address("three").into(), &Value::Null));
    assert!(three["cpus"].as_f64().unwrap() >= 1.0 && three["memory"].as_i64().unwrap() > 0);

    workspace.write("data \"swarm_node\" \"it\" { node = \"nobody\" }\n");
    let said = workspace.plan_fails();
    assert!(said.contains("nobody") && said.contains("(three, worker, ready)"), "{said}");
    workspace.write("ephemeral \"swarm_unlock_key\" \"it\" {}\n");
    let said = workspace.plan_fails();
    assert!(said.contains("managers are not locked"), "{said}");
    workspace.write("ephemeral \"swarm_join_token\" \"it\" {\n  cluster = \"another\"\n}\n");
    let said = workspace.plan_fails();
    assert!(said.contains("swarm another is meant"), "{said}");
    workspace.write("");
}

#[test]
fn a_manager_that_was_lost_makes_no_second_swarm() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two", "three"]);
    let node = |host: &str| {
        format!(
            "resource \"swarm_node\" \"{host}\" {{\n  cluster = swarm_cluster.it.id\n  role = \"manager\"\n  engine = {{ host = \"unix://{}\" }}\n}}\n",
            testbed.socket(host).display()
        )
    };
    let hcl = format!("{}{}{}", cluster("  force_destroy = true\n"), node("two"), node("three"));
    let workspace = Workspace::new(&testbed, &hcl);
    workspace.apply_and_settle();
    let id = workspace.state("swarm_cluster.it")["id"].clone();
    testbed.docker_on("one", &["swarm", "leave", "--force"]);
    let said = workspace.plan_fails();
    assert!(said.contains("still manages swarm") && said.contains(id.as_str().unwrap()), "{said}");
    assert_eq!(state_of(&testbed, "one"), "inactive");

    // Through another manager the swarm is still there.
    let mut workspace = workspace;
    workspace.set("DOCKER_HOST", &format!("unix://{}", testbed.socket("two").display()));
    eventually("the others have a leader", || {
        testbed.try_docker_on("two", &["node", "ls"]).status.success().then_some(())
    });
    workspace.plan_is_empty();
    for host in ["two", "three"] {
        testbed.docker_on(host, &["swarm", "leave", "--force"]);
    }
    fs::remove_file(workspace.path().join("terraform.tfstate")).unwrap();
}

#[test]
fn hosts_that_are_made_in_the_same_apply_become_a_swarm() {
    let testbed = Testbed::start(&["--no-swarm"], &["one", "two"]);
    // Where the hosts are is known only once something else is made, as with machines that Terraform starts.
    let host = |name: &str| {
        format!(
            "resource \"terraform_data\" \"{name}\" {{\n  input = \"unix://{}\"\n}}\n",
            testbed.socket(name).display()
        )
    };
    let workspace = Workspace::new(
        &testbed,
        &format!(
            r#"
{}{}
provider "swarm" {{
  hosts = [terraform_data.one.output]
}}

resource "swarm_cluster" "it" {{
  engine     = {{ host = terraform_data.one.output }}
  advertise_addr = "eth0"
}}

resource "swarm_node" "two" {{
  cluster    = swarm_cluster.it.id
  engine = {{ host = terraform_data.two.output }}
}}

resource "swarm_secret" "it" {{
  name       = "of-new-hosts"
  data_wo    = "x"
  depends_on = [swarm_cluster.it]
}}
"#,
            host("one"),
            host("two")
        ),
    );
    workspace.apply_and_settle();
    assert_eq!(testbed.docker_on("one", &["node", "ls", "--quiet"]).lines().count(), 2);
    workspace.destroy();
    for host in ["one", "two"] {
        assert_eq!(state_of(&testbed, host), "inactive", "{host}");
    }
}
