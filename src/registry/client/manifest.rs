//! Manifests: what an image is made of, or which images an index has for which platform.

use super::{Client, Digest, Error, Result, Scope, request::Call};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Response, StatusCode, header};
use hyper::body::Incoming;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// The media types of the manifests that there are: Docker's and OCI's, each of an image and of an index of them.
pub const MANIFESTS: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// The longest manifest, which is also Distribution's limit.
pub(crate) const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

/// Points to content: a manifest, a configuration or a layer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// What it is called by.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// For which platform it is made.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// What is said about it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Where else it is: a layer with such addresses may be in no registry.
    #[serde(default)]
    pub urls: Vec<String>,
}

/// A platform; `Display` is its usual form, such as `linux/arm64/v8`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Platform {
    /// The operating system.
    #[serde(default)]
    pub os: String,
    /// The processor.
    #[serde(default)]
    pub architecture: String,
    /// The processor's variant.
    #[serde(default)]
    pub variant: Option<String>,
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

impl Platform {
    /// Whether it is the platform that is called so. The variant may be left out, and `linux/arm64` is `linux/arm64/v8`.
    pub fn is(&self, name: &str) -> bool {
        let mut parts = name.split('/');
        let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
        let own = self.variant.as_deref().filter(|variant| !variant.is_empty());
        os == Some(&self.os)
            && architecture == Some(&self.architecture)
            && variant.is_none_or(|variant| {
                own.map_or(self.architecture == "arm64" && variant == "v8", |own| own == variant)
            })
    }
}

/// A manifest, byte by byte as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it is: one of [`MANIFESTS`].
    pub media_type: String,
    /// What it is called by.
    pub digest: Digest,
    /// The manifest itself.
    pub bytes: Bytes,
    /// What it says.
    pub parts: Parts,
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manifest({})", self.digest)
    }
}

/// What a manifest is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parts {
    /// An image.
    Image {
        /// Its configuration.
        config: Descriptor,
        /// Its layers, the lowest first.
        layers: Vec<Descriptor>,
    },
    /// An index of images.
    Index(Vec<Descriptor>),
}

/// What a manifest is called, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The digest.
    pub digest: Digest,
    /// What it is.
    pub media_type: String,
}

impl Head {
    /// What the headers of an answer say of it, if they say it all.
    fn said(headers: &HeaderMap) -> Option<Self> {
        let digest = text(headers, DIGEST)?.parse().ok()?;
        Some(Self { digest, media_type: text(headers, header::CONTENT_TYPE)? })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u32>,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

impl Manifest {
    /// Reads a manifest. `media_type` is what is said about it elsewhere, since an OCI manifest need not say it itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: Bytes, media_type: Option<&str>) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if document.schema_version == Some(1) {
            return Err("it is of the first schema, which registries no longer take. Pull the image with a Docker Engine \
                        and push it again to convert it"
                .to_owned());
        }
        let known = |name: &&str| MANIFESTS.contains(name);
        let said = media_type.map(|name| name.split(';').next().unwrap_or_default().trim());
        let own = document.media_type.as_deref();
        let media_type = match (own, said.filter(known)) {
            (Some(own), Some(said)) if own != said => {
                return Err(format!("it is said to be {said:?}, and calls itself {own:?}"));
            }
            (own, said) => own.or(said),
        };
        let is_index = document.manifests.is_some();
        let fallback = if is_index { MANIFESTS[3] } else { MANIFESTS[2] };
        let media_type = media_type.unwrap_or(fallback).to_owned();
        if !known(&media_type.as_str()) {
            return Err(format!("it is of a kind that is not known: {media_type:?}"));
        }
        let parts = match (document.manifests, document.config, document.layers) {
            (Some(manifests), None, None) => Parts::Index(manifests),
            (None, Some(config), layers) => Parts::Image { config, layers: layers.unwrap_or_default() },
            _ => return Err("it is neither an image's nor an index".to_owned()),
        };
        Ok(Self { media_type, digest: Digest::of(&bytes), bytes, parts })
    }

    /// How many bytes there are in it all: an image's configuration and layers; of an index, its manifests. Sizes are what
    /// somebody wrote, so the sum stops where numbers end.
    pub fn size(&self) -> u64 {
        let all = |descriptors: &[Descriptor]| {
            descriptors.iter().fold(0_u64, |all, descriptor| all.saturating_add(descriptor.size))
        };
        let content = match &self.parts {
            Parts::Image { config, layers } => config.size.saturating_add(all(layers)),
            Parts::Index(manifests) => all(manifests),
        };
        content.saturating_add(self.bytes.len() as u64)
    }
}

impl Client {
    /// The manifest with this tag or digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, and whatever keeps it from being read.
    pub async fn manifest(&self, repository: &str, reference: &str) -> Result<Manifest> {
        let call =
            self.manifest_call(Method::GET, repository, reference, Scope::Pull(repository.to_owned()))?;
        let response = self.found(&call, repository, reference).await?;
        let said = text(response.headers(), header::CONTENT_TYPE);
        let named = text(response.headers(), DIGEST);
        let what = || format!("the manifest {repository}{}", joined(reference));
        let bytes = self.body(response, MANIFEST_LIMIT, &what).await?;
        let wanted: Option<Digest> = reference.parse().ok().or_else(|| named.and_then(|it| it.parse().ok()));
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_of(&bytes)) {
            let found = Digest::of(&bytes).to_string();
            return Err(Error::Digest { what: what(), wanted: wanted.to_string(), found });
        }
        let manifest = Manifest::read(bytes, said.as_deref());
        let mut manifest = manifest.map_err(|reason| Error::Malformed { what: what(), reason })?;
        // What was asked for by another algorithm is called so from here on.
        if let Ok(asked) = reference.parse() {
            manifest.digest = asked;
        }
        Ok(manifest)
    }

    /// What the manifest with this tag or digest is called, if there is one.
    ///
    /// # Errors
    /// Whatever keeps it from being known.
    pub async fn head(&self, repository: &str, reference: &str) -> Result<Option<Head>> {
        let call =
            self.manifest_call(Method::HEAD, repository, reference, Scope::Pull(repository.to_owned()))?;
        let response = self.send(&call).await?;
        let said = match response.status() {
            StatusCode::NOT_FOUND => None,
            _ => Head::said(self.expect(&call, response, &[200]).await?.headers()),
        };
        match said {
            Some(head) => Ok(Some(head)),
            // An old or simple registry says nothing of the digest, and nobody says in an answer without a body who it is
            // that has found nothing.
            None => match self.manifest(repository, reference).await {
                Ok(Manifest { digest, media_type, .. }) => Ok(Some(Head { digest, media_type })),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Puts a manifest into a repository, under its digest or a tag. All that it points to must be there.
    ///
    /// # Errors
    /// The registry does not take it.
    pub async fn put_manifest(&self, repository: &str, reference: &str, manifest: &Manifest) -> Result<()> {
        let scope = Scope::Push { to: repository.to_owned(), from: None };
        let call = self
            .manifest_call(Method::PUT, repository, reference, scope)?
            .header(header::CONTENT_TYPE, &manifest.media_type)
            .content(manifest.bytes.clone());
        let response = self.send(&call).await?;
        let response = self.expect(&call, response, &[201, 200, 202]).await?;
        let named: Option<Digest> = text(response.headers(), DIGEST).and_then(|digest| digest.parse().ok());
        match named.filter(|named| named.parts().0 == manifest.digest.parts().0 && *named != manifest.digest)
        {
            Some(found) => Err(Error::Digest {
                what: format!("what {} stored as {repository}{}", self.registry(), joined(reference)),
                wanted: manifest.digest.to_string(),
                found: found.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Deletes a manifest, and with it every tag that points to it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none, [`Error::NotAllowed`] where deleting is off.
    pub async fn delete_manifest(&self, repository: &str, digest: &Digest) -> Result<()> {
        let scope = Scope::Delete(repository.to_owned());
        let call = self.manifest_call(Method::DELETE, repository, digest.as_str(), scope)?;
        let response = self.found(&call, repository, digest.as_str()).await?;
        drop(response);
        Ok(())
    }

    /// Deletes a tag and nothing else, if the registry can do that: Distribution can from 3.0 on.
    ///
    /// # Errors
    /// As [`Client::delete_manifest`].
    pub async fn delete_tag_alone(&self, repository: &str, tag: &str) -> Result<bool> {
        let call =
            self.manifest_call(Method::DELETE, repository, tag, Scope::Delete(repository.to_owned()))?;
        let response = self.look_for(&call, &named(repository, tag)).await?;
        match response.status().as_u16() {
            200 | 202 | 204 => Ok(true),
            // Distribution 2.8 wants a digest there.
            400 | 501 => Ok(false),
            _ => Err(self.failure(response, &call.scope, &call.what).await),
        }
    }

    fn manifest_call(&self, method: Method, repository: &str, reference: &str, scope: Scope) -> Result<Call> {
        let what = match method {
            Method::DELETE => "delete",
            Method::PUT => "store",
            _ => "give",
        };
        let what = format!("{what} the manifest {repository}{}", joined(reference));
        let uri = self.uri(&format!("/v2/{repository}/manifests/{reference}"))?;
        Ok(Call::new(method, uri, scope, what).header(header::ACCEPT, &MANIFESTS.join(", ")))
    }

    /// The answer to a question for a manifest, which may be that there is none.
    async fn found(&self, call: &Call, repository: &str, reference: &str) -> Result<Response<Incoming>> {
        let response = self.look_for(call, &named(repository, reference)).await?;
        self.expect(call, response, &[200, 202, 204]).await
    }
}

/// The header in which a registry says the digest of what it answers.
const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A manifest as people call it.
fn named(repository: &str, reference: &str) -> String {
    format!("manifest {repository}{}", joined(reference))
}

/// A tag or a digest as it follows the name of a repository.
fn joined(reference: &str) -> String {
    if reference.contains(':') { format!("@{reference}") } else { format!(":{reference}") }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(document: &serde_json::Value, media_type: Option<&str>) -> Result<Manifest, String> {
        Manifest::read(Bytes::from(document.to_string()), media_type)
    }

    #[test]
    fn a_manifest_is_what_it_says_or_what_is_said_of_it() {
        let part = json!({"mediaType": "x", "digest": Digest::of(b"x").as_str(), "size": 3});
        let image = json!({"schemaVersion": 2, "config": part, "layers": [part, part]});
        let found = read(&image, Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8")).unwrap();
        assert_eq!(found.media_type, MANIFESTS[2]);
        assert_eq!(found.size(), 9 + found.bytes.len() as u64);
        assert_eq!(read(&image, Some("application/json")).unwrap().media_type, MANIFESTS[2]);
        let index = json!({"schemaVersion": 2, "mediaType": MANIFESTS[1], "manifests": [part]});
        assert!(matches!(read(&index, None).unwrap().parts, Parts::Index(all) if all.len() == 1));
        assert!(read(&index, Some(MANIFESTS[3])).unwrap_err().contains("calls itself"));
        for (wrong, why) in [
            (json!({"schemaVersion": 1, "fsLayers": []}), "first schema"),
            (json!({"schemaVersion": 2}), "neither"),
            (json!({"mediaType": "text/html", "config": part}), "not known"),
            (json!({"config": part, "manifests": []}), "neither"),
            (json!({"config": {"digest": "sha256:1", "size": 1}}), "not a digest"),
        ] {
            let error = read(&wrong, None).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn platforms_may_leave_out_the_variant() {
        let of = |variant: Option<&str>| Platform {
            os: "linux".into(),
            architecture: "arm64".into(),
            variant: variant.map(str::to_owned),
        };
        assert_eq!(of(Some("v8")).to_string(), "linux/arm64/v8");
        assert!(
            of(Some("v8")).is("linux/arm64") && of(None).is("linux/arm64/v8") && of(None).is("linux/arm64")
        );
        assert!(!of(Some("v9")).is("linux/arm64/v8") && !of(None).is("linux/amd64") && !of(None).is("linux"));
    }
}
