//! `swarm_registry_trust`: what it promises.

use crate::{
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};
use std::{
    fs,
    path::PathBuf,
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
};

const HOST: &str = "hub.docker.local:5000";
const IMAGE: &str = "hub.docker.local:5000/team/app:1";

/// An authority of one's own, and a certificate that it has signed for the registry.
struct Authority {
    ca: String,
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let authority =
            rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["hub.docker.local".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        Authority { ca: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// The resource `swarm_registry_trust.it`.
fn trust(ca: &str, more: &str) -> String {
    format!(
        "resource \"swarm_registry_trust\" \"it\" {{\n  host = \"{HOST}\"\n  ca = <<EOT\n{ca}\nEOT\n{more}\n}}\n"
    )
}

/// A registry on `hubmgr` that serves with such a certificate.
fn registry(authority: &Authority) -> String {
    format!(
        "resource \"registry_service\" \"hub\" {{\n  provider = swarm\n  name = \"hub\"\n  image = \"registry:2\"\n  \
         replicas = 1\n  publish = [{{ port = 5000, mode = \"host\" }}]\n  http = {{ port = 5000 }}\n  \
         placement = {{ constraints = [\"node.hostname==hubmgr\"] }}\n  \
         storage = {{ filesystem = {{ volume = \"hub\" }} }}\n  \
         tls = {{\n    certificate = <<EOT\n{}EOT\n    private_key = <<EOT\n{}EOT\n  }}\n}}\n",
        authority.certificate, authority.key
    )
}

/// A swarm whose Engines trust no registry, of two releases.
fn strict() -> Testbed {
    let testbed = Testbed::start(&["--strict"], &["hubmgr", "hubworker01@28.5", "late"]);
    testbed.run("alias", &["hub.docker.local", "hubmgr"]);
    testbed
}

/// Where a host keeps the certificates of registries, on its own disk.
fn certificates(testbed: &Testbed, host: &str) -> PathBuf {
    testbed.file(&format!("hosts/{host}/disk/etc-docker/certs.d"))
}

fn file(testbed: &Testbed, host: &str) -> PathBuf {
    certificates(testbed, host).join(HOST).join("ca.crt")
}

fn content(testbed: &Testbed, host: &str) -> Option<String> {
    fs::read_to_string(file(testbed, host)).ok()
}

#[track_caller]
fn is_refused(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("x509"), "{said}");
}

#[track_caller]
fn is_pulled(testbed: &Testbed, host: &str) {
    testbed.try_docker_on(host, &["image", "rm", IMAGE]);
    testbed.docker_on(host, &["pull", "--quiet", IMAGE]);
}

#[test]
fn nodes_trust_a_registry_whose_authority_is_one_s_own() {
    let testbed = strict();
    // One host is to come later.
    testbed.docker_on("late", &["swarm", "leave"]);
    testbed.docker(&["node", "rm", "--force", "late"]);
    let authority = Authority::new("first");
    let workspace = Workspace::new(&testbed, &registry(&authority));
    workspace.apply();
    testbed.docker(&["tag", "busybox:1", IMAGE]);
    is_refused(&testbed.try_docker(&["push", IMAGE]));
    is_refused(&testbed.try_docker_on("hubworker01", &["pull", IMAGE]));

    workspace.write(&format!("{}{}", registry(&authority), trust(&authority.ca, "")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_registry_trust.it")["name"], "trust-hub-docker-local-5000");
    // Right when the apply has ended, and with the Engines that were running all the time.
    testbed.docker(&["push", "--quiet", IMAGE]);
    is_pulled(&testbed, "hubworker01");

    let token = testbed.docker(&["swarm", "join-token", "--quiet", "worker"]);
    let manager = format!("{}:2377", testbed.address("hubmgr"));
    is_refused(&testbed.try_docker_on("late", &["pull", IMAGE]));
    testbed.docker_on("late", &["swarm", "join", "--token", &token, &manager]);
    eventually("a node that joins gets the CA", || content(&testbed, "late"));
    is_pulled(&testbed, "late");
    workspace.plan_is_empty();

    let kept = content(&testbed, "hubmgr").unwrap();
    fs::remove_file(file(&testbed, "hubmgr")).unwrap();
    fs::write(file(&testbed, "hubworker01"), "edited").unwrap();
    fs::remove_dir_all(certificates(&testbed, "late")).unwrap();
    for host in ["hubmgr", "hubworker01", "late"] {
        eventually("what was deleted or edited comes back", || {
            (content(&testbed, host).as_ref() == Some(&kept)).then_some(())
        });
    }
    workspace.plan_is_empty();

    workspace.write(&registry(&authority));
    workspace.apply_and_settle();
    for host in ["hubmgr", "hubworker01", "late"] {
        assert!(!certificates(&testbed, host).exists(), "{host} is as it was");
    }
    is_refused(&testbed.try_docker_on("hubworker01", &["pull", IMAGE]));
    workspace.destroy();
}

#[test]
fn a_file_of_somebody_else_stays() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let (own, foreign) = (Authority::new("own").ca, Authority::new("foreign").ca);
    let theirs = file(&testbed, "hubworker01");
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, &foreign).unwrap();

    let workspace = Workspace::new(&testbed, &trust(&own, ""));
    let said = workspace.apply_fails();
    for word in ["hubworker01", "certs.d/hub.docker.local:5000/ca.crt", "`overwrite`"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(fs::read_to_string(&theirs).unwrap(), foreign);
    workspace.destroy();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), foreign);
    assert!(!certificates(&testbed, "hubmgr").exists());

    // Another name stands beside it.
    workspace.write(&trust(&own, "file = \"own.crt\""));
    workspace.apply_and_settle();
    assert!(theirs.with_file_name("own.crt").exists() && theirs.exists());
    // With the same name it is replaced only if that is said.
    workspace.write(&trust(&own, "overwrite = true"));
    workspace.apply_and_settle();
    assert!(!theirs.with_file_name("own.crt").exists());
    assert_eq!(fs::read_to_string(&theirs).unwrap(), own);
    workspace.destroy();
    assert!(!theirs.exists() && !certificates(&testbed, "hubworker01").exists());

    // What is there already as it should be, is somebody else's all the same.
    fs::create_dir_all(theirs.parent().unwrap()).unwrap();
    fs::write(&theirs, &own).unwrap();
    workspace.write(&trust(&own, ""));
    workspace.apply_and_settle();
    workspace.destroy();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), own);
    assert!(!certificates(&testbed, "hubmgr").exists());
}

#[test]
fn a_change_leaves_no_moment_without_a_ca() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01@28.5"]);
    let (first, second) = (Authority::new("first").ca, Authority::new("second").ca);
    let workspace = Workspace::new(&testbed, &trust(&first, ""));
    workspace.apply_and_settle();
    let id = workspace.state("swarm_registry_trust.it")["id"].clone();
    let both = format!("{first}{second}");
    let changing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut looks = 0;
            while changing.load(Ordering::Relaxed) {
                for host in ["hubmgr", "hubworker01"] {
                    let ca = content(&testbed, host).expect("the file is there at any time");
                    assert!([&first, &both, &second].contains(&&ca), "a file is whole: {ca}");
                    looks += 1;
                }
            }
            looks
        });
        for (ca, more) in [
            (&both, ""),
            (&second, ""),
            // A text around it is no difference; all else changes the tasks but not the file.
            (&second, "image = \"registry:2\""),
            (&second, "overwrite = true"),
            (&second, "mount = \"/etc\""),
            (&second, "placement = { constraints = [\"node.role==manager\", \"node.role==manager\"] }"),
        ] {
            // The last one leaves a node out.
            if more.contains("placement") {
                changing.store(false, Ordering::Relaxed);
            }
            workspace.write(&trust(ca, more));
            let plan = workspace.plan();
            assert_eq!(
                plan.changes(),
                [("swarm_registry_trust.it".to_owned(), "update".to_owned())],
                "{more}"
            );
            workspace.apply_and_settle();
            assert_eq!(content(&testbed, "hubmgr").as_ref(), Some(ca), "{more}");
        }
        assert!(watching.join().unwrap() > 1000);
    });
    assert!(!certificates(&testbed, "hubworker01").exists(), "what is left out has nothing any more");
    assert_eq!(workspace.state("swarm_registry_trust.it")["id"], id, "all in place");
    workspace.write(&trust(
        &format!("# the hub's\n{second}"),
        "placement = { constraints = [\"node.role==manager\"] }",
    ));
    workspace.plan_is_empty();
    workspace.write(&trust(&second, "host = \"other.local\"").replacen(&format!("host = \"{HOST}\""), "", 1));
    assert_eq!(workspace.plan().changes()[0].1, "delete+create", "the name follows from the host");
    workspace.destroy();
}

#[test]
fn what_somebody_changed_shows_and_is_mended() {
    let testbed = Testbed::shared();
    let name = unique("trust");
    let (ca, other) = (Authority::new("one").ca, Authority::new("other").ca);
    // No other test has this host.
    let hcl = trust(&ca, &format!("name = \"{name}\"")).replace(HOST, &format!("{name}.local"));
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    let update = |args: &[&str]| {
        let command = ["service", "update", "--quiet", "--detach", "--no-resolve-image"];
        testbed.docker(&[&command[..], args, &[&name]].concat());
    };
    let other = format!("CA={}", other.trim());
    for (args, shows) in [
        (["--env-add", "OVERWRITE=yes"], "overwrite"),
        (["--env-add", other.as_str()], "ca"),
        (["--env-add", "FILE=/host/etc/docker/certs.d/elsewhere.local/own.crt"], "file"),
        (["--image", "busybox:latest"], "image"),
        (["--constraint-add", "node.role==manager"], "placement"),
        (["--constraint-rm", "node.platform.os==linux"], "intact"),
        (["--health-interval", "1h"], "intact"),
        (["--update-order", "stop-first"], "intact"),
        (["--env-add", "A=b"], "intact"),
    ] {
        update(&args);
        let plan = workspace.plan();
        assert_eq!(plan.changes()[0].1, "update", "{args:?}: {}", plan.text);
        assert!(
            plan.differing("swarm_registry_trust.it").iter().any(|name| name == shows),
            "{args:?}: {}",
            plan.text
        );
        workspace.apply_and_settle();
    }
    update(&["--label-add", "team=hub"]);
    workspace.plan_is_empty();

    workspace.run(&["state", "rm", "swarm_registry_trust.it"]);
    workspace.run(&["import", "swarm_registry_trust.it", &name]);
    workspace.plan_is_empty();
    let plain = unique("plain");
    testbed.docker(&[
        "service",
        "create",
        "--quiet",
        "--detach",
        "--no-resolve-image",
        "--name",
        &plain,
        "busybox:1",
        "sleep",
        "600",
    ]);
    let refused = workspace.try_run(&["import", "swarm_registry_trust.other", &plain]);
    assert!(!refused.status.success());
    testbed.docker(&["service", "rm", &plain]);

    testbed.docker(&["service", "rm", &name]);
    assert_eq!(workspace.plan().changes(), [("swarm_registry_trust.it".to_owned(), "create".to_owned())]);
    workspace.apply_and_settle();
    workspace.destroy();
    assert!(!testbed.try_docker(&["service", "inspect", &name]).status.success());
}

#[test]
fn a_node_without_the_folder_is_told_and_there_is_a_way() {
    let testbed = Testbed::start(&[], &["hubmgr"]);
    // An Engine that came without one.
    testbed.run("exec", &["hubmgr", "umount", "/etc/docker"]);
    testbed.run("exec", &["hubmgr", "rm", "-r", "/etc/docker"]);
    let ca = Authority::new("own").ca;
    let workspace = Workspace::new(&testbed, &trust(&ca, ""));
    let said = workspace.apply_fails();
    assert!(said.contains("no folder `/etc/docker`") && said.contains("mount = \"/etc\""), "{said}");
    workspace.write(&trust(&ca, "mount = \"/etc\""));
    workspace.apply_and_settle();
    let file = format!("/etc/docker/certs.d/{HOST}/ca.crt");
    assert_eq!(testbed.run("exec", &["hubmgr", "cat", &file]), ca);
    workspace.destroy();
    testbed.run("exec", &["hubmgr", "rmdir", "/etc/docker"]);
}

#[test]
fn what_is_no_authority_is_refused_at_plan() {
    let authority = Authority::new("own");
    for (ca, more, words) in [
        ("nonsense", "", vec!["certificate", "ca"]),
        (&format!("{}{}", authority.ca, authority.key), "", vec!["private key"]),
        (&authority.ca, "file = \"ca.pem\"", vec![".crt"]),
        (&authority.ca, "mount = \"/\"", vec!["/etc/docker"]),
        (&authority.ca, "placement = { constraints = [\"node.foo==x\"] }", vec!["node.foo"]),
    ] {
        let workspace = Workspace::without_engine(std::path::Path::new("terraform"), &trust(ca, more));
        let said = workspace.plan_fails();
        for word in words {
            assert!(said.contains(word), "{more}: {said}");
        }
    }
}
