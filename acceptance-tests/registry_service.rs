//! `registry_service`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};
use std::sync::atomic::{AtomicU16, Ordering};

/// A registry of a test: a name and a port of its own, pinned to one node.
pub struct Registry {
    pub name: String,
    pub port: u16,
}

/// A port that no other test publishes.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(21000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Registry {
    pub fn new(prefix: &str) -> Self {
        Registry { name: unique(prefix), port: free_port() }
    }

    /// The resource `registry_service.it`: one replica on `hubworker01`, on a host-mode port, with `more` in it.
    pub fn hcl(&self, more: &str) -> String {
        self.with("storage = { filesystem = { volume = \"VOLUME\" } }", more)
    }

    /// The same with another storage, or none.
    pub fn with(&self, storage: &str, more: &str) -> String {
        let Registry { name, port } = self;
        let placement = if more.contains("placement") {
            String::new()
        } else {
            "  placement = { constraints = [\"node.hostname==hubworker01\"] }".to_owned()
        };
        let image =
            if more.contains("image ") { String::new() } else { "  image = \"registry:2\"".to_owned() };
        let replicas =
            if more.contains("replicas ") || more.contains("mode     ") { "" } else { "  replicas = 1" };
        let publish = if more.contains("publish ") {
            String::new()
        } else {
            format!("  publish = [{{ port = {port}, target = 5000, mode = \"host\" }}]")
        };
        format!(
            "resource \"registry_service\" \"it\" {{\n  provider = swarm\n  name = \"{name}\"\n{image}\n{replicas}\n{publish}\n{placement}\n  {}\n  {more}\n}}\n",
            storage.replace("VOLUME", name)
        )
    }
}

fn update() -> Vec<(String, String)> {
    vec![("registry_service.it".to_owned(), "update".to_owned())]
}

fn get(url: &str) -> Option<u16> {
    let output = std::process::Command::new("curl")
        .args([
            "--silent",
            "--insecure",
            "--max-time",
            "5",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            url,
        ])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().ok().filter(|status| *status != 0)
}

#[test]
fn a_registry_serves_when_apply_returns_and_is_gone_after_destroy() {
    let testbed = Testbed::shared();
    let registry = Registry::new("serves");
    let url = format!("http://{}:{}/v2/", testbed.address("hubworker01"), registry.port);
    let workspace = Workspace::new(testbed, &registry.hcl(&format!("wait_for = {{ url = \"{url}\" }}")));
    workspace.apply_and_settle();
    assert_eq!(get(&url), Some(200));
    let state = workspace.state("registry_service.it");
    assert_eq!(state["update"]["order"], "stop-first", "a host-mode port leaves no room for start-first");
    assert!(state["config_preview"].as_str().unwrap().contains("(sensitive)"));
    let config = state["config_secret"].as_str().unwrap().to_owned();
    assert!(testbed.try_docker(&["secret", "inspect", &config]).status.success());

    workspace.destroy();
    assert!(!testbed.try_docker(&["service", "inspect", &registry.name]).status.success());
    assert!(
        !testbed.try_docker(&["secret", "inspect", &config]).status.success(),
        "the provider's own secrets go too"
    );
    let tasks = testbed.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={}", registry.name)]);
    assert_eq!(tasks, "");
}

#[test]
fn every_attribute_changes_in_place() {
    let testbed = Testbed::shared();
    let registry = Registry::new("attributes");
    let workspace = Workspace::new(testbed, &registry.hcl(""));
    workspace.apply_and_settle();
    let id = workspace.state("registry_service.it")["id"].clone();
    let quick = "update = { monitor = \"10ms\", delay = \"0s\" }\n";
    for (attribute, more) in [
        ("image", "image = \"registry:2.8.2\""),
        ("labels", "labels = { team = \"hub\" }"),
        ("container_labels", "container_labels = { a = \"b\" }"),
        ("env", "env = { A = \"1\", B = \"two words\" }"),
        ("user", "user = \"0:0\""),
        ("http", "http = { drain_timeout = \"5s\", headers = { X-Test = [\"a\"] } }"),
        ("storage", "log = { level = \"debug\", format = \"json\" }"),
        ("health", "health = { storage = { interval = \"20s\" } }"),
        ("metrics", "metrics = { port = 5002 }"),
        ("extra_config", "extra_config = \"catalog: {maxentries: 50}\""),
        ("endpoint_mode", "endpoint_mode = \"dnsrr\""),
        (
            "placement",
            "placement = { constraints = [\"node.hostname==hubworker01\"], spread = [\"node.labels.zone\"], max_replicas_per_node = 2 }",
        ),
        (
            "resources",
            "resources = { limits = { cpus = 0.5, memory = \"256MiB\", pids = 100 }, reservations = { cpus = 0.01, memory = \"16MiB\" } }",
        ),
        (
            "update",
            "update = { order = \"stop-first\", parallelism = 2, delay = \"1s\", monitor = \"1s\", failure_action = \"pause\", max_failure_ratio = 0.1 }",
        ),
        (
            "rollback",
            "rollback = { order = \"stop-first\", parallelism = 2, delay = \"1s\", monitor = \"1s\", failure_action = \"continue\", max_failure_ratio = 0.25 }",
        ),
        (
            "restart",
            "restart = { condition = \"on-failure\", delay = \"1s\", max_attempts = 3, window = \"1m\" }",
        ),
        (
            "healthcheck",
            "healthcheck = { command = [\"CMD\", \"true\"], interval = \"1s\", timeout = \"1s\", retries = 2, start_period = \"1s\" }",
        ),
        ("stop_grace_period", "stop_grace_period = \"50s\""),
        ("logging", "logging = { driver = \"json-file\", options = { max-size = \"1m\" } }"),
        (
            "mounts",
            "mounts = [{ type = \"tmpfs\", target = \"/scratch\", tmpfs_size = \"16MiB\" }, { type = \"bind\", source = \"/etc/hostname\", target = \"/host\", read_only = true }]",
        ),
        ("replicas", "replicas = 0"),
    ] {
        let quick = if matches!(attribute, "update") { "" } else { quick };
        workspace.write(&registry.hcl(&format!("{quick}{more}")));
        let plan = workspace.plan();
        assert_eq!(plan.changes(), update(), "{attribute}: {}", plan.text);
        workspace.apply_and_settle();
        assert_eq!(workspace.state("registry_service.it")["id"], id, "{attribute} was changed in place");
    }
    // And back to nothing.
    workspace.write(&registry.hcl(""));
    assert_eq!(workspace.plan().changes(), update());
    workspace.apply_and_settle();
}

#[test]
fn name_and_mode_replace() {
    let testbed = Testbed::shared();
    let registry = Registry::new("replaced");
    let shared = "storage = { filesystem = { volume = \"VOLUME\", shared = true } }";
    let workspace = Workspace::new(testbed, &registry.with(shared, ""));
    workspace.apply_and_settle();
    workspace.write(&registry.with(shared, "mode     = \"global\""));
    assert_eq!(workspace.plan().changes(), [("registry_service.it".to_owned(), "delete+create".to_owned())]);
    workspace.apply_and_settle();
    let other = Registry { name: unique("renamed"), port: registry.port };
    workspace.write(&other.with(shared, "mode     = \"global\""));
    assert_eq!(workspace.plan().changes(), [("registry_service.it".to_owned(), "delete+create".to_owned())]);
    workspace.apply_and_settle();
}

#[test]
fn replicas_can_be_left_to_others() {
    let testbed = Testbed::shared();
    let registry = Registry::new("autoscaled");
    let hcl = registry.hcl("").replace("  replicas = 1", "");
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    testbed.docker(&["service", "scale", "--detach", &format!("{}=0", registry.name)]);
    workspace.plan_is_empty();
    workspace.write(&hcl.replace("provider = swarm", "provider = swarm\n  env = { A = \"1\" }"));
    workspace.apply_and_settle();
    let replicas = testbed.docker(&[
        "service",
        "inspect",
        &registry.name,
        "--format",
        "{{.Spec.Mode.Replicated.Replicas}}",
    ]);
    assert_eq!(replicas, "0");
}

/// The article's `docker service create`, in the words of its author.
fn article(testbed: &Testbed, name: &str, port: u16) -> [String; 2] {
    let [crt, key] = [format!("{name}.crt"), format!("{name}.key")];
    for secret in [&crt, &key] {
        testbed.docker(&["secret", "create", secret, "/etc/hostname"]);
    }
    testbed.docker(&[
        "service",
        "create",
        "--detach",
        "--quiet",
        "--no-resolve-image",
        "--name",
        name,
        "--secret",
        &crt,
        "--secret",
        &key,
        "--constraint",
        "node.hostname==hubworker01",
        "-e",
        "REGISTRY_HTTP_ADDR=0.0.0.0:443",
        "-e",
        &format!("REGISTRY_HTTP_TLS_CERTIFICATE=/run/secrets/{crt}"),
        "-e",
        &format!("REGISTRY_HTTP_TLS_KEY=/run/secrets/{key}"),
        "--publish",
        &format!("published={port},target=443,mode=host"),
        "--replicas",
        "1",
        "registry",
    ]);
    [crt, key]
}

#[test]
fn the_article_s_service_is_adopted_as_it_is() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("article"), free_port());
    let [crt, key] = article(testbed, &name, port);
    let before = testbed.docker(&["service", "inspect", &name, "--format", "{{json .Spec}}"]);
    let hcl = format!(
        r#"
resource "registry_service" "it" {{
  provider = swarm
  name     = "{name}"
  image    = "registry"
  replicas = 1

  env = {{
    REGISTRY_HTTP_ADDR            = "0.0.0.0:443"
    REGISTRY_HTTP_TLS_CERTIFICATE = "/run/secrets/{crt}"
    REGISTRY_HTTP_TLS_KEY         = "/run/secrets/{key}"
  }}

  secrets   = [{{ source = "{crt}" }}, {{ source = "{key}" }}]
  publish   = [{{ port = {port}, mode = "host" }}]
  placement = {{ constraints = ["node.hostname==hubworker01"] }}
}}
"#
    );
    let id = testbed.docker(&["service", "inspect", &name, "--format", "{{.ID}}"]);
    for by in [&name, &id] {
        let workspace = Workspace::new(testbed, &hcl);
        workspace.run(&["import", "registry_service.it", by]);
        workspace.plan_is_empty();
        let after = testbed.docker(&["service", "inspect", &name, "--format", "{{json .Spec}}"]);
        assert_eq!(after, before, "an import changes nothing");
        if by == &id {
            // Adopted for good: destroyed by Terraform.
            workspace.destroy();
        } else {
            workspace.run(&["state", "rm", "registry_service.it"]);
        }
    }
    assert!(!testbed.try_docker(&["service", "inspect", &name]).status.success());
    testbed.docker(&["secret", "rm", &crt, &key]);
}

#[test]
fn both_names_are_one_resource() {
    let testbed = Testbed::shared();
    let registry = Registry::new("moved");
    let workspace = Workspace::new(testbed, &registry.hcl(""));
    workspace.apply_and_settle();
    let there =
        registry.hcl("").replace("resource \"registry_service\"", "resource \"swarm_registry_service\"");
    workspace.write(&format!(
        "{there}\nmoved {{\n  from = registry_service.it\n  to = swarm_registry_service.it\n}}\n"
    ));
    workspace.apply_and_settle();
    workspace.write(&format!(
        "{}\nmoved {{\n  from = swarm_registry_service.it\n  to = registry_service.it\n}}\n",
        registry.hcl("")
    ));
    workspace.apply_and_settle();
}

#[test]
fn what_cannot_start_ends_the_apply_with_its_reason() {
    let testbed = Testbed::shared();
    for (more, words) in [
        ("image = \"registry:2-nosuch\"", vec!["No such image", "registry:2-nosuch"]),
        ("placement = { constraints = [\"node.labels.nosuch==true\"] }", vec!["node.labels.nosuch"]),
        (
            "healthcheck = { command = [\"CMD\", \"false\"], interval = \"500ms\", retries = 1, timeout = \"1s\" }",
            vec!["health check", "again and again"],
        ),
        (
            "resources = { limits = { memory = \"4MiB\" } }\n  mounts = [{ type = \"bind\", source = \"/nosuch\", target = \"/x\" }]",
            vec!["/nosuch"],
        ),
    ] {
        let registry = Registry::new("cannot-start");
        let workspace = Workspace::new(testbed, &registry.hcl(more));
        let begin = std::time::Instant::now();
        let said = workspace.apply_fails();
        for word in words {
            assert!(said.contains(word), "{more}: {said}");
        }
        // The limit of creating is ten minutes: it was not waited for.
        assert!(begin.elapsed().as_secs() < 120, "{more}");
    }
}

#[test]
fn a_crash_shows_the_registry_s_last_words() {
    let testbed = Testbed::shared();
    let registry = Registry::new("crashing");
    let crashing = registry.with("", "args = [\"serve\", \"/nosuch.yml\"]");
    let said = Workspace::new(testbed, &crashing).apply_fails();
    assert!(said.contains("/nosuch.yml: no such file"), "{said}");
}

#[test]
fn a_failed_update_keeps_the_service_and_says_why() {
    let testbed = Testbed::shared();
    let registry = Registry::new("failed-update");
    let quick = "update = { monitor = \"500ms\", delay = \"0s\", failure_action = \"rollback\" }\n";
    let workspace = Workspace::new(testbed, &registry.hcl(quick));
    workspace.apply_and_settle();
    let id = workspace.state("registry_service.it")["id"].clone();
    workspace.write(&registry.hcl(&format!("{quick}image = \"registry:2-nosuch\"")));
    let said = workspace.apply_fails();
    assert!(said.contains("No such image") || said.contains("roll"), "{said}");
    // The state is what is there, so what was asked for is still to be done.
    let plan = workspace.plan();
    assert_eq!(plan.changes(), update(), "{}", plan.text);
    workspace.write(&registry.hcl(quick));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("registry_service.it")["id"], id);
}

#[test]
fn a_certificate_is_rotated_without_leaving_old_secrets() {
    let testbed = Testbed::shared();
    let registry = Registry::new("rotated");
    let folder = tempfile::tempdir().unwrap();
    let certificate = |name: &str| {
        let (key, crt) =
            (folder.path().join(format!("{name}.key")), folder.path().join(format!("{name}.crt")));
        let output = std::process::Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "90",
            ])
            .args(["-subj", "/CN=hub.test", "-addext", "subjectAltName=DNS:hub.test", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&crt)
            .output()
            .unwrap();
        crate::testbed::succeeded("openssl", &output);
        [crt, key].map(|file| std::fs::read_to_string(file).unwrap())
    };
    let hcl = |[crt, key]: &[String; 2], version: u8| {
        registry
            .hcl(&format!(
                "url = \"https://hub.test\"\n  update = {{ monitor = \"10ms\", delay = \"0s\" }}\n  tls = {{\n    certificate = <<-PEM\n{crt}PEM\n    private_key_wo = <<-PEM\n{key}PEM\n    private_key_wo_version = {version}\n  }}\n"
            ))
            .replace("target = 5000, ", "")
    };
    let (first, second) = (certificate("first"), certificate("second"));
    let workspace = Workspace::new(testbed, &hcl(&first, 1));
    workspace.apply_and_settle();
    let served = || {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!(
                "openssl s_client -connect {}:{} -servername hub.test </dev/null 2>/dev/null | openssl x509",
                testbed.address("hubworker01"),
                registry.port
            ))
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    eventually("the first certificate is served", || (served().trim() == first[0].trim()).then_some(()));
    for (certificate, version) in [(&second, 2), (&first, 3), (&second, 4)] {
        workspace.write(&hcl(certificate, version));
        assert_eq!(workspace.plan().changes(), update());
        workspace.apply_and_settle();
        eventually("the new certificate is served", || {
            (served().trim() == certificate[0].trim()).then_some(())
        });
    }
    let left = testbed.docker(&[
        "secret",
        "ls",
        "--filter",
        &format!("name={}", registry.name),
        "--format",
        "{{.Name}}",
    ]);
    // Of certificate and key one older generation stays for a rollback; the configuration never changed.
    assert!(left.lines().count() <= 5, "{left}");

    // A key of another certificate is refused before anything changes.
    let good = hcl(&second, 4);
    workspace.write(&hcl(&[first[0].clone(), second[1].clone()], 5));
    let said = workspace.plan_fails();
    assert!(said.contains("key") && said.contains("certificate"), "{said}");
    // A key that changes under its version would not be sent, but to another registry all of it is.
    let other = hcl(&first, 4);
    workspace.write(&other);
    assert!(workspace.plan_fails().contains("Raise `tls.private_key_wo_version`"));
    workspace.write(&other.replace(&format!("name = \"{}\"", registry.name), "name = \"another\""));
    let planned = workspace.plan();
    assert_eq!(planned.changes()[0].1, "delete+create", "{}", planned.text);
    workspace.write(&good);
}

#[test]
fn networks_configs_and_generations_of_secrets_are_joined_and_let_go() {
    let testbed = Testbed::shared();
    let registry = Registry::new("joined");
    let (network, config, secret) = (unique("net"), unique("cfg"), unique("rotating"));
    let id = testbed.docker(&["network", "create", "--driver", "overlay", &network]);
    testbed.docker(&["config", "create", &config, "/etc/hostname"]);
    let hcl = |version: u8, more: &str| {
        let it = registry.hcl(&format!(
            "update = {{ monitor = \"10ms\", delay = \"0s\" }}\n  secrets = [{{ source = swarm_secret.it.id, target = \"it\" }}]\n  {more}"
        ));
        format!(
            "resource \"swarm_secret\" \"it\" {{\n  name = \"{secret}\"\n  generations = true\n  data_wo = \"{version}\"\n  data_wo_version = {version}\n}}\n{it}"
        )
    };
    let workspace = Workspace::new(testbed, &hcl(1, ""));
    workspace.apply_and_settle();
    let first = workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap().to_owned();
    for more in [
        format!("networks = [{{ network = \"{network}\", aliases = [\"hub\"] }}]"),
        format!(
            "networks = [{{ network = \"{id}\" }}]\n  configs = [{{ source = \"{config}\", target = \"/etc/it\", mode = \"0400\" }}]"
        ),
    ] {
        workspace.write(&hcl(1, &more));
        assert_eq!(workspace.plan().changes(), update());
        workspace.apply_and_settle();
    }

    // New data: a new generation, the service pointed to it, and the old one gone, in one apply.
    workspace.write(&hcl(2, ""));
    workspace.apply_and_settle();
    let second = workspace.state("swarm_secret.it")["secret_name"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(testbed.docker(&["service", "inspect", &registry.name]).contains(&second));
    assert!(
        !testbed.try_docker(&["secret", "inspect", &first]).status.success(),
        "the old generation is gone"
    );
    workspace.destroy();
    testbed.docker(&["config", "rm", &config]);
    testbed.docker(&["network", "rm", &network]);
}
