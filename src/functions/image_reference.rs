//! `image_reference`: the parts of an image reference.

use crate::registry::image::Reference;
use crate::terraform::{Diagnostic, Function, Model, Result};

/// Takes an image reference apart, as Docker understands it.
///
/// `registry:3`, `hub.docker.local/team/app` and `localhost:5000/app@sha256:…` are read by Docker's own rules: what is
/// left out is Docker Hub, `library/` and `latest`. What is no reference, such as a URL or an image ID, is an error that
/// says why. Nothing is asked of a registry.
#[derive(Debug, Model)]
pub struct ImageReference {
    /// The reference, such as `hub.docker.local/team/app:1.4`.
    text: String,
}

/// The parts of a reference.
#[derive(Debug, PartialEq, Model)]
pub struct Parts {
    /// Host of the registry with its port, such as `hub.docker.local`; `docker.io` where the reference has none.
    domain: String,

    /// Repository in the registry, such as `team/app`; `library/registry` for an official image of Docker Hub.
    path: String,

    /// The short name as Docker shows it, without tag and digest: `registry`, `hub.docker.local/team/app`.
    name: String,

    /// The tag that is pulled: `latest` where the reference has neither tag nor digest, null where it has a digest only.
    tag: Option<String>,

    /// The digest with its algorithm, such as `sha256:…`; null where the reference has none.
    digest: Option<String>,

    /// The whole reference written out: `docker.io/library/registry:3`.
    canonical: String,
}

impl Function for ImageReference {
    const NAME: &'static str = "image_reference";
    type Answer = Parts;

    fn call(self) -> Result<Parts> {
        let reference: Reference = self
            .text
            .parse()
            .map_err(|error| Diagnostic::error("Not an image reference", format!("{error}.")).at("text"))?;
        Ok(Parts {
            domain: reference.domain().to_owned(),
            path: reference.path().to_owned(),
            name: reference.familiar_name(),
            tag: reference.effective_tag().map(str::to_owned),
            digest: reference.digest().map(str::to_owned),
            canonical: reference.canonical(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Result<Parts> {
        ImageReference { text: text.to_owned() }.call()
    }

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let pinned = format!("hub.docker.local:5000/team/app@{digest}");
        for (text, domain, path, name, tag, canonical) in [
            (
                "registry",
                "docker.io",
                "library/registry",
                "registry",
                Some("latest"),
                "docker.io/library/registry:latest",
            ),
            (
                "hub.docker.local/team/app:1.4",
                "hub.docker.local",
                "team/app",
                "hub.docker.local/team/app",
                Some("1.4"),
                "hub.docker.local/team/app:1.4",
            ),
            (&pinned, "hub.docker.local:5000", "team/app", "hub.docker.local:5000/team/app", None, &pinned),
        ] {
            let parts = Parts {
                domain: domain.to_owned(),
                path: path.to_owned(),
                name: name.to_owned(),
                tag: tag.map(str::to_owned),
                digest: text.contains('@').then(|| digest.clone()),
                canonical: canonical.to_owned(),
            };
            assert_eq!(call(text), Ok(parts), "{text}");
        }
    }

    #[test]
    fn what_is_no_reference_is_told_at_the_argument() {
        for text in ["", "https://hub.docker.local/app", "Team/App", &"a".repeat(64)] {
            let error = call(text).unwrap_err();
            assert_eq!(error.path.to_string(), "text", "{text}: {error:?}");
        }
    }
}
