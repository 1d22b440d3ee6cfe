//! Images in files: an OCI layout as a folder or a tar, and what `docker save` writes.

use super::{
    Error, archive,
    files::{Files, Place, unreadable},
};
use crate::registry::client::{self, Descriptor, Digest, MANIFESTS, Manifest};
use crate::registry::image::Reference;
use bytes::Bytes;
use std::{collections::BTreeMap, io, path::Path, sync::Arc};

/// The longest file that is read whole.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;
/// What names an image in a layout.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Which kind of files it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An OCI layout, a folder or a tar of one.
    OciLayout,
    /// What `docker save` writes. Since Docker 25 that is an OCI layout as well, and read as one.
    DockerArchive,
}

/// An image in files. Its layers are found, and not read yet.
#[derive(Clone, Debug)]
pub struct Local {
    pub(super) root: Manifest,
    files: Files,
    /// What is not in the files under its digest: a manifest that was made for an archive, and the layers of one.
    made: Arc<Made>,
}

/// What an archive of `docker save` has by other names.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub blobs: BTreeMap<Digest, Place>,
}

impl Local {
    /// Finds an image in files. `reference` says which, where there are several: its name, or its digest.
    ///
    /// # Errors
    /// The files are not what they should be, or it is not clear which image is meant.
    pub fn open(kind: Kind, path: &Path, reference: Option<&str>) -> Result<Self, Error> {
        let files = Files::open(path).map_err(Error::Source)?;
        let has = |name: &str| files.place(name).map(|place| place.is_some()).map_err(Error::Source);
        let is_layout = has("index.json")?;
        match kind {
            Kind::DockerArchive if !is_layout && has("manifest.json")? => {
                let (root, made) = archive::read(&files, reference)?;
                Ok(Self { root, files, made: Arc::new(made) })
            }
            _ if is_layout => {
                let root = Self::of_layout(&files, reference)?;
                Ok(Self { root, files, made: Arc::default() })
            }
            kind => {
                let reason = match kind {
                    Kind::OciLayout => "there is no index.json in it, so it is no OCI layout",
                    Kind::DockerArchive => {
                        "there is no manifest.json in it, so it is no archive of docker save"
                    }
                };
                let what = path.display().to_string();
                Err(Error::Source(client::Error::Malformed { what, reason: reason.to_owned() }))
            }
        }
    }

    /// The image's manifest, or its index.
    pub fn root(&self) -> &Manifest {
        &self.root
    }

    fn of_layout(files: &Files, reference: Option<&str>) -> Result<Manifest, Error> {
        let index = json::<Index>(files, "index.json")?;
        let meant: Vec<&Descriptor> = match reference {
            None => index.manifests.iter().collect(),
            Some(wanted) => index.manifests.iter().filter(|it| is_called(it, wanted)).collect(),
        };
        let [meant] = meant[..] else {
            let mut available: Vec<String> = index.manifests.iter().filter_map(name).collect();
            available.dedup();
            return Err(Error::Choice {
                what: files.path().display().to_string(),
                wanted: reference.map(str::to_owned),
                available,
            });
        };
        manifest(files, &meant.digest, Some(&meant.media_type))?.ok_or_else(|| missing(files, &meant.digest))
    }

    /// The manifest with a digest, if it is there.
    ///
    /// # Errors
    /// It cannot be read, or is not what its digest says.
    pub(super) fn manifest(&self, descriptor: &Descriptor) -> Result<Option<Manifest>, Error> {
        manifest(&self.files, &descriptor.digest, Some(&descriptor.media_type))
    }

    /// Where a layer or a configuration is.
    ///
    /// # Errors
    /// It is not there, or that cannot be seen.
    pub(super) fn place(&self, digest: &Digest) -> Result<Place, Error> {
        if let Some(made) = self.made.blobs.get(digest) {
            return Ok(made.clone());
        }
        let found = self.files.place(&blob(digest)).map_err(Error::Source)?;
        found.ok_or_else(|| missing(&self.files, digest))
    }

    /// A small blob, such as a configuration, as a whole.
    ///
    /// # Errors
    /// It is not there, too long, or not what its digest says.
    pub(super) fn small_blob(&self, digest: &Digest) -> Result<Bytes, Error> {
        let place = self.place(digest)?;
        let content = place.read(LIMIT).map_err(Error::Source)?;
        checked(&self.files, digest, content)
    }
}

#[derive(serde::Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

/// What an image is called in a layout.
fn name(descriptor: &Descriptor) -> Option<String> {
    NAMES.iter().find_map(|name| descriptor.annotations.get(*name)).cloned()
}

/// Whether it is the image that is meant: by its digest, by the name that it has there, or by one that means the same.
fn is_called(descriptor: &Descriptor, wanted: &str) -> bool {
    let is_same = |own: &str| {
        own == wanted
            || matches!((own.parse::<Reference>(), wanted.parse::<Reference>()),
                (Ok(own), Ok(wanted)) if own.canonical() == wanted.canonical())
    };
    descriptor.digest.as_str() == wanted
        || NAMES.iter().filter_map(|name| descriptor.annotations.get(*name)).any(|own| is_same(own))
}

/// Where a layout keeps what has this digest.
fn blob(digest: &Digest) -> String {
    let (algorithm, hash) = digest.parts();
    format!("blobs/{algorithm}/{hash}")
}

fn manifest(files: &Files, digest: &Digest, said: Option<&str>) -> Result<Option<Manifest>, Error> {
    let Some(bytes) = files.read(&blob(digest), LIMIT).map_err(Error::Source)? else { return Ok(None) };
    let bytes = checked(files, digest, bytes)?;
    let said = said.filter(|said| MANIFESTS.contains(said));
    let mut manifest = Manifest::read(bytes, said).map_err(|reason| malformed(files, digest, reason))?;
    manifest.digest = digest.clone();
    Ok(Some(manifest))
}

fn checked(files: &Files, digest: &Digest, content: Bytes) -> Result<Bytes, Error> {
    if digest.is_of(&content) {
        return Ok(content);
    }
    Err(Error::Source(client::Error::Digest {
        what: format!("{} in {}", blob(digest), files.path().display()),
        wanted: digest.to_string(),
        found: Digest::of(&content).to_string(),
    }))
}

pub(super) fn malformed(files: &Files, what: impl std::fmt::Display, reason: String) -> Error {
    let what = format!("{what} in {}", files.path().display());
    Error::Source(client::Error::Malformed { what, reason })
}

fn missing(files: &Files, digest: &Digest) -> Error {
    let path = files.path().join(blob(digest));
    Error::Source(unreadable(&path, io::Error::from(io::ErrorKind::NotFound)))
}

/// A file of JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(files: &Files, name: &str) -> Result<T, Error> {
    let bytes = files.read(name, LIMIT).map_err(Error::Source)?;
    let bytes = bytes.ok_or_else(|| malformed(files, name, "it is not there".to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| malformed(files, name, error.to_string()))
}
