//! Secrets and configs in generations: a service follows them in one apply, and the old ones go when nobody needs them.

use crate::{
    swarm_service::{sleeper, tasks},
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};

#[test]
fn a_service_follows_the_generations_of_its_secret_and_removes_the_old_one() {
    let testbed = Testbed::shared();
    let (name, secret) = (unique("follows"), unique("turns"));
    let body = |version: u8| {
        format!(
            "resource \"swarm_secret\" \"it\" {{\n  name = \"{secret}\"\n  generations = true\n  data_wo = \"data {version}\"\n  data_wo_version = {version}\n}}\n{}",
            sleeper(&name, "replicas = 2\n  secrets = [{ source = swarm_secret.it.id, target = \"it\" }]"),
        )
    };
    let generations =
        || testbed.docker(&["secret", "ls", "--filter", &format!("name={secret}"), "--format", "{{.Name}}"]);
    let workspace = Workspace::new(testbed, &body(1));
    workspace.apply_and_settle();
    let first = generations();
    workspace.write(&body(2));
    workspace.apply_and_settle();
    let second = generations();
    assert!(first != second && second.lines().count() == 1, "one apply leaves one generation: {second}");
    let failed = testbed.docker(&["service", "ps", &name, "--format", "{{.Error}}", "--no-trunc"]);
    assert_eq!(failed.trim(), "", "no task failed to start");
    assert_eq!(tasks(testbed, &name).len(), 2);
}

#[test]
fn secrets_configs_and_the_service_turn_in_one_apply_and_go_in_one_destroy() {
    let testbed = Testbed::shared();
    let (name, kept) = (unique("turning"), unique("kept"));
    let body = |version: u8| {
        format!(
            r#"
resource "swarm_secret" "it" {{
  name            = "{kept}"
  generations     = true
  data_wo         = "secret {version}"
  data_wo_version = {version}
}}

resource "swarm_config" "it" {{
  name        = "{kept}"
  generations = true
  data        = "config {version}"
}}

resource "swarm_network" "it" {{
  name = "{kept}"
}}
{}"#,
            // Its tasks take a while to stop, on the network that goes with them.
            sleeper(
                &name,
                "replicas = 2\n  secrets = [{ source = swarm_secret.it.id, target = \"it\" }]\n  \
                 configs = [{ source = swarm_config.it.id, target = \"/it\" }]\n  \
                 networks = [{ network = swarm_network.it.id }]\n  stop_grace_period = \"2s\""
            )
            .replace("SIGKILL", "SIGWINCH"),
        )
    };
    let generations = |kind: &str| {
        let names =
            testbed.docker(&[kind, "ls", "--filter", &format!("name={kept}"), "--format", "{{.Name}}"]);
        names.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let workspace = Workspace::new(testbed, &body(1));
    workspace.apply_and_settle();
    let first = (generations("secret"), generations("config"));
    workspace.write(&body(2));
    workspace.apply_and_settle();
    let second = (generations("secret"), generations("config"));
    assert!(second.0.len() == 1 && second.1.len() == 1, "one apply leaves one generation: {second:?}");
    assert!(first.0 != second.0 && first.1 != second.1, "{first:?} {second:?}");
    let errors = testbed.docker(&["service", "ps", &name, "--format", "{{.Error}}", "--no-trunc"]);
    // A task that is not stopped by its signal is killed, which Docker tells as an error.
    let failed = errors.lines().filter(|error| !error.is_empty() && !error.contains("137"));
    assert_eq!(failed.collect::<Vec<_>>(), [""; 0], "no task failed to start");
    workspace.destroy();
    assert!(generations("secret").is_empty() && generations("config").is_empty());
    assert!(!testbed.try_docker(&["network", "inspect", &kept]).status.success());
}

#[test]
fn an_old_generation_stays_while_tasks_have_it() {
    let testbed = Testbed::shared();
    let (name, secret) = (unique("unhurried"), unique("slowly"));
    let body = |version: u8, more: &str| {
        format!(
            "resource \"swarm_secret\" \"it\" {{\n  name = \"{secret}\"\n  generations = true\n  data_wo = \"data {version}\"\n  data_wo_version = {version}\n}}\n{}",
            sleeper(
                &name,
                &format!(
                    "replicas = 2\n  secrets = [{{ source = swarm_secret.it.id, target = \"it\" }}]\n  update = {{ monitor = \"100ms\", delay = \"5s\" }}\n  wait_for = {{ replicas = false }}{more}"
                )
            ),
        )
    };
    let generations = || {
        let names = testbed.docker(&["secret", "ls", "--quiet", "--filter", &format!("name={secret}")]);
        names.lines().count()
    };
    let state = || {
        testbed.docker(&["service", "inspect", &name, "--format", "{{with .UpdateStatus}}{{.State}}{{end}}"])
    };
    let workspace = Workspace::new(testbed, &body(1, ""));
    workspace.apply();
    eventually("its tasks run", || {
        let running = testbed.docker(&["service", "ps", &name, "--format", "{{.CurrentState}}"]);
        (running.lines().filter(|line| line.starts_with("Running")).count() == 2).then_some(())
    });
    workspace.write(&body(2, ""));
    workspace.apply();
    assert_eq!(
        generations(),
        2,
        "one of the tasks has the old one, and an update that fails goes back to it"
    );
    eventually("the update is over", || (state().trim() == "completed").then_some(()));
    workspace.write(&body(2, "\n  labels = { a = \"b\" }"));
    workspace.apply_and_settle();
    assert_eq!(generations(), 1, "it goes when nobody needs it");
    workspace.destroy();
}

#[test]
fn a_generation_of_a_config_goes_when_the_service_has_let_it_go() {
    let testbed = Testbed::shared();
    let (name, config) = (unique("lets-go"), unique("generation"));
    let make = |number: u8| {
        let own = format!("{config}-{number}");
        let label = format!("io.localhub.swarm.generation-of={config}");
        testbed.docker(&["config", "create", "--label", &label, &own, "/etc/hostname"]);
        own
    };
    let (one, two) = (make(1), make(2));
    let keeper = unique("keeper");
    testbed.docker(&["config", "create", &keeper, "/etc/hostname"]);
    let body = |configs: &[&str]| {
        let list: Vec<String> =
            configs.iter().map(|own| format!("{{ source = \"{own}\", target = \"/{own}\" }}")).collect();
        sleeper(&name, &format!("replicas = 0\n  configs = [{}]", list.join(", ")))
    };
    let workspace = Workspace::new(testbed, &body(&[&one, &keeper]));
    workspace.apply_and_settle();
    workspace.write(&body(&[&two]));
    workspace.apply_and_settle();
    let there = |own: &str| testbed.try_docker(&["config", "inspect", own]).status.success();
    assert!(!there(&one), "nobody uses it any more");
    assert!(there(&two) && there(&keeper), "what is no generation is nobody's to remove");
    workspace.destroy();
    testbed.docker(&["config", "rm", &two, &keeper]);
}

#[test]
fn what_a_killed_apply_has_made_goes_with_the_next() {
    let testbed = Testbed::shared();
    let name = unique("killed");
    // The key of its name died with the apply, so the next one makes another.
    let label = format!("io.localhub.swarm.generation-of={name}");
    for (kind, data) in [("secret", "data_wo"), ("config", "data")] {
        testbed.docker(&[
            kind,
            "create",
            "--label",
            &label,
            &format!("{name}-0123456789ab"),
            "/etc/hostname",
        ]);
        let workspace = Workspace::new(
            testbed,
            &format!(
                "resource \"swarm_{kind}\" \"it\" {{\n  name = \"{name}\"\n  generations = true\n  {data} = \"x\"\n}}\n"
            ),
        );
        workspace.apply_and_settle();
        let there =
            testbed.docker(&[kind, "ls", "--filter", &format!("label={label}"), "--format", "{{.Name}}"]);
        assert_eq!(there, workspace.state(&format!("swarm_{kind}.it"))[format!("{kind}_name")]);
        workspace.destroy();
    }
}

/// The destroy of the one that is replaced does not take its successor for an older generation.
#[test]
fn one_that_is_made_before_the_old_one_goes_stays() {
    let testbed = Testbed::shared();
    let name = unique("before");
    for (kind, data) in [("secret", "data_wo"), ("config", "data")] {
        let workspace = Workspace::new(
            testbed,
            &format!(
                "resource \"swarm_{kind}\" \"it\" {{\n  name = \"{name}\"\n  generations = true\n  {data} = \"x\"\n  \
                 lifecycle {{ create_before_destroy = true }}\n}}\n"
            ),
        );
        workspace.apply_and_settle();
        let before = workspace.state(&format!("swarm_{kind}.it"));
        workspace.run(&["apply", "-auto-approve", "-input=false", &format!("-replace=swarm_{kind}.it")]);
        workspace.plan_is_empty();
        let own = format!("{kind}_name");
        let now = workspace.state(&format!("swarm_{kind}.it"))[&own].clone();
        assert_ne!(now, before[&own]);
        let label = format!("label=io.localhub.swarm.generation-of={name}");
        assert_eq!(testbed.docker(&[kind, "ls", "--filter", &label, "--format", "{{.Name}}"]), now);
        workspace.destroy();
    }
}
