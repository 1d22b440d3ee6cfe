//! A client of a registry that nobody here wrote: `skopeo`, which pushes and pulls whole images.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

/// An image in a folder: a manifest, and its blobs, each a file named by its digest.
pub struct Image {
    folder: PathBuf,
}

/// How to come into a registry.
#[derive(Clone)]
pub struct Access {
    /// `HOST:PORT`
    pub registry: String,
    /// The folder with the certificates (`*.crt`) that are trusted; none for HTTP, or TLS with any certificate.
    pub certificates: Option<PathBuf>,
    /// `USER:PASSWORD`
    pub credentials: Option<String>,
    /// The network namespace that the registry is reached from; none for this machine's own.
    pub network: Option<PathBuf>,
}

/// The hexadecimal SHA-256 of something, which is what a digest has after `sha256:`.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Image {
    /// Makes one that is like no other, with layers of that many bytes.
    pub fn random(folder: PathBuf, layers: &[usize]) -> Self {
        Self::built(folder, "", layers)
    }

    /// The same, whose configuration says when it was built, unless that is empty.
    pub fn built(folder: PathBuf, created: &str, layers: &[usize]) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let image = Image { folder };
        let media = |kind: &str| format!("application/vnd.docker.{kind}");
        let mut config = serde_json::json!({
            "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": [] },
        });
        if !created.is_empty() {
            config["created"] = created.into();
        }
        let config = image.blob(config.to_string().as_bytes());
        let layers: Vec<_> = layers
            .iter()
            .map(|size| {
                let mut bytes = vec![0; *size];
                fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
                let digest = image.blob(&bytes);
                serde_json::json!({
                    "mediaType": media("image.rootfs.diff.tar.gzip"), "size": size, "digest": format!("sha256:{digest}"),
                })
            })
            .collect();
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": media("distribution.manifest.v2+json"),
            "config": {
                "mediaType": media("container.image.v1+json"),
                "size": fs::metadata(image.folder.join(&config)).unwrap().len(),
                "digest": format!("sha256:{config}"),
            },
            "layers": layers,
        });
        fs::write(image.folder.join("manifest.json"), manifest.to_string()).unwrap();
        fs::write(image.folder.join("version"), "Directory Transport Version: 1.1\n").unwrap();
        image
    }

    fn blob(&self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        fs::write(self.folder.join(&digest), bytes).unwrap();
        digest
    }

    /// The digest of its manifest, without `sha256:`.
    pub fn digest(&self) -> String {
        sha256(&fs::read(self.folder.join("manifest.json")).unwrap())
    }

    /// Removes all but the manifest, and answers the digest.
    pub fn forget(self) -> String {
        let digest = self.digest();
        fs::remove_dir_all(&self.folder).unwrap();
        digest
    }

    /// Pushes it as `NAME:TAG`.
    pub fn push(&self, to: &Access, name: &str) -> Result<(), String> {
        to.copy(&format!("dir:{}", self.folder.display()), &to.reference(name), "dest")
    }
}

impl Access {
    fn reference(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.registry)
    }

    /// Pulls `NAME:TAG` or `NAME@DIGEST`, and sees to it that each blob is what its digest says. Answers the manifest's.
    pub fn pull(&self, name: &str, folder: &Path) -> Result<String, String> {
        self.copy(&self.reference(name), &format!("dir:{}", folder.display()), "src")?;
        let manifest = fs::read(folder.join("manifest.json")).map_err(|error| error.to_string())?;
        for file in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            if name.len() == 64 && sha256(&fs::read(file.path()).unwrap()) != name {
                return Err(format!("the blob {name} came as something else"));
            }
        }
        fs::remove_dir_all(folder).unwrap();
        Ok(sha256(&manifest))
    }

    fn copy(&self, from: &str, to: &str, side: &str) -> Result<(), String> {
        let mut skopeo = Command::new(if self.network.is_some() { "nsenter" } else { "skopeo" });
        if let Some(network) = &self.network {
            skopeo.arg(format!("--net={}", network.display())).arg("skopeo");
        }
        skopeo.args([
            "--insecure-policy",
            "--command-timeout",
            "120s",
            "copy",
            "--quiet",
            "--preserve-digests",
        ]);
        match &self.certificates {
            Some(folder) => skopeo.arg(format!("--{side}-cert-dir")).arg(folder),
            None => skopeo.arg(format!("--{side}-tls-verify=false")),
        };
        if let Some(credentials) = &self.credentials {
            skopeo.args([&format!("--{side}-creds"), credentials]);
        }
        let output = skopeo.args([from, to]).output().unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
