//! `swarm_config`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};
use base64::{Engine, engine::general_purpose::STANDARD};

fn config(name: &str, body: &str) -> String {
    format!("resource \"swarm_config\" \"it\" {{\n  name = \"{name}\"\n{body}\n}}\n")
}

fn inspect(testbed: &Testbed, name: &str, format: &str) -> String {
    testbed.docker(&["config", "inspect", name, "--format", format])
}

fn update() -> Vec<(String, String)> {
    vec![("swarm_config.it".to_owned(), "update".to_owned())]
}

/// Starts a service that has a config, and answers its name.
fn service_with(testbed: &Testbed, config: &str, command: &str) -> String {
    let service = unique("reader");
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--restart-condition",
        "none",
        "--name",
        &service,
        "--config",
        &format!("source={config},target=/it"),
        "busybox:1",
        "sh",
        "-c",
        command,
    ]);
    service
}

#[test]
fn labels_change_in_place_and_other_data_makes_another_config() {
    let testbed = Testbed::shared();
    let name = unique("config");
    let workspace = Workspace::new(testbed, &config(&name, "data = \"x\"\nlabels = { a = \"1\" }"));
    workspace.apply_and_settle();
    let id = inspect(testbed, &name, "{{.ID}}");
    workspace.write(&config(&name, "data = \"x\"\nlabels = { b = \"2\" }"));
    let plan = workspace.plan();
    assert_eq!((plan.changes(), plan.differing("swarm_config.it")), (update(), vec!["labels".to_owned()]));
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name, "{{json .Spec.Labels}}"), r#"{"b":"2"}"#);
    assert_eq!(inspect(testbed, &name, "{{.ID}}"), id);

    // The same data in another form is the same data.
    workspace.write(&config(&name, "data_base64 = \"eA==\""));
    assert_eq!(workspace.plan().differing("swarm_config.it"), ["data", "data_base64", "labels"]);
    workspace.apply_and_settle();
    assert_eq!(inspect(testbed, &name, "{{.ID}}"), id);

    workspace.write(&config(&name, "data = \"y\""));
    assert_eq!(workspace.plan().differing("swarm_config.it"), ["data", "data_base64", "id"]);
    workspace.apply_and_settle();
    assert_ne!(inspect(testbed, &name, "{{.ID}}"), id);
    let data = STANDARD.decode(inspect(testbed, &name, "{{json .Spec.Data}}").trim_matches('"')).unwrap();
    assert_eq!(data, b"y");

    testbed.docker(&["config", "rm", &name]);
    assert_eq!(workspace.plan().changes(), [("swarm_config.it".to_owned(), "create".to_owned())]);
    workspace.apply_and_settle();
}

#[test]
fn an_import_has_the_data_and_plans_empty_as_generated_configuration_does() {
    let testbed = Testbed::shared();
    for (file, attribute) in [("/etc/passwd", "data "), ("/bin/true", "data_base64 ")] {
        let name = unique("imported");
        testbed.docker(&["config", "create", "--label", "a=1", "--template-driver", "golang", &name, file]);
        let workspace =
            Workspace::new(testbed, &format!("import {{\n  to = swarm_config.it\n  id = \"{name}\"\n}}\n"));
        workspace.run(&["plan", "-generate-config-out=generated.tf", "-no-color"]);
        let generated = std::fs::read_to_string(workspace.path().join("generated.tf")).unwrap();
        assert!(generated.contains(attribute), "{generated}");
        workspace.apply_and_settle();
        assert_eq!(workspace.state("swarm_config.it")["template_driver"], "golang");
    }
}

#[test]
fn a_template_is_filled_in_and_is_a_reason_for_a_new_generation() {
    let testbed = Testbed::shared();
    let name = unique("template");
    let body = |template: &str| {
        config(&name, &format!("generations = true\ndata = \"{{{{ .Service.Name }}}}\"\n{template}"))
    };
    let workspace = Workspace::new(testbed, &body(""));
    workspace.apply_and_settle();
    let first = workspace.state("swarm_config.it")["config_name"].as_str().unwrap().to_owned();
    workspace.write(&body("template_driver = \"golang\""));
    assert_eq!(workspace.plan().changes(), update());
    workspace.apply_and_settle();
    let second = workspace.state("swarm_config.it")["config_name"].as_str().unwrap().to_owned();
    assert!(first != second && !testbed.try_docker(&["config", "inspect", &first]).status.success());
    let service = service_with(testbed, &second, "cat /it; echo; sleep 600");
    let said = eventually("the task prints what is in the config", || {
        let output = testbed.try_docker(&["service", "logs", "--raw", &service]);
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!text.is_empty()).then_some(text)
    });
    testbed.docker(&["service", "rm", &service]);
    assert_eq!(said, service);

    // Without a template the data is to be taken as it is again.
    workspace.write(&body(""));
    assert_eq!(workspace.plan().differing("swarm_config.it"), ["config_name", "id", "template_driver"]);
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_config.it")["config_name"], first.as_str());
}

#[test]
fn a_config_in_use_keeps_its_data_and_the_service_is_named() {
    let testbed = Testbed::shared();
    let name = unique("used");
    let limit = "timeouts = { delete = \"2s\" }";
    let workspace = Workspace::new(testbed, &config(&name, &format!("data = \"x\"\n{limit}")));
    workspace.apply_and_settle();
    let service = service_with(testbed, &name, "sleep 600");
    workspace.write(&config(&name, &format!("data = \"y\"\n{limit}")));
    let said = workspace.apply_fails();
    assert!(said.contains(&service) && said.contains("generations"), "{said}");
    workspace.write("");
    let said = workspace.apply_fails();
    assert!(said.contains(&service), "{said}");
    testbed.docker(&["service", "rm", &service]);
    workspace.apply();
    assert!(!testbed.try_docker(&["config", "inspect", &name]).status.success());
}

#[test]
fn a_service_is_pointed_to_a_new_generation_in_the_same_apply_and_the_old_one_goes() {
    let testbed = Testbed::shared();
    let name = unique("rotated");
    // Its own configuration file makes the registry listen on a port that no other test has.
    let hcl = |data: &str| {
        format!(
            r#"
{}
resource "registry_service" "user" {{
  provider = swarm
  name     = "{name}"
  image    = "registry:2"
  wait_for = {{ replicas = true }}
  discard_images = true
  configs  = [{{ source = swarm_config.it.id, target = "/it" }}]
}}
"#,
            config(&name, &format!("generations = true\ndata = \"{data}\""))
        )
    };
    let workspace = Workspace::new(testbed, &hcl("one"));
    workspace.apply_and_settle();
    let first = workspace.state("swarm_config.it")["config_name"].as_str().unwrap().to_owned();
    workspace.write(&hcl("two"));
    workspace.apply_and_settle();
    let second = workspace.state("swarm_config.it")["config_name"].as_str().unwrap().to_owned();
    let used = "{{range .Spec.TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}}{{end}}";
    assert_eq!(testbed.docker(&["service", "inspect", &name, "--format", used]), second);
    // It was in use until the service's own update; the next change finds it free.
    workspace.write(&hcl("three"));
    workspace.apply_and_settle();
    assert!(!testbed.try_docker(&["config", "inspect", &first]).status.success());
    workspace.destroy();
    let left = testbed.docker(&["config", "ls", "--filter", &format!("name={name}"), "--quiet"]);
    assert_eq!(left, "");
}

#[test]
fn what_cannot_be_a_config_is_refused_at_plan() {
    let testbed = Testbed::shared();
    let big = format!("data = join(\"\", [for i in range(1024) : \"{}\"])", "x".repeat(1000));
    for (body, word) in [
        ("", "data_base64"),
        ("data = \"\"", "1 to 1023999"),
        (&big, "1024000"),
        ("data = \"x\"\ndata_base64 = \"eA==\"", "given twice"),
        ("data_base64 = \"not base64!\"", "base64"),
        ("data = \"x\"\ntemplate_driver = \"jinja\"", "golang"),
    ] {
        let said = Workspace::new(testbed, &config(&unique("bad"), body)).plan_fails();
        assert!(said.contains(word), "{body}: {said}");
    }
}

#[test]
fn a_taken_name_is_told_with_the_way_to_import() {
    let testbed = Testbed::shared();
    let name = unique("taken");
    let id = testbed.docker(&["config", "create", &name, "/etc/hostname"]);
    let said = Workspace::new(testbed, &config(&name.to_uppercase(), "data = \"x\"")).apply_fails();
    testbed.docker(&["config", "rm", &name]);
    assert!(said.contains(&format!("terraform import ADDRESS {id}")), "{said}");
}

#[test]
fn a_data_source_finds_a_config_and_its_data_by_name_and_by_id() {
    let testbed = Testbed::shared();
    let name = unique("found");
    let id = testbed.docker(&["config", "create", "--label", "a=1", &name, "/etc/passwd"]);
    let hcl = |lookup: &str| format!("data \"swarm_config\" \"it\" {{\n  {lookup}\n}}\n");
    for lookup in [format!("name = \"{name}\""), format!("id = \"{id}\"")] {
        let workspace = Workspace::new(testbed, &hcl(&lookup));
        workspace.apply_and_settle();
        let found = workspace.state("data.swarm_config.it");
        assert_eq!(found["data"], std::fs::read_to_string("/etc/passwd").unwrap());
        assert_eq!((&found["id"], &found["name"]), (&id.clone().into(), &name.clone().into()));
        assert_eq!(found["labels"]["a"], "1");
    }
    testbed.docker(&["config", "rm", &name]);
    let said = Workspace::new(testbed, &hcl(&format!("name = \"{name}\""))).plan_fails();
    assert!(said.contains(&format!("There is no config `{name}`")), "{said}");
    let said = Workspace::new(testbed, &hcl("")).plan_fails();
    assert!(said.contains("Set `id` or `name`"), "{said}");
}
