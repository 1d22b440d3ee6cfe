//! A registry that a company can rely on: three replicas over one object store and one Redis, behind a load balancer,
//! stay at work while everything about them changes.

use crate::{
    balancer::Balancer,
    client::{Access, Image, sha256},
    storage::{Bucket, Redis},
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded, unique},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

const PORT: u16 = 8443;
const HOSTS: [&str; 3] = ["one", "two", "three"];
const KIB: usize = 1024;

/// What the test changes, one after another.
struct Hub<'a> {
    name: &'a str,
    folder: &'a Path,
    image: &'a str,
    certificate: &'a str,
    users: &'a [&'a str],
    version: u8,
    bucket: &'a Bucket,
    redis: &'a Redis,
}

impl Hub<'_> {
    fn hcl(&self) -> String {
        let Hub { name, image, certificate, version, .. } = self;
        let at = self.folder.display();
        let users: Vec<String> =
            self.users.iter().map(|user| format!("{user} = \"pass word of {user}\"")).collect();
        let (users, shared) = (users.join(", "), self.shared());
        format!(
            r#"
resource "registry_service" "hub" {{
  provider = swarm
  name     = "{name}"
  image    = "{image}"
  replicas = 3

  tls = {{
    certificate            = file("{at}/{certificate}.crt")
    private_key_wo         = file("{at}/{certificate}.key")
    private_key_wo_version = {version}
  }}

  auth = {{
    htpasswd = {{
      users_wo         = {{ {users} }}
      users_wo_version = {version}
    }}
  }}

{shared}

  publish   = [{{ port = {PORT}, mode = "host" }}]
  placement = {{ constraints = ["node.role==worker"] }}
  update    = {{ delay = "1s" }}
}}
"#
        )
    }

    /// The storage and the cache that the replicas share.
    fn shared(&self) -> String {
        let Bucket { name, endpoint, region, access_key, secret_key } = self.bucket;
        let Redis { address, password } = self.redis;
        format!(
            r#"
  storage = {{
    s3 = {{
      bucket                 = "{name}"
      region                 = "{region}"
      region_endpoint        = "{endpoint}"
      access_key_wo          = "{access_key}"
      secret_key_wo          = "{secret_key}"
      credentials_wo_version = 1
    }}
    redirect = false
  }}

  cache = {{
    redis = {{
      addresses           = ["{address}"]
      password_wo         = "{password}"
      password_wo_version = 1
    }}
  }}"#
        )
    }
}

/// A certificate for `localhost` that signs itself, with its key, as `NAME.crt` and `NAME.key`.
fn certificate(folder: &Path, name: &str) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    // Who trusts several certificates finds them by their subject.
    wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
    fs::write(folder.join(format!("{name}.crt")), wanted.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// Pushes and pulls without a break until it is told to end.
struct Traffic {
    folder: PathBuf,
    access: RwLock<Access>,
    over: AtomicBool,
    /// Name and digest of each image that was pushed.
    pushed: Mutex<Vec<(String, String)>>,
    pulls: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

impl Traffic {
    fn start(folder: &Path, access: Access) -> (Arc<Self>, Vec<JoinHandle<()>>) {
        let traffic = Arc::new(Traffic {
            folder: folder.to_owned(),
            access: RwLock::new(access),
            over: AtomicBool::new(false),
            pushed: Mutex::default(),
            pulls: AtomicUsize::new(0),
            failed: Mutex::default(),
        });
        let run = |work: fn(&Traffic, usize), id: usize| {
            let traffic = Arc::clone(&traffic);
            thread::spawn(move || {
                while !traffic.over.load(Ordering::Relaxed) {
                    work(&traffic, id);
                }
            })
        };
        let threads = vec![run(Self::push, 0), run(Self::push, 1), run(Self::pull, 2), run(Self::pull, 3)];
        (traffic, threads)
    }

    fn access(&self) -> Access {
        self.access.read().unwrap().clone()
    }

    /// Waits until that many more images have been pushed and pulled.
    fn goes_on(&self, more: usize) {
        let count = || (self.pushed.lock().unwrap().len(), self.pulls.load(Ordering::Relaxed));
        let before = count();
        eventually("pushes and pulls", || {
            let now = count();
            (now.0 >= before.0 + more && now.1 >= before.1 + more).then_some(())
        });
    }

    fn failed(&self, what: &str, error: String) {
        self.failed.lock().unwrap().push(format!("{what}: {error}"));
    }

    /// Pushes a new image, of which every fourth has a layer that the object store gets in parts.
    fn push(&self, id: usize) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let layer = if number.is_multiple_of(4) { 12 * 1024 * KIB } else { 256 * KIB };
        let image = Image::random(self.folder.join(format!("push-{id}")), &[layer, 3 * KIB]);
        let name = format!("team{id}/app:{number}");
        match image.push(&self.access(), &name) {
            Ok(()) => self.pushed.lock().unwrap().push((name, image.forget())),
            Err(error) => self.failed(&format!("push of {name}"), error),
        }
    }

    /// Pulls one of those that were pushed.
    fn pull(&self, id: usize) {
        let turn = self.pulls.load(Ordering::Relaxed);
        let picked = {
            let pushed = self.pushed.lock().unwrap();
            pushed.get(turn * 7 % pushed.len().max(1)).cloned()
        };
        let Some((name, digest)) = picked else { return thread::yield_now() };
        match self.access().pull(&name, &self.folder.join(format!("pull-{id}"))) {
            Ok(pulled) if pulled == digest => {
                self.pulls.fetch_add(1, Ordering::Relaxed);
            }
            Ok(pulled) => self.failed(&format!("pull of {name}"), format!("{pulled} instead of {digest}")),
            Err(error) => self.failed(&format!("pull of {name}"), error),
        }
    }
}

#[test]
fn no_push_and_no_pull_fails_while_certificate_users_and_image_change() {
    let testbed = Testbed::start(&[], &["manager", "one", "two", "three"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    certificate(folder, "old");
    certificate(folder, "new");
    let second = "registry:2.8.2-second";
    for host in HOSTS {
        let container = testbed.docker_on(host, &["create", "registry:2"]);
        testbed.docker_on(host, &["commit", "--change", "LABEL generation=second", &container, second]);
        testbed.docker_on(host, &["rm", "--volumes", &container]);
    }
    let (name, bucket, redis) = (unique("reliable"), testbed.bucket("hub"), testbed.redis());
    let mut hub = Hub {
        name: &name,
        folder,
        image: "registry:2",
        certificate: "old",
        users: &["old"],
        version: 1,
        bucket: &bucket,
        redis: &redis,
    };
    let workspace = Workspace::new(&testbed, &hub.hcl());
    workspace.apply_and_settle();
    let balancer = Balancer::start(folder, &testbed, &HOSTS, PORT, "localhost", &["old.crt", "new.crt"]);
    let access = Access {
        registry: format!("localhost:{}", balancer.port),
        certificates: Some(folder.join("front")),
        credentials: Some("old:pass word of old".to_owned()),
        network: None,
    };
    replicas_share_an_upload(&testbed, folder);

    let (traffic, threads) = Traffic::start(folder, access.clone());
    traffic.goes_on(2);
    let mut applied = vec![];
    let mut apply = |hub: &mut Hub| {
        hub.version += 1;
        workspace.write(&hub.hcl());
        let before = HOSTS.map(|host| balancer.requests(host));
        applied.push(workspace.apply());
        traffic.goes_on(2);
        for (host, before) in HOSTS.iter().zip(before) {
            assert!(balancer.requests(host) > before, "{host} took no part in {}", hub.hcl());
        }
    };
    hub.certificate = "new";
    apply(&mut hub);
    hub.users = &["old", "new"];
    apply(&mut hub);
    traffic.access.write().unwrap().credentials = Some("new:pass word of new".to_owned());
    traffic.goes_on(2);
    hub.users = &["new"];
    apply(&mut hub);
    hub.image = second;
    apply(&mut hub);
    traffic.over.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    workspace.plan_is_empty();

    let (failed, pushed) = (traffic.failed.lock().unwrap(), traffic.pushed.lock().unwrap());
    let pulls = traffic.pulls.load(Ordering::Relaxed);
    let count = pushed.len();
    let trouble = balancer.trouble();
    assert!(
        failed.is_empty(),
        "{} of {count} pushes and {pulls} pulls failed: {failed:#?}\n{trouble:#?}",
        failed.len()
    );
    assert!(count > 30 && pulls > 30, "only {count} pushes and {pulls} pulls: nothing is shown");

    // What was old is out.
    assert!(access.pull("team0/app:0", &folder.join("refused")).unwrap_err().contains("unauthorized"));
    let now = traffic.access();
    for host in HOSTS {
        assert!(
            curl(&testbed, folder, host, "new", "/v2/", &["--user", "new:pass word of new"]).status.success()
        );
        let refused = curl(&testbed, folder, host, "old", "/v2/", &[]);
        assert_eq!(refused.status.code(), Some(60), "{host} has another certificate: {refused:?}");
    }
    let running = testbed.docker(&[
        "service",
        "inspect",
        "--format",
        "{{.Spec.TaskTemplate.ContainerSpec.Image}}",
        &name,
    ]);
    assert_eq!(running, second);
    tasks_went_well(&testbed, &name);

    // All images are there, and where they belong.
    for (name, digest) in pushed.iter() {
        assert_eq!(now.pull(name, &folder.join("all")).as_ref(), Ok(digest), "{name}");
    }
    let objects = testbed.objects(&bucket);
    for (name, digest) in pushed.iter() {
        let path = format!("docker/registry/v2/blobs/sha256/{}/{digest}/data", &digest[..2]);
        assert!(objects.contains(&path), "{path} of {name}");
    }
    assert!(testbed.ask_redis(&["keys", "blobs::sha256:*"]).lines().count() > count, "the Redis knows blobs");
    for (host, pushes) in pushes_by_host(&testbed, &name) {
        assert!(pushes > 5, "{host} took {pushes} layers");
    }
    workspace.destroy();
}

#[test]
fn more_replicas_on_storage_of_one_node_are_refused_at_plan() {
    let testbed = Testbed::shared();
    let (name, volume) = (unique("one-node"), unique("one-node-images"));
    let hcl = |replicas: u8, filesystem: &str| {
        format!(
            r#"
resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = {replicas}
  storage   = {{ filesystem = {{ {filesystem} }} }}
  placement = {{ constraints = ["node.hostname==hubworker01"] }}
}}
"#
        )
    };
    let local = format!("volume = \"{volume}\"");
    let workspace = Workspace::new(testbed, &hcl(1, &local));
    workspace.apply_and_settle();
    workspace.write(&hcl(3, &local));
    let said = workspace.plan_fails();
    for words in ["3 replicas would each", "blob upload unknown", "shared = true", "filesystem.volume"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    workspace.write(&hcl(1, &local));
    workspace.plan_is_empty();
    workspace.destroy();
    let removed =
        || testbed.try_docker_on("hubworker01", &["volume", "rm", &volume]).status.success().then_some(());
    eventually("the last container is gone, and the volume is free", removed);
}

/// Asks one replica, whose certificate is to be the one of that name.
fn curl(
    testbed: &Testbed,
    folder: &Path,
    host: &str,
    certificate: &str,
    path: &str,
    more: &[&str],
) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", "30", "--noproxy", "*"]);
    curl.args(["--output", "/dev/null"]).args(more);
    curl.arg("--cacert").arg(folder.join(format!("{certificate}.crt")));
    curl.arg("--connect-to").arg(format!("localhost:{PORT}:{}:{PORT}", testbed.address(host)));
    curl.arg(format!("https://localhost:{PORT}{path}")).output().unwrap()
}

/// One upload, of which each replica gets a part: they share the store and the secret that signs the upload's state.
fn replicas_share_an_upload(testbed: &Testbed, folder: &Path) {
    let ask = |host: &str, path: &str, more: &[&str]| {
        let more = [&["--dump-header", "-", "--user", "old:pass word of old"], more].concat();
        let answer =
            succeeded(&format!("{more:?} at {host}"), &curl(testbed, folder, host, "old", path, &more));
        let location = answer.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
        });
        location.unwrap_or_else(|| panic!("no location in {answer}"))
    };
    let parts: [Vec<u8>; 2] = [vec![b'a'; 6 * 1024 * KIB], vec![b'b'; 7 * 1024 * KIB]];
    let files = [folder.join("part-1"), folder.join("part-2")];
    for (part, file) in parts.iter().zip(&files) {
        fs::write(file, part).unwrap();
    }
    let body = |file: &Path| format!("@{}", file.display());
    let kind = "Content-Type: application/octet-stream";
    let at = ask("one", "/v2/shared/blobs/uploads/", &["--request", "POST"]);
    let at = ask("two", &at, &["--request", "PATCH", "--header", kind, "--data-binary", &body(&files[0])]);
    let at = ask("three", &at, &["--request", "PATCH", "--header", kind, "--data-binary", &body(&files[1])]);
    let done = format!("{at}&digest=sha256:{}", sha256(&parts.concat()));
    ask("one", &done, &["--request", "PUT"]);
}

fn tasks_went_well(testbed: &Testbed, service: &str) {
    let format = "{{.CurrentState}}|{{.Error}}";
    let tasks = testbed.docker(&["service", "ps", "--no-trunc", "--format", format, service]);
    let bad =
        |line: &&str| line.starts_with("Failed") || line.starts_with("Rejected") || !line.ends_with('|');
    assert_eq!(tasks.lines().filter(bad).collect::<Vec<_>>(), Vec::<&str>::new(), "{tasks}");
}

/// How many layers each host's tasks took, by their access logs.
fn pushes_by_host(testbed: &Testbed, service: &str) -> BTreeMap<&'static str, usize> {
    let filter = format!("label=com.docker.swarm.service.name={service}");
    let took = |host: &str| {
        let containers = testbed.docker_on(host, &["ps", "--all", "--quiet", "--filter", &filter]);
        let logs = containers.lines().map(|container| testbed.docker_on(host, &["logs", container]));
        logs.map(|log| {
            log.lines().filter(|line| line.contains("\"PATCH /v2/team") && line.contains(" 202 ")).count()
        })
        .sum()
    };
    HOSTS.iter().map(|host| (*host, took(host))).collect()
}
