//! `swarm_service`: what it promises.

mod imports;

use crate::{
    registry_service::free_port,
    terraform::Workspace,
    testbed::{Testbed, unique},
};

/// The resource `swarm_service.it`: a program that sleeps, with `more` in it.
pub fn sleeper(name: &str, more: &str) -> String {
    let command =
        if more.contains("command ") { String::new() } else { "  command = [\"sleep\", \"600\"]".to_owned() };
    let image = if more.contains("image ") { "" } else { "  image = \"busybox:1\"\n" };
    let quick = if more.contains("mode ") || more.contains("update ") {
        ""
    } else {
        "  update = { monitor = \"100ms\" }\n"
    };
    format!(
        "resource \"swarm_service\" \"it\" {{\n  name = \"{name}\"\n{image}{command}\n  stop_signal = \"SIGKILL\"\n{quick}  {more}\n}}\n"
    )
}

pub fn changes(action: &str) -> Vec<(String, String)> {
    vec![("swarm_service.it".to_owned(), action.to_owned())]
}

/// A field of the specification, as JSON.
pub fn spec(testbed: &Testbed, name: &str, field: &str) -> String {
    testbed.docker(&["service", "inspect", name, "--format", &format!("{{{{json .Spec{field}}}}}")])
}

/// The IDs of the tasks that are to run.
pub fn tasks(testbed: &Testbed, name: &str) -> Vec<String> {
    let ids = testbed.docker(&["service", "ps", name, "--quiet", "--filter", "desired-state=running"]);
    ids.lines().map(str::to_owned).collect()
}

#[test]
fn a_service_lives_from_create_to_destroy() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("lives"), free_port());
    let publish = format!("publish = [{{ port = {port}, target = 80 }}]");
    let workspace = Workspace::new(testbed, &sleeper(&name, &format!("replicas = 2\n  {publish}")));
    workspace.apply_and_settle();
    assert_eq!(tasks(testbed, &name).len(), 2, "apply returns when the tasks run");
    let id = workspace.state("swarm_service.it")["id"].clone();

    // Scaling and labels leave the tasks alone.
    let before = tasks(testbed, &name);
    workspace.write(&sleeper(&name, &format!("replicas = 3\n  labels = {{ a = \"b\" }}\n  {publish}")));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), changes("update"));
    assert_eq!(plan.differing("swarm_service.it"), ["labels", "replicas"]);
    workspace.apply_and_settle();
    assert!(before.iter().all(|task| tasks(testbed, &name).contains(task)), "the tasks are the same");

    // A new environment replaces them, the service stays.
    workspace.write(&sleeper(&name, &format!("env = {{ A = \"1\" }}\n  replicas = 3\n  {publish}")));
    workspace.apply_and_settle();
    assert!(before.iter().all(|task| !tasks(testbed, &name).contains(task)), "the tasks are other ones");
    assert_eq!(workspace.state("swarm_service.it")["id"], id);

    workspace.destroy();
    assert!(!testbed.try_docker(&["service", "inspect", &name]).status.success());
    let left = testbed.docker(&["ps", "--quiet", "--filter", &format!("name={name}.")]);
    assert_eq!(left, "", "destroy returns when the tasks are gone");
}

#[test]
fn what_others_change_shows_as_itself_and_is_put_back() {
    let testbed = Testbed::shared();
    let name = unique("drifts");
    let workspace = Workspace::new(testbed, &sleeper(&name, "replicas = 0\n  env = { A = \"1\" }"));
    workspace.apply_and_settle();
    for (args, attribute) in [
        (&["--env-add", "B=2"] as &[&str], "env"),
        (&["--image", "busybox:latest", "--no-resolve-image"], "image"),
        (&["--replicas", "1"], "replicas"),
        (&["--constraint-add", "node.role==manager"], "placement"),
        (&["--limit-pids", "7"], ""),
        (&["--hostname", "other"], ""),
        (&["--cap-add", "NET_ADMIN"], "cap_add"),
        (&["--ulimit-add", "nofile=10:20"], "ulimits"),
        (&["--read-only"], "read_only"),
        (&["--tty"], "tty"),
        (&["--sysctl-add", "net.core.somaxconn=100"], "sysctls"),
        (&["--host-add", "db:10.0.0.1"], "hosts"),
        (&["--group-add", "1000"], "groups"),
        (&["--stop-grace-period", "3s"], "stop_grace_period"),
        (&["--restart-condition", "none"], "restart"),
        (&["--update-parallelism", "3"], "update"),
        (&["--rollback-parallelism", "3"], "rollback"),
        (&["--endpoint-mode", "dnsrr"], "endpoint_mode"),
        (&["--mount-add", "type=tmpfs,target=/x"], "mounts"),
        (&["--label-add", "theirs=1"], ""),
    ] {
        let mut command = vec!["service", "update", "--detach", "--quiet"];
        command.extend(args);
        command.push(&name);
        testbed.docker(&command);
        if attribute.is_empty() {
            workspace.plan_is_empty();
            continue;
        }
        let plan = workspace.plan();
        assert_eq!(plan.changes(), changes("update"), "{args:?}: {}", plan.text);
        let differing: Vec<String> = plan.differing("swarm_service.it");
        let only: Vec<&String> = differing.iter().filter(|name| *name != "image_digest").collect();
        assert_eq!(only, [attribute], "{args:?}");
        workspace.apply_and_settle();
    }
    // What nothing is said of stays as others left it.
    assert_eq!(spec(testbed, &name, ".Labels"), r#"{"theirs":"1"}"#);
    assert_eq!(spec(testbed, &name, ".TaskTemplate.ContainerSpec.Hostname"), r#""other""#);

    // A task that was restarted by force is not restarted once more, and gone is gone.
    testbed.docker(&["service", "update", "--detach", "--quiet", "--force", &name]);
    workspace.plan_is_empty();
    workspace.write(&sleeper(&name, "replicas = 0\n  env = { A = \"2\" }"));
    workspace.apply_and_settle();
    assert_eq!(spec(testbed, &name, ".TaskTemplate.ForceUpdate"), "1");
    testbed.docker(&["service", "rm", &name]);
    assert_eq!(workspace.plan().changes(), changes("create"));
    workspace.apply_and_settle();
}

#[test]
fn the_network_of_the_host_is_found_again_by_its_name() {
    let testbed = Testbed::shared();
    let name = unique("hostly");
    let hcl = sleeper(&name, "replicas = 1\n  networks = [{ network = \"host\" }]");
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    let index = || testbed.docker(&["service", "inspect", &name, "--format", "{{.Version.Index}}"]);
    let before = index();
    workspace.write(&hcl.replace("replicas", "timeouts = { delete = \"3m\" }\n  replicas"));
    workspace.apply_and_settle();
    assert_eq!(index(), before, "nothing of the service changed");
    let imported = Workspace::new(testbed, &hcl);
    imported.run(&["import", "swarm_service.it", &name]);
    imported.plan_is_empty();
    workspace.destroy();
}

#[test]
fn objects_that_say_nothing_plan_empty() {
    let name = unique("nothing");
    let body = "replicas = 0
  resources   = { limits = { cpus = null }, reservations = { generic_resources = {} } }
  privileges  = { selinux = {} }
  dns         = {}
  healthcheck = {}
  placement   = {}
  rollback    = {}
  labels      = {}
  mounts      = [{ target = \"/a\", volume = {} }]
  update      = { max_failure_ratio = 1 / 3 }";
    let workspace = Workspace::new(Testbed::shared(), &sleeper(&name, body));
    workspace.apply_and_settle();
    workspace.write(&sleeper(&name, &body.replace("{ cpus = null }", "{}")));
    workspace.plan_is_empty();
    workspace.destroy();
}

#[test]
fn name_and_mode_replace() {
    let testbed = Testbed::shared();
    let name = unique("replaced");
    let workspace = Workspace::new(testbed, &sleeper(&name, "replicas = 0"));
    workspace.apply_and_settle();
    let other = unique("renamed");
    workspace.write(&sleeper(&other, "replicas = 0"));
    assert_eq!(workspace.plan().changes(), changes("delete+create"));
    workspace.apply_and_settle();
    workspace.write(&sleeper(
        &other,
        "mode = \"global\"\n  placement = { constraints = [\"node.role==worker\"] }",
    ));
    assert_eq!(workspace.plan().changes(), changes("delete+create"));
    workspace.apply_and_settle();
    assert_eq!(tasks(testbed, &other).len(), 2, "one task on each worker runs when apply returns");
}

#[test]
fn a_trigger_replaces_the_tasks_and_never_lowers_the_counter() {
    let testbed = Testbed::shared();
    let name = unique("forced");
    let workspace = Workspace::new(testbed, &sleeper(&name, "force_update = \"a\""));
    workspace.apply_and_settle();
    let before = tasks(testbed, &name);
    testbed.docker(&["service", "update", "--quiet", "--force", &name]);
    workspace.plan_is_empty();
    workspace.write(&sleeper(&name, "force_update = \"b\""));
    assert_eq!(workspace.plan().differing("swarm_service.it"), ["force_update"]);
    workspace.apply_and_settle();
    assert_eq!(spec(testbed, &name, ".TaskTemplate.ForceUpdate"), "2");
    assert_ne!(tasks(testbed, &name), before);
    let before = tasks(testbed, &name);
    workspace.write(&sleeper(&name, ""));
    workspace.apply_and_settle();
    assert_eq!(tasks(testbed, &name), before, "taking the trigger away restarts nothing");
}

#[test]
fn an_update_that_paused_is_carried_on_by_the_next_apply() {
    let testbed = Testbed::shared();
    let name = unique("paused");
    let cure = testbed.file("shared").join(&name);
    let body = |version: u8| {
        let command =
            format!("command = [\"sh\", \"-c\", \"[ $V = 1 ] || test -e /mnt/{name} || exit 1; sleep 600\"]");
        sleeper(
            &name,
            &format!(
                "replicas = 2\n  {command}\n  env = {{ V = \"{version}\" }}\n  update = {{ monitor = \"2s\" }}\n  restart = {{ delay = \"100ms\" }}\n  mounts = [{{ type = \"bind\", source = \"/mnt/shared\", target = \"/mnt\" }}]\n  timeouts = {{ update = \"40s\" }}",
            ),
        )
    };
    let workspace = Workspace::new(testbed, &body(1));
    workspace.apply_and_settle();
    let old = tasks(testbed, &name);
    workspace.write(&body(2));
    let said = workspace.apply_fails();
    assert!(said.contains("paused because of failures"), "{said}");
    assert_eq!(workspace.plan().changes(), changes("update"), "what is not done shows");

    // What made it fail is away, and the configuration is the same.
    std::fs::write(&cure, "").unwrap();
    workspace.apply_and_settle();
    std::fs::remove_file(&cure).unwrap();
    assert!(old.iter().all(|task| !tasks(testbed, &name).contains(task)), "all tasks are new ones");
}

#[test]
fn jobs_run_to_completion_and_run_again_with_each_update() {
    let testbed = Testbed::shared();
    for (mode, more, completed) in [
        ("replicated-job", "job = { max_concurrent = 2, total_completions = 5 }", "(5/5 completed)"),
        ("replicated-job", "", "(1/1 completed)"),
        ("global-job", "", "(3/3 completed)"),
    ] {
        let name = unique("job");
        let body =
            |more: &str| sleeper(&name, &format!("mode = \"{mode}\"\n  command = [\"true\"]\n  {more}"));
        let runs = || {
            testbed.docker(&["service", "inspect", &name, "--format", "{{.JobStatus.JobIteration.Index}}"])
        };
        let replicas = || {
            testbed.docker(&[
                "service",
                "ls",
                "--filter",
                &format!("name={name}"),
                "--format",
                "{{.Replicas}}",
            ])
        };
        let workspace = Workspace::new(testbed, &body(more));
        workspace.apply_and_settle();
        assert!(replicas().ends_with(completed), "{mode}: {}", replicas());
        assert_eq!(workspace.state("swarm_service.it")["update"], serde_json::Value::Null);
        assert_eq!(runs(), "0");
        workspace.write(&body(&format!("{more}\n  labels = {{ again = \"yes\" }}")));
        assert_eq!(workspace.plan().differing("swarm_service.it"), ["labels"]);
        workspace.apply_and_settle();
        assert!(replicas().ends_with(completed), "{mode}: {}", replicas());
        assert_eq!(runs(), "1", "it has run again");
    }
}

#[test]
fn a_failing_job_ends_with_its_reason() {
    let testbed = Testbed::shared();
    for restart in
        ["{ condition = \"none\" }", "{ condition = \"on-failure\", max_attempts = 1, delay = \"100ms\" }"]
    {
        let name = unique("broken");
        let more = format!(
            "mode = \"replicated-job\"\n  command = [\"sh\", \"-c\", \"echo out of cheese; exit 3\"]\n  restart = {restart}"
        );
        let workspace = Workspace::new(testbed, &sleeper(&name, &more));
        let begin = std::time::Instant::now();
        let said = workspace.apply_fails();
        for word in ["out of cheese", "non-zero exit (3)", &name] {
            assert!(said.contains(word), "{restart}: {said}");
        }
        assert!(begin.elapsed().as_secs() < 60, "{restart}");
    }
}

#[test]
fn what_cannot_be_is_refused_at_plan_at_its_place() {
    let testbed = Testbed::shared();
    for (more, words) in [
        ("mode = \"global\"\n  replicas = 1", "has no `replicas`"),
        ("mode = \"global-job\"\n  job = {}", "has no `job`"),
        ("mode = \"replicated-job\"\n  update = {}", "A job has no `update`"),
        ("mode = \"replicated-job\"\n  rollback = {}", "A job has no `rollback`"),
        ("mode = \"sometimes\"", "replicated-job"),
        ("image = \"Nginx\"", "`image`"),
        ("publish = [{ port = 80 }]\n  endpoint_mode = \"dnsrr\"", "excludes `dnsrr`"),
        ("publish = [{}]", "neither `port` nor `target`"),
        ("mounts = [{ type = \"tmpfs\", source = \"x\", target = \"/x\" }]", "has no `source`"),
        ("mounts = [{ type = \"bind\", target = \"/x\" }]", "needs a `source`"),
        ("mounts = [{ target = \"/x\", tmpfs_size = \"1MiB\" }]", "has no `tmpfs_size`"),
        ("secrets = [{ source = \"a\", target = \"x\" }, { source = \"b\", target = \"x\" }]", "one name"),
        ("mounts = [{ type = \"tmpfs\", target = \"/x\", tmpfs_size = \"0\" }]", "`mounts[0].tmpfs_size`"),
        ("mounts = [{ source = \"\", target = \"/x\" }]", "`mounts[0].source`"),
        ("resources = { limits = { pids = 0 } }", "`resources.limits.pids`"),
        ("update = { monitor = \"0s\" }", "`update.monitor`"),
        ("labels = { \"io.localhub.swarm.service\" = \"x\" }", "`labels`"),
        ("privileges = { credential_spec = {} }", "One place of credentials"),
        ("hosts = { db = [\"nowhere\"] }", "no IP address"),
        ("registry_auth = { username = \"u\" }", "password is missing"),
        ("oom_score_adj = 5", "1.46"),
        (
            "mounts = [{ target = \"/a\" }, { type = \"cluster\", source = \"v\", target = \"/x\" }]",
            "`mounts[1].type`",
        ),
        ("resources = { limits = { memory = \"16MiB\" }, memory_swap = \"0\" }", "1.52"),
        ("resources = { memory_swap = \"0\" }", "needs `limits.memory`"),
        ("secrets = [{ source = \"no-such-secret\" }]", ""),
    ] {
        let workspace = Workspace::new(testbed, &sleeper(&unique("refused"), more));
        let said = if words.is_empty() { workspace.apply_fails() } else { workspace.plan_fails() };
        let words = if words.is_empty() { "no-such-secret" } else { words };
        assert!(said.contains(words), "{more}: {said}");
    }
}

#[test]
fn a_service_can_be_made_before_its_nodes_where_nobody_waits() {
    let testbed = Testbed::shared();
    let nowhere = "placement = { constraints = [\"node.labels.nosuch==true\"] }";
    let waits = Workspace::new(testbed, &sleeper(&unique("nowhere"), nowhere));
    let said = waits.apply_fails();
    assert!(said.contains("No node can run service") && said.contains("placement.constraints"), "{said}");
    let more = format!("{nowhere}\n  wait_for = {{ replicas = false }}");
    Workspace::new(testbed, &sleeper(&unique("nowhere"), &more)).apply_and_settle();
}

#[test]
fn credentials_are_sent_and_told_to_nobody() {
    let testbed = Testbed::shared();
    let name = unique("credentials");
    let body = |version: u8| {
        sleeper(
            &name,
            &format!(
                "replicas = 0\n  registry_auth = {{ username = \"u\", password_wo = \"hush-hush-{version}\", password_wo_version = {version} }}"
            ),
        )
    };
    let workspace = Workspace::new(testbed, &body(1));
    workspace.apply_and_settle();
    let index = || testbed.docker(&["service", "inspect", &name, "--format", "{{.Version.Index}}"]);
    let before = index();
    workspace.write(&body(2));
    assert_eq!(workspace.plan().differing("swarm_service.it"), ["registry_auth"]);
    workspace.apply_and_settle();
    assert_ne!(index(), before, "new credentials are written although nothing else changed");
    let state = std::fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap();
    assert!(!state.contains("hush"), "the password is in the state");
}
