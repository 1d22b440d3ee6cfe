//! `swarm_registry_manifest`: what a tag or a digest means in a registry.

use crate::docker::Docker;
use crate::registry::client::{Client, Descriptor, Error, Manifest, Parts};
use crate::resources::{RegistryAccess, refusal, repository_name, tag_or_digest};
use crate::terraform::{Computed, Context, Diagnostic, Model, Result, Source};
use std::collections::BTreeMap;

/// What a tag or a digest means in a registry: with its `digest`, a service or a copy is pinned to what the tag means now.
#[derive(Debug, Model)]
pub struct SwarmRegistryManifestData {
    /// The registry.
    registry: RegistryAccess,

    /// Name of the repository, such as `library/alpine`.
    #[tf(check = repository_name)]
    repository: String,

    /// Tag or digest of the image.
    #[tf(default = "latest", check = tag_or_digest)]
    reference: String,

    /// The platform whose image `labels` and `layers` are of, such as `linux/amd64`. It is needed for an image that is made
    /// for several.
    platform: Option<String>,

    /// Digest of the manifest: `sha256:…`.
    digest: Computed<String>,

    /// Media type of the manifest, which says whether it is of one image or an index of several.
    media_type: Computed<String>,

    /// Bytes of the image: its manifest, its configuration and its layers as they are stored. Of an index without
    /// `platform`, only the manifests.
    size: Computed<i64>,

    /// Digests of the manifests by platform, such as `linux/amd64`.
    platforms: Computed<BTreeMap<String, String>>,

    /// Labels of the image.
    labels: Computed<BTreeMap<String, String>>,

    /// Layers of the image, the lowest first.
    layers: Computed<Vec<Layer>>,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Layer {
    /// Digest of the layer: `sha256:…`.
    digest: String,

    /// Media type of the layer, which says how it is compressed.
    media_type: String,

    /// Bytes of the layer as it is stored.
    size: i64,
}

impl Source for SwarmRegistryManifestData {
    const TYPE: &'static str = "swarm_registry_manifest";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let registry = self.registry.open(&context.client).await.map_err(|error| error.under("registry"))?;
        let told = |error: Error| {
            let what = format!("read {}/{}, {}", registry.registry(), self.repository, self.reference);
            let at = if error.is_not_found() { "reference" } else { "registry" };
            refusal(&what, &error).at(at)
        };
        let manifest = registry.manifest(&self.repository, &self.reference).await.map_err(told)?;
        let platforms = registry.platforms(&self.repository, &manifest).await.map_err(told)?;
        let image = self.image(&registry, &manifest).await?;
        let (config, layers, size) = match &image.as_ref().unwrap_or(&manifest).parts {
            Parts::Image { config, layers } => {
                let size = image.as_ref().unwrap_or(&manifest).size();
                (Some(config.clone()), layers.iter().map(Layer::of).collect(), size)
            }
            Parts::Index(_) => (None, vec![], manifest.size()),
        };
        let labels = match config.filter(|config| config.media_type.contains("image")) {
            Some(config) => registry.image_config(&self.repository, &config).await.map_err(told)?.labels(),
            None => BTreeMap::new(),
        };
        self.digest = manifest.digest.to_string().into();
        self.media_type = manifest.media_type.into();
        self.size = bytes(size).into();
        self.platforms = platforms
            .into_iter()
            .map(|(name, digest)| (name, digest.to_string()))
            .collect::<BTreeMap<_, _>>()
            .into();
        self.labels = labels.into();
        self.layers = layers.into();
        Ok(())
    }
}

impl SwarmRegistryManifestData {
    /// The image of the platform, out of an index.
    async fn image(&self, registry: &Client, manifest: &Manifest) -> Result<Option<Manifest>> {
        let (Some(platform), Parts::Index(manifests)) = (&self.platform, &manifest.parts) else {
            return Ok(None);
        };
        let found = manifests.iter().find(|it| it.known_platform().is_some_and(|own| own.is(platform)));
        let Some(found) = found else {
            let all: Vec<String> =
                manifests.iter().filter_map(|it| it.known_platform()).map(|own| format!("`{own}`")).collect();
            let why = format!("The image is made for {}, and not for `{platform}`.", all.join(", "));
            return Err(Diagnostic::error("No image for the platform", why).at("platform"));
        };
        let image = registry.manifest(&self.repository, found.digest.as_str()).await;
        image
            .map(Some)
            .map_err(|error| refusal(&format!("read the image for {platform}"), &error).at("platform"))
    }
}

impl Layer {
    fn of(layer: &Descriptor) -> Self {
        Layer {
            digest: layer.digest.to_string(),
            media_type: layer.media_type.clone(),
            size: bytes(layer.size),
        }
    }
}

fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
