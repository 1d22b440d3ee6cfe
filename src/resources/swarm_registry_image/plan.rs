//! What a plan can tell of the image: its digest, where the source says it.

use super::{SwarmRegistryImage, address, source::ImageSource};
use crate::{
    registry::copy::Selected,
    terraform::{Config, Diagnostic, Plan, Result},
};
use std::collections::{BTreeMap, BTreeSet};

/// What follows from the content alone.
const CONTENT: [&str; 4] = ["digest", "media_type", "size", "manifests"];

pub fn plan(plan: &mut Plan) -> Result<()> {
    match content(plan)? {
        Content::Known(selected) => {
            plan.set("digest", selected.root.digest.to_string());
            plan.set("media_type", selected.root.media_type.clone());
            plan.set("size", super::bytes(selected.size));
            plan.set("manifests", manifests(&selected));
        }
        Content::Pinned(digest) => {
            let is_new =
                plan.prior.as_ref().and_then(|it| it.known::<String>("digest")) != Some(digest.clone());
            plan.set("digest", digest);
            if is_new {
                CONTENT[1..].iter().for_each(|name| plan.set_unknown(name));
            }
        }
        Content::Unknown => CONTENT.iter().for_each(|name| plan.set_unknown(name)),
        Content::Unchanged => {}
    }
    let url = plan.known::<String>("registry.url");
    let (repository, digest) = (plan.known::<String>("repository"), plan.known::<String>("digest"));
    if let (Some(url), Some(repository), Some(digest)) = (url, repository, digest) {
        let (id, reference) = address::of(&url, &repository, &digest);
        plan.set("id", id);
        plan.set("reference", reference);
    } else {
        plan.set_unknown("id");
        plan.set_unknown("reference");
    }
    Ok(())
}

/// What is known of the content.
enum Content {
    Known(Box<Selected>),
    /// The digest, since the source is named by it.
    Pinned(String),
    Unknown,
    Unchanged,
}

fn content(plan: &Plan) -> Result<Content> {
    let planned = plan.planned();
    if !planned.is_set("source") {
        return Ok(Content::Unchanged);
    }
    // How a registry is reached says nothing of what is in it.
    let names =
        ["source.image", "source.oci_layout", "source.docker_archive", "source.reference", "platforms"];
    if names.iter().any(|name| !planned.is_known(name)) {
        return Ok(Content::Unknown);
    }
    let source = source(planned);
    let platforms = planned.known::<BTreeSet<String>>("platforms");
    if let Some(selected) = source.select_local(platforms.as_ref())? {
        return Ok(Content::Known(Box::new(selected)));
    }
    if let (Some(digest), None) = (source.pinned(), &platforms) {
        return Ok(Content::Pinned(digest));
    }
    let is_same = |prior: &Config| names.iter().all(|name| prior.get(name) == planned.get(name));
    Ok(if plan.prior.as_ref().is_some_and(is_same) { Content::Unchanged } else { Content::Unknown })
}

/// The source as far as it says what is copied.
fn source(planned: &Config) -> ImageSource {
    let text = |name: &str| planned.known::<String>(&format!("source.{name}"));
    ImageSource {
        image: text("image"),
        registry: None,
        oci_layout: text("oci_layout"),
        docker_archive: text("docker_archive"),
        reference: text("reference"),
    }
}

/// The source of a plan that is in files which are not there.
pub fn missing_files(plan: &Plan) -> Option<Diagnostic> {
    source(plan.planned()).missing()
}

impl SwarmRegistryImage {
    /// Takes down what was copied.
    pub(super) fn found(&mut self, selected: &Selected) {
        let digest = selected.root.digest.to_string();
        self.locate(&digest);
        self.digest = digest.into();
        self.media_type = selected.root.media_type.clone().into();
        self.size = super::bytes(selected.size).into();
        self.manifests = manifests(selected).into();
    }

    /// Takes down where it is.
    pub(super) fn locate(&mut self, digest: &str) {
        let (id, reference) = address::of(&self.registry.url, &self.repository, digest);
        self.id = id.into();
        self.reference = reference.into();
    }
}

/// The platforms with their digests as text.
fn manifests(selected: &Selected) -> BTreeMap<String, String> {
    selected.platforms.iter().map(|(name, digest)| (name.clone(), digest.to_string())).collect()
}
