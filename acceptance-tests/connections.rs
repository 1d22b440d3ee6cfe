//! Every way to an Engine: TLS, SSH, a Docker context, and what is said where the way is barred.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded, unique},
};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// A secret of a name that no other test has.
pub fn secret() -> String {
    format!(
        "resource \"swarm_secret\" \"it\" {{\n  name = \"{}\"\n  data_wo = \"x\"\n}}\n",
        unique("connected")
    )
}

/// Applies over a connection and destroys again.
pub fn works(workspace: &Workspace) {
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

    let folder = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{ cert_path = \"{}\" }}\n}}\n",
        certificates.display()
    );
    workspace.write(&format!("{folder}{}", secret()));
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

/// A provider block with these hosts, in order.
fn managers(testbed: &Testbed, hosts: &[&str]) -> String {
    let addresses: Vec<_> =
        hosts.iter().map(|host| format!("\"tcp://{}:2375\"", testbed.address(host))).collect();
    format!("provider \"swarm\" {{\n  hosts = [{}]\n}}\n", addresses.join(", "))
}

/// `docker ARGS…` on any host, which must succeed.
fn docker_on(testbed: &Testbed, host: &str, args: &[&str]) -> String {
    let socket = format!("unix://{}", testbed.socket(host).display());
    let output = Command::new("docker").env("DOCKER_HOST", socket).args(args).output().unwrap();
    succeeded(&format!("docker {} on {host}", args.join(" ")), &output)
}

#[test]
fn a_manager_that_is_dead_costs_a_moment_and_one_that_dies_during_an_apply_loses_nothing() {
    let testbed = Testbed::start(&["--managers", "3"], &["one", "two", "three"]);
    let many = format!(
        "{}resource \"swarm_secret\" \"many\" {{\n  count = 40\n  name = \"many-${{count.index}}\"\n  data_wo = \"x\"\n}}\n",
        managers(&testbed, &["one", "two", "three"])
    );
    let workspace =
        Workspace::new(&testbed, &format!("{}{}", managers(&testbed, &["one", "two", "three"]), secret()));
    workspace.apply_and_settle();

    // One that hangs takes connections and never answers.
    testbed.run("pause", &["one"]);
    let started = Instant::now();
    workspace.plan_is_empty();
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    testbed.run("resume", &["one"]);
    workspace.destroy();

    workspace.write(&many);
    let child = workspace.spawn(&["apply", "-auto-approve", "-no-color", "-parallelism=2"]);
    let made = || docker_on(&testbed, "two", &["secret", "ls", "--quiet"]).lines().count();
    eventually("some secrets are made", || (made() > 3).then_some(()));
    testbed.run("kill", &["one"]);
    let output = child.wait_with_output().unwrap();
    succeeded("the apply whose manager died", &output);
    assert_eq!(made(), 40, "nothing is lost, and nothing is there twice");

    // The first is dead from the start now: that costs one short attempt for the whole of a command.
    let started = Instant::now();
    workspace.plan_is_empty();
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    workspace.destroy();
    assert_eq!(made(), 0);
}

#[test]
fn a_host_in_no_swarm_and_a_worker_are_passed_over() {
    let testbed = Testbed::start(&["--no-swarm"], &["bare", "made", "worker"]);
    let hosts = managers(&testbed, &["bare", "worker", "made"]);
    let workspace = Workspace::new(&testbed, &format!("{hosts}{}", secret()));
    let said = workspace.apply_fails();
    for host in ["bare", "made", "worker"] {
        assert!(
            said.contains(&format!("- tcp://{}:2375: it is in no swarm", testbed.address(host))),
            "{said}"
        );
    }
    let address = testbed.address("made");
    docker_on(&testbed, "made", &["swarm", "init", "--advertise-addr", &address]);
    let token = docker_on(&testbed, "made", &["swarm", "join-token", "--quiet", "worker"]);
    docker_on(&testbed, "worker", &["swarm", "join", "--token", token.trim(), &format!("{address}:2377")]);
    works(&workspace);
}

#[test]
fn settings_that_exclude_each_other_are_told_when_validating() {
    let workspace = Workspace::without_engine(Path::new("terraform"), "");
    for (settings, said) in [
        ("host = \"tcp://a\"\n  hosts = [\"tcp://b\"]", "`host` and `hosts`"),
        ("hosts = [\"tcp://a\", \"b\"]", "has no scheme"),
        ("hosts = []", "At least one address"),
        ("tls = { cert_path = \"x\", ca = \"y\" }", "`tls.cert_path` and `tls.ca`"),
        (
            "ssh = { private_key = \"x\", private_key_file = \"y\" }",
            "`ssh.private_key` and `ssh.private_key_file`",
        ),
        ("ssh = { host_key = \"SHA256:abc\" }", "must be a public key"),
        ("registry_auth = [{ address = \"hub\", username = \"u\" }]", "password"),
    ] {
        workspace.write(&format!("provider \"swarm\" {{\n  {settings}\n}}\n{}", secret()));
        let output = workspace.try_run(&["validate", "-no-color"]);
        let text = String::from_utf8_lossy(&output.stderr).replace(['│', '\n'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && text.contains(said), "{settings}: {text}");
    }
}

#[test]
fn what_is_not_known_yet_excludes_nothing() {
    let workspace = Workspace::without_engine(Path::new("terraform"), "");
    let settings = "host = var.a\n  hosts = var.b\n  ssh = { private_key = var.a, private_key_file = var.a, host_key = var.a, known_hosts_file = var.a }";
    let variables = "variable \"a\" {}\nvariable \"b\" {\n  type = list(string)\n}\n";
    workspace.write(&format!("{variables}provider \"swarm\" {{\n  {settings}\n}}\n{}", secret()));
    workspace.run(&["validate", "-no-color"]);
}
