//! Every way to an Engine: TLS, SSH, a Docker context, and what is said where the way is barred.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, succeeded, unique},
};
use std::process::Command;

fn secret() -> String {
    format!(
        "resource \"swarm_secret\" \"it\" {{\n  name = \"{}\"\n  data_wo = \"x\"\n}}\n",
        unique("connected")
    )
}

/// Applies over a connection and destroys again.
fn works(workspace: &Workspace) {
    workspace.apply_and_settle();
    workspace.destroy();
}

#[test]
fn tls_with_certificates_from_the_environment_the_provider_block_and_a_context() {
    let testbed = Testbed::start(&["--tls"], &["secured"]);
    let (host, certificates) = (format!("tcp://{}:2376", testbed.address("secured")), testbed.file("tls"));
    let mut workspace = Workspace::new(&testbed, &secret());
    workspace.set("DOCKER_HOST", &host);
    let said = workspace.apply_fails();
    assert!(said.contains(&host) && said.contains("Give the CA certificate"), "{said}");

    workspace.set("DOCKER_TLS_VERIFY", "1");
    workspace.set("DOCKER_CERT_PATH", &certificates.display().to_string());
    works(&workspace);

    // The certificates of the provider block go before any others.
    workspace.set("DOCKER_CERT_PATH", "");
    workspace.set("DOCKER_TLS_VERIFY", "");
    let file = |name: &str| certificates.join(name).display().to_string();
    let block = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{\n    ca = file(\"{}\")\n    certificate = file(\"{}\")\n    private_key = file(\"{}\")\n  }}\n}}\n",
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem")
    );
    workspace.write(&format!("{block}{}", secret()));
    works(&workspace);

    // A client without a certificate is told so.
    let no_client = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{ ca = file(\"{}\") }}\n}}\n",
        file("ca.pem")
    );
    workspace.write(&format!("{no_client}{}", secret()));
    let said = workspace.apply_fails();
    assert!(said.contains("certificate"), "{said}");

    let config = workspace.path().join("docker-config");
    let output = Command::new("docker")
        .env("DOCKER_CONFIG", &config)
        .args(["context", "create", "secured", "--docker"])
        .arg(format!("host={host},ca={},cert={},key={}", file("ca.pem"), file("cert.pem"), file("key.pem")))
        .output()
        .unwrap();
    succeeded("docker context create", &output);
    workspace.write(&format!("provider \"swarm\" {{\n  context = \"secured\"\n}}\n{}", secret()));
    workspace.set("DOCKER_CONFIG", &config.display().to_string());
    works(&workspace);
}

#[test]
fn ssh_and_an_ssh_that_is_refused() {
    let testbed = Testbed::start(&["--ssh"], &["reached"]);
    let mut workspace = Workspace::new(&testbed, &secret());
    workspace.set("DOCKER_HOST", &format!("ssh://root@{}", testbed.address("reached")));
    // The ssh of this machine knows neither the host's key nor one of its users.
    let said = workspace.apply_fails();
    assert!(said.contains("ssh") && said.contains(&testbed.address("reached")), "{said}");

    let path = format!("{}:{}", testbed.file("ssh/bin").display(), std::env::var("PATH").unwrap());
    workspace.set("PATH", &path);
    works(&workspace);
}
