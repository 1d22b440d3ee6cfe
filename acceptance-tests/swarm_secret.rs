//! `swarm_secret`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use base64::{Engine, engine::general_purpose::STANDARD};

fn secret(name: &str, body: &str) -> String {
    format!("resource \"swarm_secret\" \"it\" {{\n  name = \"{name}\"\n{body}\n}}\n")
}

fn inspect(testbed: &Testbed, name: &str, format: &str) -> String {
    testbed.docker(&["secret", "inspect", name, "--format", format])
}

fn update() -> Vec<(String, String)> {
    vec![("swarm_secret.it".to_owned(), "update".to_owned())]
}

#[test]
fn labels_change_in_place_and_can_be_left_to_others() {
    let testbed = Testbed::shared();
    let name = unique("labels");
    let workspace =
        Workspace::new(testbed, &secret(&name, "data_wo = \"x\"\nlabels = { a = \"1\", b = \"2\" }"));
    workspace.apply_and_settle();
    let id = inspect(testbed, &name, "{{.ID}}");
    workspace.write(&secret(&name, "data_wo = \"x\"\nlabels = { a = \"3\" }"));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), update());
    assert_eq!(plan.differing("swarm_secret.it"), ["labels"]);
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name, "{{json .Spec.Labels}}"), r#"{"a":"3"}"#);
    assert_eq!(inspect(testbed, &name, "{{.ID}}"), id);

    workspace.write(&secret(&name, "data_wo = \"x\""));
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name, "{{json .Spec.Labels}}"), "{}");
}

#[test]
fn new_data_of_a_fixed_name_makes_a_new_secret() {
    let testbed = Testbed::shared();
    let name = unique("fixed");
    let workspace = Workspace::new(testbed, &secret(&name, "data_wo = \"x\""));
    workspace.apply_and_settle();
    let id = inspect(testbed, &name, "{{.ID}}");
    workspace.write(&secret(&name, "data_wo = \"y\""));
    workspace.plan_is_empty();
    workspace.write(&secret(&name, "data_wo = \"y\"\ndata_wo_version = 2"));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), update());
    assert_eq!(plan.differing("swarm_secret.it"), ["data_wo_version", "id"]);
    workspace.apply_and_settle();
    assert_ne!(inspect(testbed, &name, "{{.ID}}"), id);
    assert_eq!(workspace.state("swarm_secret.it")["id"], inspect(testbed, &name, "{{.ID}}"));
}

#[test]
fn every_form_of_data_arrives_as_it_is() {
    let testbed = Testbed::shared();
    let binary = [0_u8, 255, 10, 13, 128];
    let encoded = STANDARD.encode(binary);
    for (attribute, value, bytes) in [
        ("data_wo", "grüße", "grüße".as_bytes()),
        ("data", "plain", b"plain".as_slice()),
        ("data_base64_wo", &encoded, &binary),
        ("data_base64", &encoded, &binary),
    ] {
        let name = unique("form");
        let workspace = Workspace::new(testbed, &secret(&name, &format!("{attribute} = \"{value}\"")));
        workspace.apply_and_settle();
        let service = unique("reader");
        // A task alone sees what is in a secret; it tells the length and the octets.
        testbed.docker(&[
            "service",
            "create",
            "--quiet",
            "--detach",
            "--no-resolve-image",
            "--name",
            &service,
            "--secret",
            &format!("source={name},target=it"),
            "--restart-condition",
            "none",
            "busybox:1",
            "sh",
            "-c",
            "od -An -v -tx1 /run/secrets/it | tr -d ' \\n'; echo; sleep 600",
        ]);
        let wanted: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let found = crate::testbed::eventually("the task prints what is in the secret", || {
            let output = testbed.try_docker(&["service", "logs", "--raw", &service]);
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            (!text.is_empty()).then_some(text)
        });
        testbed.docker(&["service", "rm", &service]);
        assert_eq!(found, wanted, "{attribute}");
    }
}

#[test]
fn generations_follow_the_data_and_the_old_one_goes() {
    let testbed = Testbed::shared();
    let name = unique("gen");
    let body = |data: &str, version: u8| {
        secret(&name, &format!("generations = true\ndata_wo = \"{data}\"\ndata_wo_version = {version}"))
    };
    let workspace = Workspace::new(testbed, &body("one", 1));
    workspace.apply_and_settle();
    let first = workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap().to_owned();
    assert!(first.starts_with(&format!("{name}-")), "{first}");
    let service = unique("holder");
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &service,
        "--secret",
        &first,
        "busybox:1",
        "sleep",
        "600",
    ]);

    workspace.write(&body("two", 2));
    assert_eq!(workspace.plan().differing("swarm_secret.it"), ["data_wo_version", "id", "secret_name"]);
    workspace.apply_and_settle();
    let second = workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(testbed.try_docker(&["secret", "inspect", &first]).status.success(), "what a service uses stays");

    testbed.docker(&["service", "rm", &service]);
    workspace.write(&body("three", 3));
    workspace.apply_and_settle();
    let left =
        testbed.docker(&["secret", "ls", "--filter", &format!("name={name}"), "--format", "{{.Name}}"]);
    assert_eq!(left, workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap());
}

#[test]
fn a_secret_in_use_is_not_changed_and_the_user_is_named() {
    let testbed = Testbed::shared();
    let (name, service) = (unique("used"), unique("user"));
    let workspace =
        Workspace::new(testbed, &secret(&name, "data_wo = \"x\"\ntimeouts = { delete = \"2s\" }"));
    workspace.apply_and_settle();
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &service,
        "--secret",
        &name,
        "busybox:1",
        "sleep",
        "600",
    ]);
    workspace.write(&secret(&name, "data_wo = \"y\"\ndata_wo_version = 2\ntimeouts = { delete = \"2s\" }"));
    let said = workspace.apply_fails();
    assert!(said.contains(&service) && said.contains("generations"), "{said}");
    // Nothing changed, so the same plan is there again.
    assert_eq!(workspace.plan().differing("swarm_secret.it"), ["data_wo_version", "id"]);
    workspace.write("");
    let said = workspace.apply_fails();
    assert!(said.contains(&service), "{said}");
    testbed.docker(&["service", "rm", &service]);
    workspace.apply_and_settle();
    assert!(!testbed.try_docker(&["secret", "inspect", &name]).status.success());
}

#[test]
fn a_delete_waits_for_the_service_to_let_go() {
    let testbed = Testbed::shared();
    let (name, service) = (unique("waited"), unique("letting-go"));
    let workspace = Workspace::new(testbed, &secret(&name, "data_wo = \"x\""));
    workspace.apply_and_settle();
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &service,
        "--secret",
        &name,
        "busybox:1",
        "sleep",
        "600",
    ]);
    let destroy = workspace.spawn(&["destroy", "-auto-approve", "-no-color"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    testbed.docker(&["service", "rm", &service]);
    let output = destroy.wait_with_output().unwrap();
    crate::testbed::succeeded("terraform destroy", &output);
}

#[test]
fn an_import_plans_empty() {
    let testbed = Testbed::shared();
    let name = unique("imported");
    let made = testbed.docker(&["secret", "create", "--label", "a=1", &name, "/etc/hostname"]);
    for id in [&name, &made] {
        let workspace = Workspace::new(testbed, &secret(&name, "labels = { a = \"1\" }"));
        workspace.run(&["import", "swarm_secret.it", id]);
        workspace.plan_is_empty();
        workspace
            .write(&secret(&name, "labels = { a = \"1\" }\ndata_wo = \"whatever\"\ndata_wo_version = 1"));
        workspace.plan_is_empty();
        workspace.run(&["state", "rm", "swarm_secret.it"]);
    }
    testbed.docker(&["secret", "rm", &name]);
}

#[test]
fn a_taken_name_is_told_with_the_way_to_import() {
    let testbed = Testbed::shared();
    let name = unique("taken");
    let id = testbed.docker(&["secret", "create", &name, "/etc/hostname"]);
    let workspace = Workspace::new(testbed, &secret(&name.to_uppercase(), "data_wo = \"x\""));
    let said = workspace.apply_fails();
    assert!(said.contains(&format!("terraform import ADDRESS {id}")), "{said}");
    testbed.docker(&["secret", "rm", &name]);
}

#[test]
fn what_cannot_be_a_secret_is_refused_at_plan() {
    let testbed = Testbed::shared();
    for (body, word) in [
        ("", "data_wo"),
        ("data_wo = \"\"", "1 to 511999"),
        ("data_wo = \"x\"\ndata = \"y\"", "given twice"),
        ("data_base64 = \"not base64!\"", "base64"),
        ("data = join(\"\", [for i in range(512) : join(\"\", [for j in range(1000) : \"x\"])])", "512000"),
        ("data_wo = \"x\"\ntimeouts = { create = \"soon\" }", "timeouts.create"),
    ] {
        let said = Workspace::new(testbed, &secret(&unique("bad"), body)).plan_fails();
        assert!(said.contains(word), "{body}: {said}");
    }
    let said = Workspace::new(testbed, &secret(".bad-", "data_wo = \"x\"")).plan_fails();
    assert!(said.contains("`name`") && said.contains("64 characters"), "{said}");
}

#[test]
fn a_data_source_finds_a_secret_without_what_is_in_it() {
    let testbed = Testbed::shared();
    let name = unique("found");
    let id = testbed.docker(&["secret", "create", "--template-driver", "golang", &name, "/etc/hostname"]);
    let workspace =
        Workspace::new(testbed, &format!("data \"swarm_secret\" \"it\" {{\n  name = \"{name}\"\n}}\n"));
    workspace.apply_and_settle();
    let found = workspace.state("data.swarm_secret.it");
    assert_eq!((&found["id"], &found["template_driver"]), (&id.into(), &"golang".into()));
    assert!(found["created_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{found}");
    drop(workspace);
    testbed.docker(&["secret", "rm", &name]);
}

#[test]
fn an_imported_secret_without_data_is_not_made_anew() {
    let testbed = Testbed::shared();
    let name = unique("taken");
    let id = testbed.docker(&["secret", "create", "--template-driver", "golang", &name, "/etc/hostname"]);
    let body = |more: &str| {
        let import = format!("import {{\n  to = swarm_secret.it\n  id = \"{id}\"\n}}\n");
        import + &secret(&name, more)
    };
    let workspace = Workspace::new(testbed, &body(""));
    let said = workspace.plan_fails();
    assert!(said.contains("data of the secret is missing") && said.contains("another driver"), "{said}");
    workspace.write(&body("template_driver = \"golang\""));
    workspace.apply_and_settle();
    workspace.destroy();
}

#[test]
fn an_engine_without_the_plugin_of_a_driver_says_so() {
    let testbed = Testbed::shared();
    let driver = "driver = { name = \"no-such-plugin\", options = { a = \"b\" } }";
    let said = Workspace::new(testbed, &secret(&unique("driver"), driver)).apply_fails();
    assert!(said.contains("no-such-plugin"), "{said}");
    let said =
        Workspace::new(testbed, &secret(&unique("bad"), &format!("data_wo = \"x\"\n{driver}"))).plan_fails();
    assert!(said.contains("given twice"), "{said}");
}
