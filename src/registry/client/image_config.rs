//! The configuration of an image, as far as it says what the image is.

use super::{Client, Descriptor, Digest, Error, Manifest, Parts, Platform, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest configuration that is read.
const CONFIG_LIMIT: usize = 4 * 1024 * 1024;

/// What the configuration of an image says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ImageConfig {
    /// For which platform the image is made.
    #[serde(flatten)]
    pub platform: Platform,
    /// When the image was built, in RFC 3339's form.
    #[serde(default)]
    pub created: Option<String>,
    /// What the container is to be.
    #[serde(default)]
    config: Option<Container>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Container {
    #[serde(default, rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
}

impl ImageConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// It is not the JSON that is due.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// The image's labels.
    pub fn labels(self) -> BTreeMap<String, String> {
        self.config.and_then(|container| container.labels).unwrap_or_default()
    }
}

impl Descriptor {
    /// The platform of an image in an index; none for what is no image, such as a statement of how one was built.
    pub fn known_platform(&self) -> Option<&Platform> {
        self.platform.as_ref().filter(|platform| platform.os != "unknown" && !platform.os.is_empty())
    }
}

impl Client {
    /// The configuration of an image.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn image_config(&self, repository: &str, config: &Descriptor) -> Result<ImageConfig> {
        let bytes = self.small_blob(repository, config, CONFIG_LIMIT).await?;
        ImageConfig::read(&bytes).map_err(|reason| Error::Malformed {
            what: format!("the configuration {repository}@{}", config.digest),
            reason,
        })
    }

    /// The platforms of an image or an index, each with the digest of its manifest.
    ///
    /// # Errors
    /// The configuration of an image cannot be read.
    pub async fn platforms(&self, repository: &str, manifest: &Manifest) -> Result<BTreeMap<String, Digest>> {
        match &manifest.parts {
            Parts::Index(manifests) => Ok(platforms(manifests)),
            // What is no image for a platform, such as a chart, may have any configuration.
            Parts::Image { config, .. } if config.media_type.contains("image") => {
                let found = self.image_config(repository, config).await?;
                let platform = Some(found.platform.to_string()).filter(|name| name != "/");
                Ok(platform.map(|name| (name, manifest.digest.clone())).into_iter().collect())
            }
            Parts::Image { .. } => Ok(BTreeMap::new()),
        }
    }
}

/// The platforms of an index, each with the digest of its manifest; the first of a platform is the one that is pulled.
pub fn platforms(manifests: &[Descriptor]) -> BTreeMap<String, Digest> {
    let named = |it: &Descriptor| Some((it.known_platform()?.to_string(), it.digest.clone()));
    manifests.iter().rev().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_platform_and_labels() {
        let text =
            r#"{"os":"linux","architecture":"arm","variant":"v7","config":{"Labels":{"a":"b"}},"rootfs":{}}"#;
        let found = ImageConfig::read(text.as_bytes()).unwrap();
        assert_eq!(found.platform.to_string(), "linux/arm/v7");
        assert_eq!(found.labels(), BTreeMap::from([("a".to_owned(), "b".to_owned())]));
        assert_eq!(
            ImageConfig::read(br#"{"os":"linux","config":{"Labels":null}}"#).unwrap().labels().len(),
            0
        );
        assert!(ImageConfig::read(b"[]").is_err());
    }
}
