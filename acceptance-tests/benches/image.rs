//! How fast an image of a gigabyte gets from an OCI layout into a registry, beside `skopeo copy`, run by run in turn:
//! `cargo bench --bench image`. The registry is Distribution's own program, on loopback, and a new and empty one for each run:
//! skopeo remembers which repositories of a registry have a layer, and takes it over from there.
//!
//! What is timed is a whole `terraform apply` with the provider's binary, its start and the plan included, and a whole
//! `skopeo copy`; and the copy alone, without Terraform.

use serde_json::json;
use std::{
    fs,
    io::{self, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use swarm::registry::{
    Trust,
    client::{Client, Digest},
    copy::{Kind, Local, Source, Target, layers, manifests},
};

const RUNS: usize = 11;
const LAYERS: usize = 4;
const LAYER: u64 = 256 * 1024 * 1024;

/// Writes a layout of one image. Its layers are compressed and cannot be compressed any further, so that nobody tries.
fn layout(folder: &Path) -> io::Result<PathBuf> {
    let folder = folder.join("layout");
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let mut layers = vec![];
    for number in 0..LAYERS {
        let file = folder.join(format!("layer{number}"));
        let pipe = format!("head --bytes={LAYER} /dev/urandom | gzip -1 > {}", file.display());
        assert!(Command::new("sh").args(["-c", &pipe]).status()?.success());
        let content = fs::read(&file)?;
        let digest = Digest::of(&content);
        fs::rename(&file, blobs.join(digest.parts().1))?;
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
        layers.push(json!({"mediaType": media_type, "digest": digest.as_str(), "size": content.len()}));
    }
    let blob = |media_type: &str, document: &serde_json::Value| -> io::Result<serde_json::Value> {
        let content = document.to_string();
        let digest = Digest::of(content.as_bytes());
        fs::write(blobs.join(digest.parts().1), &content)?;
        Ok(json!({"mediaType": media_type, "digest": digest.as_str(), "size": content.len()}))
    };
    let ids: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    let rootfs = json!({"type": "layers", "diff_ids": ids});
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": rootfs});
    let config = blob("application/vnd.oci.image.config.v1+json", &config)?;
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let image = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
    let image = blob(media_type, &image)?;
    fs::write(folder.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}")?;
    fs::write(folder.join("index.json"), json!({"schemaVersion": 2, "manifests": [image]}).to_string())?;
    Ok(folder)
}

/// A new registry with nothing in it, while something is done with it.
struct Registry {
    process: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Registry {
    fn start(program: &str) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let images = folder.path().join("images");
        let config = format!(
            "version: 0.1\nlog: {{ accesslog: {{ disabled: true }}, level: error }}\nhttp: {{ addr: '{address}' }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n",
            images.display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, config)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Registry { process: command.spawn()?, address, _folder: folder };
        while TcpStream::connect(&registry.address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It is thrown away as a whole.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Distribution's program.
fn program() -> io::Result<String> {
    let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/testbed/testbed");
    let output = Command::new(testbed).arg("registry").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn by_skopeo(layout: &Path, address: &str, repository: &str) -> io::Result<Duration> {
    let began = Instant::now();
    let status = Command::new("skopeo")
        .args(["copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"])
        .args([format!("oci:{}", layout.display()), format!("docker://{address}/{repository}:1")])
        .status()?;
    assert!(status.success(), "skopeo copies");
    Ok(began.elapsed())
}

/// In a folder of its own, so that each is an apply of something new.
fn by_terraform(folder: &Path, layout: &Path, address: &str, repository: &str) -> io::Result<Duration> {
    let folder = folder.join(repository);
    fs::create_dir_all(&folder)?;
    let binary = Path::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"));
    let binary = binary.parent().unwrap_or(binary).display().to_string();
    let rc =
        format!("provider_installation {{\n  dev_overrides {{ \"localhub/swarm\" = \"{binary}\" }}\n}}\n");
    fs::write(folder.join("terraform.rc"), rc)?;
    let hcl = format!(
        "terraform {{\n  required_providers {{\n    swarm = {{ source = \"localhub/swarm\" }}\n  }}\n}}\nresource \"swarm_registry_image\" \"it\" {{\n  registry = {{ url = \"http://{address}\" }}\n  repository = \"{repository}\"\n  tags = [\"1\"]\n  source = {{ oci_layout = \"{}\" }}\n}}\n",
        layout.display()
    );
    fs::write(folder.join("main.tf"), hcl)?;
    let began = Instant::now();
    let output = Command::new("terraform")
        .args(["apply", "-auto-approve", "-no-color"])
        .current_dir(&folder)
        .env("TF_CLI_CONFIG_FILE", folder.join("terraform.rc"))
        .env("DOCKER_CONFIG", &folder)
        .env("CHECKPOINT_DISABLE", "1")
        .output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(began.elapsed())
}

async fn alone(layout: &Path, address: &str, repository: &str) -> Duration {
    let began = Instant::now();
    let client = Client::new(&format!("http://{address}"), Trust::System, None, None).expect("a client");
    let local = Local::open(Kind::OciLayout, layout, None).expect("a layout");
    let source = Source::Local(Box::new(local));
    let selected = source.select(None).await.expect("an image");
    let target = Target { client, repository: repository.to_owned(), mount_from: None };
    layers(&source, &selected, &target).await.expect("a copy");
    manifests(&selected, &target).await.expect("a copy");
    began.elapsed()
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let layout = layout(folder.path())?;
    let program = program()?;
    let new = || Registry::start(&program);
    let (mut ours, mut applies, mut theirs) = (vec![], vec![], vec![]);
    // The first run of each fills the page cache, and is not counted.
    for run in 0..=RUNS {
        let times = (
            by_terraform(folder.path(), &layout, &new()?.address, &format!("apply{run}"))?,
            by_skopeo(&layout, &new()?.address, "app")?,
            alone(&layout, &new()?.address, "app").await,
        );
        if run > 0 {
            applies.push(times.0);
            theirs.push(times.1);
            ours.push(times.2);
        }
    }
    let (ours, apply, skopeo) = (median(&mut ours), median(&mut applies), median(&mut theirs));
    let gibibytes = LAYERS as f64 * LAYER as f64 / f64::from(1 << 30);
    for (name, seconds) in [("terraform apply", apply), ("the copy alone", ours), ("skopeo copy", skopeo)] {
        let (speed, ratio) = (gibibytes * 1024.0 / seconds, skopeo / seconds);
        writeln!(
            io::stdout(),
            "{name}: median {seconds:.2} s, {speed:.0} MiB/s, {ratio:.2} of skopeo's speed"
        )?;
    }
    writeln!(io::stdout(), "{RUNS} runs each, in turn (goal: 0.80)")
}
