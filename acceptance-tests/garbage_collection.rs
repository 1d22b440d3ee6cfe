//! Garbage is collected from registries in use: no push that was acknowledged is lost, and what is deleted is gone.

use crate::{
    actions,
    registry_service::free_port,
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded, unique},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

const QUICK: &str =
    "update = { monitor = \"10ms\", delay = \"0s\" }\n  rollback = { monitor = \"10ms\", delay = \"0s\" }";

fn digest(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An image as a folder in the OCI's layout, whose layer is of these bytes. Answers the digest of its manifest.
fn image(folder: &Path, layer: &[u8]) -> String {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |bytes: &[u8], kind: &str| {
        let digest = digest(bytes);
        fs::write(blobs.join(&digest), bytes).unwrap();
        json!({"mediaType": format!("application/vnd.oci.image.{kind}"), "size": bytes.len(), "digest": format!("sha256:{digest}")})
    };
    let layer = blob(layer, "layer.v1.tar");
    let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}});
    let config = blob(config.to_string().as_bytes(), "config.v1+json");
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer]});
    let manifest = blob(manifest.to_string().as_bytes(), "manifest.v1+json");
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    manifest["digest"].as_str().unwrap().to_owned()
}

/// Bytes that no other image has.
fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

/// A client that nobody here wrote.
fn skopeo(from: &str, to: &str) -> Output {
    Command::new("skopeo")
        .args([
            "copy",
            "--quiet",
            "--preserve-digests",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to,
        ])
        .env("TMPDIR", std::env::temp_dir())
        .output()
        .unwrap()
}

/// Pushes an image of random bytes, and answers the digest of its manifest.
fn push(registry: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let digest = image(folder.path(), &random(100_000));
    let pushed = skopeo(&format!("oci:{}", folder.path().display()), &format!("docker://{registry}/{name}"));
    succeeded("skopeo copy", &pushed);
    digest
}

/// Pulls an image and sees that each of its bytes is there.
fn is_whole(registry: &str, repository: &str, manifest: &str) {
    let folder = tempfile::tempdir().unwrap();
    let from = format!("docker://{registry}/{repository}@{manifest}");
    let pulled = skopeo(&from, &format!("dir:{}", folder.path().display()));
    succeeded(&format!("skopeo copy {from}"), &pulled);
    let bytes = fs::read(folder.path().join("manifest.json")).unwrap();
    assert_eq!(format!("sha256:{}", digest(&bytes)), manifest);
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    for blob in layers.iter().chain([&manifest["config"]]) {
        let name = blob["digest"].as_str().unwrap().trim_start_matches("sha256:");
        assert_eq!(digest(&fs::read(folder.path().join(name)).unwrap()), name);
    }
}

/// One request, and the status of its answer.
fn status(method: &str, url: &str) -> String {
    let accept = "Accept: application/vnd.oci.image.manifest.v1+json";
    // With its own option, curl does not wait for a body.
    let method = if method == "HEAD" { vec!["--head"] } else { vec!["--request", method] };
    let request = Command::new("curl")
        .args([
            "--silent",
            "--max-time",
            "10",
            "--noproxy",
            "*",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
        ])
        .args(["--header", accept, url])
        .args(method)
        .output()
        .unwrap();
    String::from_utf8_lossy(&request.stdout).into_owned()
}

/// Pushes an image and deletes its manifest: garbage. Answers the address of its layer.
fn garbage(registry: &str, repository: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let layer = random(200_000);
    let manifest = image(folder.path(), &layer);
    let to = format!("docker://{registry}/{repository}:old");
    succeeded("skopeo copy", &skopeo(&format!("oci:{}", folder.path().display()), &to));
    assert_eq!(status("DELETE", &format!("http://{registry}/v2/{repository}/manifests/{manifest}")), "202");
    let layer = format!("http://{registry}/v2/{repository}/blobs/sha256:{}", digest(&layer));
    assert_eq!(status("HEAD", &layer), "200");
    layer
}

/// Clients that push one image after another until they are told to stop.
struct Pushers {
    stop: Arc<AtomicBool>,
    /// Repository and manifest of each push that succeeded.
    pushed: Arc<Mutex<Vec<(String, String)>>>,
    refused: Arc<AtomicUsize>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Pushers {
    fn start(registries: &[String]) -> Self {
        let (stop, pushed, refused) =
            (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicUsize>::default());
        let threads = (0..3).map(|number| {
            let (stop, pushed, refused) = (stop.clone(), pushed.clone(), refused.clone());
            let registry = registries[number % registries.len()].clone();
            thread::spawn(move || {
                let repository = format!("pushed{number}");
                let shared = random(50_000);
                for round in 0.. {
                    if stop.load(SeqCst) {
                        return;
                    }
                    let folder = tempfile::tempdir().unwrap();
                    // Some layers are pushed again and again, and so are there already, or are taken to be.
                    let layer = if round % 3 == 0 { shared.clone() } else { random(50_000) };
                    let digest = image(folder.path(), &[layer, vec![number as u8]].concat());
                    push_until_it_succeeds(
                        folder.path(),
                        &format!("{registry}/{repository}:{round}"),
                        &refused,
                    );
                    pushed.lock().unwrap().push((repository.clone(), digest));
                }
            })
        });
        let threads = threads.collect();
        Pushers { stop, pushed, refused, threads }
    }

    /// Waits until there are so many more pushes.
    fn go_on(&self, more: usize) {
        let count = || self.pushed.lock().unwrap().len();
        let wanted = count() + more;
        eventually("pushes", || (count() >= wanted).then_some(()));
    }

    /// Ends the pushes, and answers what was pushed and how often it was refused.
    fn end(self) -> (Vec<(String, String)>, usize) {
        self.stop.store(true, SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let pushed = self.pushed.lock().unwrap().clone();
        (pushed, self.refused.load(SeqCst))
    }
}

/// A push is refused because the registry is read-only, or meets a task that is just being replaced; anything else is wrong.
fn push_until_it_succeeds(folder: &Path, to: &str, refused: &AtomicUsize) {
    for _ in 0..600 {
        let output = skopeo(&format!("oci:{}", folder.display()), &format!("docker://{to}"));
        if output.status.success() {
            return;
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("405") || said.contains("unsupported") {
            refused.fetch_add(1, SeqCst);
        } else {
            let replaced = ["refused", "reset by peer", "EOF", "broken pipe", "no route"];
            assert!(replaced.iter().any(|word| said.contains(word)), "{said}");
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{to} was never taken");
}

fn spec(testbed: &Testbed, service: &str) -> String {
    testbed.docker(&["service", "inspect", service, "--format", "{{json .Spec}}"])
}

fn version(testbed: &Testbed, service: &str) -> String {
    testbed.docker(&["service", "inspect", service, "--format", "{{.Version.Index}}"])
}

/// No job and no secret of a collection is left.
fn nothing_is_left(testbed: &Testbed, service: &str) {
    for kind in ["service", "secret"] {
        let left = testbed.docker(&[
            kind,
            "ls",
            "--format",
            "{{.Name}}",
            "--filter",
            &format!("name={service}-garbage"),
        ]);
        assert_eq!(left, "", "{kind}");
    }
}

/// A registry with one replica on a volume of `hubworker01`.
struct Hub {
    name: String,
    port: u16,
    address: String,
}

impl Hub {
    fn new(testbed: &Testbed, prefix: &str) -> Self {
        let port = free_port();
        Hub { name: unique(prefix), port, address: format!("{}:{port}", testbed.address("hubworker01")) }
    }

    fn hcl(&self, more: &str) -> String {
        let Hub { name, port, .. } = self;
        format!(
            r#"
resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = 1
  publish   = [{{ port = {port}, mode = "host" }}]
  placement = {{ constraints = ["node.hostname==hubworker01"] }}
  storage   = {{ filesystem = {{ volume = "{name}" }}, delete = true }}
  wait_for  = {{ url = "http://{}/v2/" }}
  {QUICK}
}}
{more}
"#,
            self.address
        )
    }
}

fn collection(more: &str) -> String {
    format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = registry_service.it.name\n  {more}\n}}\n"
    )
}

#[test]
fn one_replica_on_a_volume_is_collected_while_clients_push() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "collected");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let kept = push(&hub.address, "kept:latest");
    let gone = garbage(&hub.address, "deleted");
    let before = spec(testbed, &hub.name);

    let pushers = Pushers::start(std::slice::from_ref(&hub.address));
    pushers.go_on(3);
    workspace.write(&hub.hcl(&collection("triggers = { run = 1 }")));
    workspace.apply();
    pushers.go_on(3);
    let (pushed, refused) = pushers.end();
    assert!(refused > 0, "no push met the read-only registry");
    workspace.plan_is_empty();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);

    let state = workspace.state("swarm_registry_garbage_collection.it");
    assert!(state["bytes_freed"].as_i64().unwrap() >= 200_000, "{state}");
    assert!(state["blobs_deleted"].as_i64().unwrap() >= 3, "{state}");
    assert!(state["finished_at"].as_str().unwrap().contains('T'), "{state}");
    assert_eq!(status("HEAD", &gone), "404");
    is_whole(&hub.address, "kept", &kept);
    for (repository, manifest) in pushed {
        is_whole(&hub.address, &repository, &manifest);
    }

    // Another trigger runs it again, and then there is nothing to delete.
    workspace.write(&hub.hcl(&collection("triggers = { run = 2 }")));
    workspace.apply_and_settle();
    let again = workspace.state("swarm_registry_garbage_collection.it");
    assert_eq!(again["blobs_deleted"], 0, "{again}");
    assert_ne!(again["finished_at"], state["finished_at"]);
    // Another limit of time does not.
    let version_before = version(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection("triggers = { run = 2 }\n  timeouts = { update = \"30m\" }")));
    workspace.apply_and_settle();
    assert_eq!(version(testbed, &hub.name), version_before);
}

#[test]
fn two_replicas_on_shared_storage_are_collected_while_clients_push() {
    let testbed = Testbed::shared();
    let (name, port) = (unique("shared"), free_port());
    fs::create_dir(testbed.file("shared").join(&name)).unwrap();
    let hcl = format!(
        r#"
resource "registry_service" "it" {{
  provider  = swarm
  name      = "{name}"
  image     = "registry:2"
  replicas  = 2
  publish   = [{{ port = {port}, mode = "host" }}]
  placement = {{ constraints = ["node.role==worker"], max_replicas_per_node = 1 }}
  storage   = {{ filesystem = {{ bind = "/mnt/shared/{name}", shared = true }}, delete = true }}
  {QUICK}
}}
action "swarm_registry_garbage_collection" "it" {{
  config {{
    service = "{name}"
  }}
}}
"#
    );
    let (_folder, workspace) = actions::workspace(testbed, &hcl);
    workspace.apply_and_settle();
    let registries: Vec<String> = ["hubworker01", "hubworker02"]
        .iter()
        .map(|host| format!("{}:{port}", testbed.address(host)))
        .collect();
    registries.iter().for_each(|registry| {
        eventually("an answer", || (status("GET", &format!("http://{registry}/v2/")) == "200").then_some(()));
    });
    let kept = push(&registries[0], "kept:latest");
    let gone = garbage(&registries[1], "deleted");
    let before = spec(testbed, &name);

    let pushers = Pushers::start(&registries);
    pushers.go_on(3);
    let said = actions::invoke(&workspace, "swarm_registry_garbage_collection.it");
    pushers.go_on(3);
    let (pushed, refused) = pushers.end();
    assert!(refused > 0, "no push met the read-only registry");
    for told in
        ["2 of 2 tasks are read-only", "it is proven that the registry does not write", "deleted", "writable"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    workspace.plan_is_empty();
    assert_eq!(spec(testbed, &name), before, "the service is what it was");
    nothing_is_left(testbed, &name);
    let layer = gone.rsplit(':').next().unwrap();
    let file = format!("docker/registry/v2/blobs/sha256/{}/{layer}", &layer[..2]);
    assert!(!testbed.file("shared").join(&name).join(file).exists());
    for registry in &registries {
        is_whole(registry, "kept", &kept);
        for (repository, manifest) in &pushed {
            is_whole(registry, repository, manifest);
        }
    }
    workspace.destroy();
    fs::remove_dir_all(testbed.file("shared").join(&name)).unwrap();
}

#[test]
fn a_dry_run_changes_nothing_and_what_would_do_harm_is_refused_before() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "dry");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let gone = garbage(&hub.address, "deleted");
    let before = version(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection("dry_run = true")));
    workspace.apply_and_settle();
    let state = workspace.state("swarm_registry_garbage_collection.it");
    assert!(state["bytes_freed"].as_i64().unwrap() >= 200_000 && state["blobs_deleted"] == 3, "{state}");
    assert_eq!(status("HEAD", &gone), "200");

    // Distribution 2.8 would take the images of an index.
    workspace.write(&hub.hcl(&collection("delete_untagged = true")));
    let said = workspace.apply_fails();
    assert!(said.contains("multi-platform index") && said.contains("Nothing was changed"), "{said}");
    assert_eq!(version(testbed, &hub.name), before, "the service was never touched");
    nothing_is_left(testbed, &hub.name);

    // With nothing mounted, any update would lose all images.
    let name = unique("unmounted");
    testbed.docker(&[
        "service",
        "create",
        "--detach",
        "--quiet",
        "--no-resolve-image",
        "--name",
        &name,
        "registry:2",
    ]);
    let before = version(testbed, &name);
    let hcl =
        format!("resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{name}\"\n}}\n");
    let said = Workspace::new(testbed, &hcl).apply_fails();
    assert!(said.contains("othing is mounted at /var/lib/registry"), "{said}");
    assert_eq!(version(testbed, &name), before, "the service was never touched");
    nothing_is_left(testbed, &name);
    testbed.docker(&["service", "rm", &name]);

    // Another registry on the same volume would go on writing.
    let mount = format!("type=volume,source={},target=/elsewhere", hub.name);
    let other = ["service", "create", "--detach", "--quiet", "--no-resolve-image", "--replicas", "0"];
    testbed.docker(&[&other[..], &["--name", &name, "--mount", &mount, "registry:2"]].concat());
    workspace.write(&hub.hcl(&collection("triggers = { again = 1 }")));
    let said = workspace.apply_fails();
    assert!(said.contains(&format!("Registry `{name}` has the same volume or folder")), "{said}");
    testbed.docker(&["service", "rm", &name]);

    let said = Workspace::new(testbed, &hcl).apply_fails();
    assert!(said.contains("Neither an ID nor a name of a service"), "{said}");
}

/// The folder of the registry's volume on its node.
fn volume(testbed: &Testbed, hub: &Hub) -> PathBuf {
    let volumes = testbed.file("hosts/hubworker01/disk/var/lib/docker/volumes");
    volumes.join(&hub.name).join("_data/docker/registry/v2")
}

#[test]
fn a_collection_that_fails_leaves_a_writable_registry() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "failing");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let manifest = push(&hub.address, "broken:latest");
    let before = spec(testbed, &hub.name);
    // A manifest that cannot be read: nobody knows what it needs, so nothing may be deleted.
    let hex = manifest.trim_start_matches("sha256:");
    let file = volume(testbed, &hub).join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
    fs::write(file, "no manifest").unwrap();
    workspace.write(&hub.hcl(&collection("")));
    let said = workspace.apply_fails();
    assert!(
        said.contains("garbage-collect ended with status 1") && said.contains("failed to mark"),
        "{said}"
    );
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    assert!(workspace.state("swarm_registry_garbage_collection.it").is_null(), "it was not done");
    push(&hub.address, "other:latest");
}

/// Begins a collection, and waits until the service is read-only.
fn begin(testbed: &Testbed, hub: &Hub, workspace: &Workspace) -> std::process::Child {
    workspace.write(&hub.hcl(&collection("")));
    let mut child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    while !spec(testbed, &hub.name).contains("READONLY") {
        if child.try_wait().unwrap().is_some() {
            panic!("it ended: {:?}", child.wait_with_output().unwrap());
        }
        thread::sleep(Duration::from_millis(100));
    }
    child
}

#[test]
fn an_interrupted_collection_leaves_a_writable_registry() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "interrupted");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let child = begin(testbed, &hub, &workspace);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    // It was not done, so the next apply does it.
    assert_eq!(
        workspace.plan().changes(),
        [("swarm_registry_garbage_collection.it".into(), "create".into())]
    );
    workspace.apply_and_settle();
}

#[test]
fn what_a_killed_collection_leaves_shows_in_the_plan_and_the_next_one_heals_it() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "killed");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let mut child = begin(testbed, &hub, &workspace);
    // The provider is a child of Terraform, or of what runs Terraform: all of them die at once.
    kill_tree(child.id());
    child.wait().unwrap();
    assert!(spec(testbed, &hub.name).contains("READONLY"));

    let lock = workspace.path().join(".terraform.tfstate.lock.info");
    let _unlocked = fs::remove_file(lock);
    workspace.write(&hub.hcl(""));
    let plan = workspace.plan();
    assert_eq!(plan.changes(), [("registry_service.it".into(), "update".into())]);
    assert!(plan.text.contains("swarm_registry_garbage_collection"), "it says why: {}", plan.text);

    let hcl = format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{}\"\n}}\n",
        hub.name
    );
    let next = Workspace::new(testbed, &hcl);
    next.apply_and_settle();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    workspace.plan_is_empty();
}

/// Kills a process and all that it has started.
fn kill_tree(id: u32) {
    let children = Command::new("pgrep").args(["-P", &id.to_string()]).output().unwrap();
    let children = String::from_utf8_lossy(&children.stdout).into_owned();
    assert!(Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap().success());
    children.lines().for_each(|child| kill_tree(child.parse().unwrap()));
}

#[test]
fn two_collections_at_once_wait_for_each_other() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "both");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let before = spec(testbed, &hub.name);
    let child = begin(testbed, &hub, &workspace);
    let hcl = format!(
        "resource \"swarm_registry_garbage_collection\" \"it\" {{\n  service = \"{}\"\n}}\n",
        hub.name
    );
    Workspace::new(testbed, &hcl).apply_and_settle();
    succeeded("the first collection", &child.wait_with_output().unwrap());
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
    workspace.plan_is_empty();
}

/// A registry on `hubworker01` that keeps what it knows of blobs in a redis with a password, both made by hand.
struct Cached<'a> {
    testbed: &'a Testbed,
    name: String,
    redis: String,
    registry: String,
}

const PASSWORD: &str = "p: #$ \"quoted\"";

impl<'a> Cached<'a> {
    fn start(testbed: &'a Testbed) -> Self {
        let (name, port) = (unique("cached"), free_port());
        let redis = format!("{name}-redis");
        testbed.docker(&["network", "create", "--driver", "overlay", &name]);
        // The program of this machine, which is every host's, with its libraries.
        let mounts = ["/usr", "/lib", "/lib64"]
            .map(|path| format!("--mount=type=bind,source={path},target={path},readonly"));
        let create = ["service", "create", "--quiet", "--detach", "--no-resolve-image", "--network", &name];
        let place = ["--endpoint-mode", "dnsrr", "--constraint", "node.hostname==hubworker01"];
        let server = ["busybox:1", "/usr/bin/redis-server", "--save", "", "--requirepass", PASSWORD];
        let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
        testbed.docker(&[&create[..], &place, &["--name", &redis], &mounts, &server].concat());
        let env = [
            "--env=REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=redis".to_owned(),
            format!("--env=REGISTRY_REDIS_ADDR={redis}:6379"),
            format!("--env=REGISTRY_REDIS_PASSWORD='{PASSWORD}'"),
            "--env=REGISTRY_STORAGE_DELETE_ENABLED=true".to_owned(),
            format!("--mount=type=volume,source={name},target=/var/lib/registry"),
            format!("--publish=mode=host,published={port},target=5000"),
        ];
        let env: Vec<&str> = env.iter().map(String::as_str).collect();
        testbed.docker(&[&create[..], &place, &["--name", &name], &env, &["registry:2"]].concat());
        let registry = format!("{}:{port}", testbed.address("hubworker01"));
        let cached = Cached { testbed, name, redis, registry };
        eventually("an answer of the registry", || {
            (status("GET", &format!("http://{}/v2/", cached.registry)) == "200").then_some(())
        });
        eventually("an answer of redis", || cached.try_redis("PING").filter(|answer| answer == "PONG"));
        cached
    }

    fn try_redis(&self, command: &str) -> Option<String> {
        let filter = format!("name={}.", self.redis);
        let container = self.testbed.docker_on("hubworker01", &["ps", "--quiet", "--filter", &filter]);
        let asked =
            ["exec", container.as_str(), "/usr/bin/redis-cli", "--no-auth-warning", "-a", PASSWORD, command];
        let output = self.testbed.try_docker_on("hubworker01", &asked);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Drop for Cached<'_> {
    fn drop(&mut self) {
        self.testbed.try_docker(&["service", "rm", &self.name, &self.redis]);
        if !thread::panicking() {
            eventually("the network to be free", || {
                self.testbed.try_docker(&["network", "rm", &self.name]).status.success().then_some(())
            });
        }
    }
}

#[test]
fn redis_forgets_what_was_collected() {
    let testbed = Testbed::shared();
    let cached = Cached::start(testbed);
    let gone = garbage(&cached.registry, "deleted");
    let keys = || cached.try_redis("DBSIZE").unwrap().parse::<u32>().unwrap();
    assert!(keys() > 0, "the cache is in use");
    let before = (spec(testbed, &cached.name), version(testbed, &cached.name));
    let hcl = |redis: &str| {
        format!(
            "action \"swarm_registry_garbage_collection\" \"it\" {{\n  config {{\n    service = \"{}\"\n{redis}  }}\n}}\n",
            cached.name
        )
    };
    let redis = |password: &str| {
        let password = password.replace('"', "\\\"");
        format!(
            "    redis = {{\n      address = \"{}:6379\"\n      password_wo = \"{password}\"\n    }}\n",
            cached.redis
        )
    };
    let (_folder, workspace) = actions::workspace(testbed, &hcl(""));
    let invocation =
        ["apply", "-auto-approve", "-no-color", "-invoke=action.swarm_registry_garbage_collection.it"];
    for (redis, words) in [
        (String::new(), "keeps in redis what it knows of blobs"),
        (redis("wrong"), "did not do PING: -WRONGPASS"),
    ] {
        workspace.write(&hcl(&redis));
        let output = workspace.try_run(&invocation);
        let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && said.contains(words), "{said}");
        assert_eq!(version(testbed, &cached.name), before.1, "the service was never touched");
        nothing_is_left(testbed, &cached.name);
    }
    assert!(keys() > 0);

    workspace.write(&hcl(&redis(PASSWORD)));
    let said = actions::invoke(&workspace, "swarm_registry_garbage_collection.it");
    assert!(said.contains("redis is flushed") && !said.contains(PASSWORD), "{said}");
    assert_eq!(keys(), 0, "redis knows of nothing");
    eventually("a registry that says so", || (status("HEAD", &gone) == "404").then_some(()));
    assert_eq!(spec(testbed, &cached.name), before.0, "the service is what it was");
    nothing_is_left(testbed, &cached.name);
}

#[test]
fn a_registry_behind_tls_and_passwords_is_proven_to_be_read_only_too() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "private");
    let made = rcgen::generate_simple_self_signed(vec!["hub.private.test".to_owned()]).unwrap();
    let more = format!(
        "tls = {{\n    certificate = <<-PEM\n{}PEM\n    private_key = <<-PEM\n{}PEM\n  }}\n  auth = {{ htpasswd = {{ users = {{ ci = \"hunter2\" }} }} }}\n  user = \"0:0\"\n  http = {{ prefix = \"/hub/\" }}",
        made.cert.pem(),
        made.signing_key.serialize_pem()
    );
    let url = format!("  wait_for  = {{ url = \"http://{}/v2/\" }}", hub.address);
    let hcl = |collection: &str| hub.hcl(collection).replace(&url, &more);
    let workspace = Workspace::new(testbed, &hcl(""));
    workspace.apply_and_settle();
    workspace.write(&hcl(&collection("")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state("swarm_registry_garbage_collection.it")["blobs_deleted"], 0);
    nothing_is_left(testbed, &hub.name);
}

/// A registry whose collection never ends: what a manifest says never comes, since its file is a pipe.
fn endless(testbed: &Testbed, prefix: &str, more: &str) -> (Hub, Workspace, String) {
    let hub = Hub::new(testbed, prefix);
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let manifest = push(&hub.address, "endless:latest");
    let hex = manifest.trim_start_matches("sha256:");
    let file = volume(testbed, &hub).join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
    let before = spec(testbed, &hub.name);
    workspace.write(&hub.hcl(&collection(more)));
    (hub, workspace, before)
}

/// Waits until the job of a collection looks for what is used.
fn is_collecting(testbed: &Testbed, hub: &Hub) {
    let job = format!("{}-garbage-collection", hub.name);
    loop {
        let log = testbed.try_docker(&["service", "logs", "--raw", &job]);
        if String::from_utf8_lossy(&log.stdout).contains("::repository endless") {
            return;
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_collection_that_takes_too_long_is_ended() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "too-long", "timeouts = { create = \"45s\" }");
    let said = workspace.apply_fails();
    assert!(said.contains("It was not done within 45 s"), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_collection_ends_when_somebody_lets_the_registry_write() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "changed", "");
    let child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    is_collecting(testbed, &hub);
    let variable = "REGISTRY_STORAGE_MAINTENANCE_READONLY";
    testbed.docker(&["service", "update", "--quiet", "--detach", "--env-rm", variable, &hub.name]);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("Somebody has changed the service"), "{said}");
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_job_that_a_killed_collection_has_left_is_ended_before_the_registry_writes() {
    let testbed = Testbed::shared();
    let (hub, workspace, before) = endless(testbed, "left", "");
    let mut child = workspace.spawn(&["apply", "-auto-approve", "-no-color"]);
    is_collecting(testbed, &hub);
    kill_tree(child.id());
    child.wait().unwrap();
    let _unlocked = fs::remove_file(workspace.path().join(".terraform.tfstate.lock.info"));
    workspace.write(&hub.hcl(""));
    assert_eq!(workspace.plan().changes(), [("registry_service.it".into(), "update".into())]);
    workspace.apply_and_settle();
    assert_eq!(spec(testbed, &hub.name), before, "the service is what it was");
    nothing_is_left(testbed, &hub.name);
}

#[test]
fn a_collection_waits_for_the_job_of_another_and_for_no_stranger() {
    let testbed = Testbed::shared();
    let hub = Hub::new(testbed, "waits");
    let workspace = Workspace::new(testbed, &hub.hcl(""));
    workspace.apply_and_settle();
    let id = testbed.docker(&["service", "inspect", &hub.name, "--format", "{{.ID}}"]);
    let job = |labels: &[&str]| {
        let name = format!("{}-garbage-collection", hub.name);
        let create = ["service", "create", "--detach", "--quiet", "--no-resolve-image", "--name", &name];
        let what = ["--mode", "replicated-job", "--restart-condition", "none", "busybox:1", "sleep", "5"];
        testbed.docker(&[&create[..], labels, &what].concat())
    };
    let stranger = job(&[]);
    workspace.write(&hub.hcl(&collection("")));
    let said = workspace.apply_fails();
    assert!(said.contains("a service of that name which is something else"), "{said}");
    testbed.docker(&["service", "rm", &stranger]);

    // One that was cut off: its job ends some time, and nobody removes it.
    let left = job(&["--label", &format!("io.localhub.swarm.garbage-collection-of={id}")]);
    workspace.apply_and_settle();
    assert!(!testbed.try_docker(&["service", "inspect", &left]).status.success());
    nothing_is_left(testbed, &hub.name);
}
