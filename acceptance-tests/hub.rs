//! Registries of this machine, and images to put into them.

use crate::testbed::{self, eventually, succeeded};
use serde_json::{Value, json};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output},
};
use swarm::registry::client::Digest;

/// A running registry on loopback, without TLS unless it is asked for; killed when dropped.
pub struct Hub {
    process: Child,
    folder: tempfile::TempDir,
    /// Host and port.
    pub address: String,
}

impl Hub {
    /// A registry that deletes, and lets in everybody.
    pub fn start() -> Self {
        Hub::with("storage: { delete: { enabled: true } }")
    }

    /// The same behind TLS, with the files of its certificate.
    pub fn with_tls(files: &str) -> Self {
        Hub::configured("storage: { delete: { enabled: true } }", &format!(", tls: {{ {files} }}"))
    }

    /// A registry with `storage`, and more in its configuration.
    pub fn with(more: &str) -> Self {
        Hub::configured(more, "")
    }

    fn configured(more: &str, http: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let images = folder.path().join("images").display().to_string();
        let more = more
            .replace("storage: {", &format!("storage: {{ filesystem: {{ rootdirectory: {images} }}, "))
            .replace("FOLDER", &folder.path().display().to_string());
        let own = format!(
            "version: 0.1\nlog: {{ level: info }}\nhttp: {{ addr: '{address}', secret: x{http} }}\n{more}\n"
        );
        fs::write(folder.path().join("config.yml"), own).unwrap();
        let users = [("ci".to_owned(), "let me in".into())].into();
        let file = swarm::registry::htpasswd::make(&users, b"key", 4).unwrap();
        fs::write(folder.path().join("htpasswd"), file.expose()).unwrap();
        let process = serve(folder.path());
        let hub = Hub { process, folder, address };
        hub.listens();
        hub
    }

    fn listens(&self) {
        eventually("the registry listens", || TcpStream::connect(&self.address).ok());
    }

    /// Kills it as a power cut does, and starts it again.
    pub fn breaks_down(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = serve(self.folder.path());
        self.listens();
    }

    /// The folder of its images.
    pub fn images(&self) -> PathBuf {
        self.folder.path().join("images")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// `skopeo ARGS…`, in which HUB is the registry's address.
    pub fn try_skopeo(&self, args: &str) -> Output {
        let args = args.replace("HUB", &format!("docker://{}", self.address));
        Command::new("skopeo").args(args.split_whitespace()).output().unwrap()
    }

    /// The same, which must succeed.
    pub fn skopeo(&self, args: &str) -> String {
        succeeded(&format!("skopeo {args}"), &self.try_skopeo(args)).trim().to_owned()
    }

    /// The digest that a client which no one here wrote sees under a tag, if there is such a tag.
    pub fn digest(&self, image: &str) -> Option<String> {
        let output =
            self.try_skopeo(&format!("inspect --tls-verify=false --format {{{{.Digest}}}} HUB/{image}"));
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The status of a request.
    pub fn status(&self, method: &str, path: &str) -> String {
        let url = format!("{}{path}", self.url());
        let accept = format!("Accept: {}", swarm::registry::client::MANIFESTS.join(", "));
        let args = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--header", &accept];
        let head = if method == "HEAD" { vec!["--head"] } else { vec!["--request", method] };
        let output = Command::new("curl").args(args).args(head).arg(url).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn serve(folder: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    Command::new(testbed::registry())
        .arg("serve")
        .arg(folder.join("config.yml"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// An OCI layout in a folder of its own.
pub struct Layout(tempfile::TempDir);

impl Layout {
    /// An image for each of the architectures, an index of them if they are several, of these layers and one of its own.
    pub fn new(architectures: &[&str], layers: &[&[u8]]) -> Self {
        let layout = Layout(tempfile::tempdir().unwrap());
        layout.holds(architectures, layers);
        layout
    }

    /// Puts another image in its place.
    pub fn holds(&self, architectures: &[&str], layers: &[&[u8]]) {
        let mut images: Vec<Value> = architectures.iter().map(|name| self.image(name, layers)).collect();
        if images.len() > 1 {
            let media_type = "application/vnd.oci.image.index.v1+json";
            let index = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": images});
            images = vec![self.blob(media_type, index.to_string().as_bytes())];
        }
        fs::write(self.path().join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
        let index = json!({"schemaVersion": 2, "manifests": images});
        fs::write(self.path().join("index.json"), index.to_string()).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// The digest of its image or index.
    pub fn digest(&self) -> String {
        let index: Value =
            serde_json::from_slice(&fs::read(self.path().join("index.json")).unwrap()).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    }

    fn image(&self, architecture: &str, layers: &[&[u8]]) -> Value {
        let layer = |content: &[u8]| self.blob("application/vnd.oci.image.layer.v1.tar", content);
        let mut layers: Vec<Value> = layers.iter().map(|content| layer(content)).collect();
        // An empty tar with a name behind its end, which nobody reads.
        let own = [&[0; 1024][..], architecture.as_bytes()].concat();
        layers.push(layer(&own));
        let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": {"made-for": architecture}},
            "rootfs": {"type": "layers", "diff_ids": ids},
        });
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let image = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers});
        let mut image = self.blob(media_type, image.to_string().as_bytes());
        image["platform"] = json!({"os": "linux", "architecture": architecture});
        image
    }

    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = Digest::of(content);
        let folder = self.path().join("blobs/sha256");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(digest.parts().1), content).unwrap();
        json!({"mediaType": media_type, "digest": digest.as_str(), "size": content.len()})
    }
}
