//! Nodes go without a loss, or are lost, and what becomes of the swarm then.

use super::*;

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
