//! Clients of a registry, none of which was written here: they push, pull every byte, and make garbage.

use crate::testbed::{eventually, succeeded};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

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
pub fn push(registry: &str, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let digest = image(folder.path(), &random(100_000));
    let pushed = skopeo(&format!("oci:{}", folder.path().display()), &format!("docker://{registry}/{name}"));
    succeeded("skopeo copy", &pushed);
    digest
}

/// Pulls an image and sees that each of its bytes is there.
pub fn is_whole(registry: &str, repository: &str, manifest: &str) {
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
pub fn status(method: &str, url: &str) -> String {
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
pub fn garbage(registry: &str, repository: &str) -> String {
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
pub struct Pushers {
    stop: Arc<AtomicBool>,
    /// Repository and manifest of each push that succeeded.
    pushed: Arc<Mutex<Vec<(String, String)>>>,
    refused: Arc<AtomicUsize>,
    /// What ended a client before it was told to stop, if something did.
    threads: Vec<thread::JoinHandle<Result<(), String>>>,
}

impl Pushers {
    pub fn start(registries: &[String]) -> Self {
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
                        break;
                    }
                    let folder = tempfile::tempdir().unwrap();
                    // Some layers are pushed again and again, and so are there already, or are taken to be.
                    let layer = if round % 3 == 0 { shared.clone() } else { random(50_000) };
                    let digest = image(folder.path(), &[layer, vec![number as u8]].concat());
                    push_until_it_succeeds(
                        folder.path(),
                        &format!("{registry}/{repository}:{round}"),
                        &refused,
                    )?;
                    pushed.lock().unwrap().push((repository.clone(), digest));
                }
                Ok(())
            })
        });
        let threads = threads.collect();
        Pushers { stop, pushed, refused, threads }
    }

    /// Waits until there are so many more pushes, or the clients have ended, which [`Pushers::end`] tells of.
    pub fn go_on(&self, more: usize) {
        let count = || self.pushed.lock().unwrap().len();
        let wanted = count() + more;
        let all_have_ended = || self.threads.iter().all(thread::JoinHandle::is_finished);
        eventually("pushes", || (count() >= wanted || all_have_ended()).then_some(()));
    }

    /// Ends the pushes, and answers what was pushed and how often it was refused.
    pub fn end(self) -> (Vec<(String, String)>, usize) {
        self.stop.store(true, SeqCst);
        for thread in self.threads {
            if let Err(said) = thread.join().unwrap() {
                panic!("a push failed otherwise than by a registry that is read-only or replaced: {said}");
            }
        }
        let pushed = self.pushed.lock().unwrap().clone();
        (pushed, self.refused.load(SeqCst))
    }
}

/// A push is refused because the registry is read-only, or meets a task that is just being replaced; anything else is wrong.
///
/// It may as well be told by the task that is read-only that a layer is there, which that has read before it was
/// deleted (`storage.cache`), and then give the manifest to the task that takes its place: that refuses it, since the
/// layer is missing. Nothing was acknowledged, and the client that pushes again brings the layer.
fn push_until_it_succeeds(folder: &Path, to: &str, refused: &AtomicUsize) -> Result<(), String> {
    for _ in 0..600 {
        let output = skopeo(&format!("oci:{}", folder.display()), &format!("docker://{to}"));
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("405") || said.contains("unsupported") {
            refused.fetch_add(1, SeqCst);
        } else {
            let replaced = ["refused", "reset by peer", "EOF", "broken pipe", "no route", "blob unknown"];
            if !replaced.iter().any(|word| said.contains(word)) {
                return Err(said);
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{to} was never taken"))
}
