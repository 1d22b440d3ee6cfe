//! `swarm_registry_endpoint`: what a registry answers, with which certificate.

use crate::{registry_service::Registry, terraform::Workspace, testbed::Testbed};
use std::fs;

#[test]
fn a_registry_s_answer_and_certificate_are_read() {
    let testbed = Testbed::shared();
    let registry = Registry::new("endpoint");
    let address = testbed.address("hubworker01");
    let made =
        rcgen::generate_simple_self_signed(vec![address.clone(), "hub.endpoint.test".to_owned()]).unwrap();
    let more = "http = { port = 5000 }\n  tls = { certificate = file(\"hub.crt\"), private_key = file(\"hub.key\") }\n  auth = { htpasswd = { realm = \
                \"The \\\"Hub\\\"\", users = { ci = \"hunter2\" } } }";
    let hcl = |trust: &str| {
        format!(
            "{}\ndata \"swarm_registry_endpoint\" \"it\" {{\n  registry = {{ url = \"https://{address}:{}\", {trust} }}\n  \
             wait = \"30s\"\n  depends_on = [registry_service.it]\n}}\n",
            registry.hcl(more),
            registry.port
        )
    };
    let workspace = Workspace::new(testbed, &hcl("ca = file(\"hub.crt\")"));
    fs::write(workspace.path().join("hub.crt"), made.cert.pem()).unwrap();
    fs::write(workspace.path().join("hub.key"), made.signing_key.serialize_pem()).unwrap();
    workspace.apply_and_settle();
    let found = workspace.state("data.swarm_registry_endpoint.it");
    assert_eq!(
        (&found["status"], &found["auth_scheme"], &found["realm"], &found["service"]),
        (&401.into(), &"Basic".into(), &"The \"Hub\"".into(), &serde_json::Value::Null)
    );
    let names: Vec<&str> =
        found["certificate"]["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, ["hub.endpoint.test", &address]);
    assert!(found["certificate"]["not_after"].as_str().unwrap().ends_with("00:00:00Z"), "{found}");

    // A certificate that nobody trusts is an error, unless it is to be looked at all the same.
    workspace.write(&hcl("insecure = false"));
    let said = workspace.plan_fails();
    assert!(said.contains("certificate") && said.contains("refused"), "{said}");
    workspace.write(&hcl("insecure = true"));
    workspace.apply();
    assert_eq!(workspace.state("data.swarm_registry_endpoint.it")["certificate"], found["certificate"]);
    workspace.destroy();
}

#[test]
fn what_does_not_answer_is_told() {
    let hcl = "data \"swarm_registry_endpoint\" \"it\" {\n  registry = { url = \"http://127.0.0.1:9\" }\n}\n";
    let said = Workspace::new(Testbed::shared(), hcl).plan_fails();
    assert!(said.contains("127.0.0.1:9") && said.contains("refused"), "{said}");
}
