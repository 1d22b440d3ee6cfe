//! What becomes of what the registry needs beside its configuration file: files, variables, mounts.

use crate::{
    registry_service::Registry,
    terraform::Workspace,
    testbed::{Testbed, unique},
};

/// Changes that somebody else makes by `docker service update`, and the attribute at which they show.
fn shows_and_is_put_right(workspace: &Workspace, testbed: &Testbed, name: &str, args: &[&str], at: &str) {
    let update = [&["service", "update", "--detach", "--quiet"], args, &[name]].concat();
    testbed.docker(&update);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("registry_service.it".to_owned(), "update".to_owned())], "{args:?}");
    let differing = plan.differing("registry_service.it");
    assert!(differing.contains(&at.to_owned()), "{args:?}: {differing:?}");
    workspace.apply_and_settle();
}

#[test]
fn what_somebody_else_does_to_files_variables_and_mounts_shows() {
    let testbed = Testbed::shared();
    let (name, own, other) = (unique("drifting"), unique("own"), unique("other"));
    for secret in [&own, &other] {
        testbed.docker(&["secret", "create", secret, "/etc/hostname"]);
    }
    let workspace = Workspace::new(
        testbed,
        &format!(
            r#"
resource "registry_service" "it" {{
  provider          = swarm
  name              = "{name}"
  image             = "registry:3.1"
  replicas          = 0
  wait_for          = {{ replicas = false }}
  storage           = {{ filesystem = {{ volume = "images" }} }}
  trusted_ca_secret = "{own}"
  tracing           = {{ endpoint = "http://collector:4318" }}
  publish           = [{{ port = 443, mode = "host" }}]
  tls               = {{ lets_encrypt = {{ hosts = ["hub.example.com"], volume = "acme" }} }}
}}
"#
        ),
    );
    workspace.apply_and_settle();
    let trusted = format!("source={other},target=registry-trusted-ca/ca.pem");
    for (args, at) in [
        (vec!["--env-add", "OTEL_EXPORTER_OTLP_ENDPOINT=http://other:4318"], "env"),
        (vec!["--env-rm", "OTEL_TRACES_EXPORTER"], "config_secret"),
        (vec!["--env-rm", "SSL_CERT_DIR"], "config_secret"),
        (vec!["--secret-rm", &own], "config_secret"),
        (vec!["--secret-rm", &own, "--secret-add", &trusted], "config_secret"),
        (vec!["--mount-rm", "/var/lib/registry-acme"], "tls"),
        (
            vec![
                "--mount-rm",
                "/var/lib/registry-acme",
                "--mount-add",
                "type=volume,source=acme,target=/var/lib/registry-acme,readonly",
            ],
            "tls",
        ),
    ] {
        shows_and_is_put_right(&workspace, testbed, &name, &args, at);
    }
    workspace.destroy();
    testbed.docker(&["secret", "rm", &own, &other]);
}

#[test]
fn a_variable_that_the_provider_would_set_too_is_no_difference() {
    let testbed = Testbed::shared();
    let name = unique("same-env");
    let hcl = format!(
        "resource \"registry_service\" \"it\" {{\n  provider = swarm\n  name = \"{name}\"\n  image = \"registry:3.1\"\n  replicas = 0\n  wait_for = {{ replicas = false }}\n  storage = {{ filesystem = {{ volume = \"images\" }} }}\n  env = {{ OTEL_TRACES_EXPORTER = \"none\" }}\n}}\n"
    );
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    workspace.write(&hcl.replace("  env = { OTEL_TRACES_EXPORTER = \"none\" }\n", ""));
    workspace.apply_and_settle();
}

#[test]
fn older_generations_stay_as_many_as_are_to_be_kept() {
    let testbed = Testbed::shared();
    let name = unique("kept");
    let hcl = |catalog: u8, kept: u8| {
        format!(
            "resource \"registry_service\" \"it\" {{\n  provider = swarm\n  name = \"{name}\"\n  image = \"registry:2\"\n  replicas = 0\n  wait_for = {{ replicas = false }}\n  storage = {{ filesystem = {{ volume = \"images\" }} }}\n  limits = {{ catalog_page = {catalog} }}\n  keep_secrets = {kept}\n}}\n"
        )
    };
    let there = || {
        let name = format!("name={name}");
        testbed.docker(&["secret", "ls", "--quiet", "--filter", &name]).lines().count()
    };
    let workspace = Workspace::new(testbed, &hcl(1, 2));
    for (catalog, kept, expected) in
        [(1, 2, 1), (2, 2, 2), (3, 2, 3), (4, 2, 3), (4, 1, 2), (4, 0, 1), (5, 0, 1)]
    {
        workspace.write(&hcl(catalog, kept));
        workspace.apply_and_settle();
        assert_eq!(there(), expected, "{catalog} {kept}");
    }
    workspace.destroy();
    assert_eq!(there(), 0);
}

/// A registry that caches another does not start unless that other one answers, and is trusted.
#[test]
fn a_trusted_authority_is_trusted_beside_the_system_s() {
    let testbed = Testbed::shared();
    let (upstream, cache) = (Registry::new("upstream"), Registry::new("trusting"));
    let address = testbed.address("hubworker01");
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![address.clone()]).unwrap();
    let (certificate, key) = (params.self_signed(&key).unwrap().pem(), key.serialize_pem());
    let first = upstream
        .hcl(&format!(
            "tls = {{\n    certificate = <<-PEM\n{certificate}PEM\n    private_key_wo = <<-PEM\n{key}PEM\n  }}"
        ))
        .replace("target = 5000", "target = 443")
        .replace("\"it\"", "\"upstream\"");
    let second = cache.hcl(&format!(
        "proxy = {{ remote_url = \"https://{address}:{}\" }}\n  trusted_ca = <<-PEM\n{certificate}PEM\n  depends_on = [registry_service.upstream]",
        upstream.port
    ));
    let workspace = Workspace::new(testbed, &format!("{first}{second}"));
    workspace.apply_and_settle();
    let env = testbed.docker(&[
        "service",
        "inspect",
        &cache.name,
        "--format",
        "{{json .Spec.TaskTemplate.ContainerSpec.Env}}",
    ]);
    assert_eq!(env, r#"["SSL_CERT_DIR=/run/secrets/registry-trusted-ca:/etc/ssl/certs"]"#);
}
