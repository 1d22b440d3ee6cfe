//! What `docker save` wrote before Docker 25: `manifest.json`, configurations and layers by names of their own.
//!
//! The layers are not compressed there, and are sent as they are: so the image's digest follows from the configuration alone,
//! is the same wherever it is sent from, and is known before anything is read.

use super::{
    Error,
    files::Files,
    local::{LIMIT, Made, json, malformed},
};
use crate::registry::client::{Digest, MANIFESTS, Manifest};
use crate::registry::image::Reference;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// What of a configuration says what the layers are.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<Digest>,
}

/// Makes the manifest of an image in an archive, and says where its parts are.
///
/// # Errors
/// The archive is not what it should be, or it is not clear which image is meant.
pub(super) fn read(files: &Files, reference: Option<&str>) -> Result<(Manifest, Made), Error> {
    let entries: Vec<Entry> = json(files, "manifest.json")?;
    let entry = choose(files, &entries, reference)?;
    let bytes = files.read(&entry.config, LIMIT).map_err(Error::Source)?;
    let bytes = bytes.ok_or_else(|| malformed(files, &entry.config, "it is not there".to_owned()))?;
    let config: Config =
        serde_json::from_slice(&bytes).map_err(|error| malformed(files, &entry.config, error.to_string()))?;
    let diff_ids = config.rootfs.diff_ids;
    if diff_ids.len() != entry.layers.len() {
        let reason = "the image has more layers than the archive, or fewer".to_owned();
        return Err(malformed(files, &entry.config, reason));
    }
    let mut made = Made::default();
    let mut layers = vec![];
    for (digest, name) in diff_ids.into_iter().zip(&entry.layers) {
        let place = files.place(name).map_err(Error::Source)?;
        let place = place.ok_or_else(|| malformed(files, name, "it is not there".to_owned()))?;
        layers.push(json!({
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": digest.as_str(),
            "size": place.length,
        }));
        made.blobs.insert(digest, place);
    }
    let digest = Digest::of(&bytes);
    let document = json!({
        "schemaVersion": 2,
        "mediaType": MANIFESTS[2],
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": digest.as_str(),
            "size": bytes.len(),
        },
        "layers": layers,
    });
    made.blobs.extend(files.place(&entry.config).map_err(Error::Source)?.map(|place| (digest, place)));
    let manifest = Manifest::read(document.to_string().into(), None);
    Ok((manifest.map_err(|reason| malformed(files, "manifest.json", reason))?, made))
}

fn choose<'a>(files: &Files, entries: &'a [Entry], reference: Option<&str>) -> Result<&'a Entry, Error> {
    let named = |text: &str| text.parse::<Reference>().ok().map(|name| name.canonical());
    let is_called = |entry: &&Entry| match reference {
        None => true,
        Some(wanted) => entry
            .repo_tags
            .iter()
            .flatten()
            .any(|own| own == wanted || (named(own).is_some() && named(own) == named(wanted))),
    };
    let meant: Vec<&Entry> = entries.iter().filter(is_called).collect();
    match meant[..] {
        [entry] => Ok(entry),
        _ => Err(Error::Choice {
            what: files.path().display().to_string(),
            wanted: reference.map(str::to_owned),
            available: entries.iter().flat_map(|entry| entry.repo_tags.iter().flatten()).cloned().collect(),
        }),
    }
}
