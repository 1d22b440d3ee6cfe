//! A certificate rotates in one apply while clients ask the registry through a load balancer: none notices.

use crate::{
    balancer::Balancer,
    terraform::Workspace,
    testbed::{Testbed, eventually, unique},
};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const NAME: &str = "hub.rotation.test";
const HOSTS: [&str; 2] = ["left", "right"];
const PORT: u16 = 8443;

/// A certificate that signs itself, with its key, as `NAME.crt` and `NAME.key`.
fn certificate(folder: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    // Who trusts several certificates finds them by their subject.
    wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
    fs::write(folder.join(format!("{name}.crt")), wanted.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// Asks the registry at an address once, over a new connection.
fn ask(address: &str, port: u16, trusted: &Path) -> Output {
    let to = format!("{NAME}:{port}:{address}");
    let url = format!("https://{NAME}:{port}/v2/");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", "20", "--noproxy", "*", "--resolve", &to]);
    curl.arg("--cacert").arg(trusted).arg(url).output().unwrap()
}

#[test]
fn a_rotated_certificate_is_noticed_by_nobody() {
    let testbed = Testbed::start(&[], &["manager", "left", "right"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificate(folder, "old");
    certificate(folder, "new");

    let name = unique("rotating");
    let hcl = |certificate: &str, version: u8| {
        let (at, shared) = (folder.display(), "{ bind = \"/mnt/shared\", shared = true }");
        format!(
            r#"
resource "swarm_secret" "crt" {{
  name            = "{name}-crt"
  generations     = true
  data_wo         = file("{at}/{certificate}.crt")
  data_wo_version = {version}
}}

resource "swarm_secret" "key" {{
  name            = "{name}-key"
  generations     = true
  data_wo         = file("{at}/{certificate}.key")
  data_wo_version = {version}
}}

resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = 2
  tls       = {{ certificate_secret = swarm_secret.crt.id, private_key_secret = swarm_secret.key.id }}
  storage   = {{ filesystem = {shared} }}
  publish   = [{{ port = 8443, mode = "host" }}]
  placement = {{ constraints = ["node.role==worker"] }}
  update    = {{ delay = "1s" }}
}}
"#
        )
    };
    let workspace = Workspace::new(&testbed, &hcl("old", 1));
    workspace.apply_and_settle();
    let balancer = Balancer::start(folder, &testbed, &HOSTS, PORT, NAME, &["old.crt", "new.crt"]);
    let (port, front) = (balancer.port, folder.join("front/balancer.crt"));
    let balanced = move |trusted: &Path| ask("127.0.0.1", port, trusted);
    eventually("the load balancer answers", || balanced(&front).status.success().then_some(()));

    let over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..3)
        .map(|_| {
            let (over, front) = (Arc::clone(&over), front.clone());
            thread::spawn(move || {
                let (mut asked, mut failed) = (0, vec![]);
                while !over.load(Ordering::Relaxed) {
                    let answer = balanced(&front);
                    asked += 1;
                    if !answer.status.success() {
                        failed.push(String::from_utf8_lossy(&answer.stderr).into_owned());
                    }
                }
                (asked, failed)
            })
        })
        .collect();
    workspace.write(&hcl("new", 2));
    let text = workspace.apply();
    over.store(true, Ordering::Relaxed);
    let (mut asked, mut failed) = (0, vec![]);
    for asker in askers {
        let (own, said) = asker.join().unwrap();
        asked += own;
        failed.extend(said);
    }
    let trouble = balancer.trouble();
    assert!(
        failed.is_empty(),
        "{} of {asked} requests failed: {failed:?}\n{trouble:#?}\n{text}",
        failed.len()
    );
    assert!(asked > 100, "only {asked} requests: nothing is shown");
    workspace.plan_is_empty();

    // The new certificate serves, and only that.
    for host in HOSTS.map(|host| testbed.address(host)) {
        assert!(ask(&host, PORT, &folder.join("new.crt")).status.success());
        assert_eq!(ask(&host, PORT, &folder.join("old.crt")).status.code(), Some(60));
    }
    let tasks =
        testbed.docker(&["service", "ps", "--no-trunc", "--format", "{{.CurrentState}}|{{.Error}}", &name]);
    let bad =
        |line: &&str| line.starts_with("Failed") || line.starts_with("Rejected") || !line.ends_with('|');
    assert_eq!(tasks.lines().filter(bad).collect::<Vec<_>>(), Vec::<&str>::new(), "{tasks}");
    for kind in ["crt", "key"] {
        let filter = format!("name={name}-{kind}-");
        let generations = testbed.docker(&["secret", "ls", "--quiet", "--filter", &filter]);
        assert_eq!(generations.lines().count(), 1, "of {kind}");
    }
    workspace.destroy();
}
