//! Where the image comes from: exactly one of another registry, an OCI layout and an archive of `docker save`.

use crate::{
    docker::Docker,
    registry::{
        copy::{self, Kind, Local, Selected},
        image::Reference,
    },
    resources::{
        registry_access::{RegistryAccess, refusal},
        service::image_reference,
    },
    terraform::{Config, Diagnostic, Diagnostics, Model, Result},
};
use std::{collections::BTreeSet, io, path::Path};

/// Where the image comes from. Exactly one of `image`, `oci_layout` and `docker_archive`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct ImageSource {
    /// Name of an image in a registry, such as `docker.io/library/alpine:3.20`. A tag is looked up when the image is copied,
    /// and not again before something here changes: with a digest, as `swarm_registry_manifest` gives it, a tag that has
    /// moved shows in the plan.
    #[tf(check = image_reference)]
    pub image: Option<String>,

    /// How the registry of `image` is reached. Without it, over https at the host in the image's name; or as `registry` of
    /// the resource, where that is the same host.
    pub registry: Option<RegistryAccess>,

    /// An OCI layout, as a folder or an uncompressed tar of it. It is read at plan, so that other content shows there.
    pub oci_layout: Option<String>,

    /// An uncompressed archive that `docker save` has written. It is read at plan, so that other content shows there. Layers
    /// that are not compressed in the archive are not in the registry either.
    pub docker_archive: Option<String>,

    /// Which image of the layout or archive it is, by its name or digest. It may be left out where there is one only.
    pub reference: Option<String>,
}

/// The attributes of which one is set.
const CHOICES: [&str; 3] = ["source.image", "source.oci_layout", "source.docker_archive"];

/// The address of Docker Hub's registry, which is not the host that its images' names begin with.
const DOCKER_HUB: &str = "https://registry-1.docker.io";

impl ImageSource {
    /// What is wrong with a `source` beyond single values.
    pub fn validate(config: &Config) -> Diagnostics {
        if !config.is_set("source") || config.get("source").is_unknown() {
            return vec![];
        }
        let set: Vec<&str> = CHOICES.into_iter().filter(|path| config.is_set(path)).collect();
        let known = set.iter().filter(|path| config.is_known(path)).count();
        let mut found = vec![];
        if set.is_empty() || known > 1 {
            let why =
                "Exactly one of `image`, `oci_layout` and `docker_archive` says where the image comes from.";
            found.push(Diagnostic::error("Not one source", why).at("source"));
        }
        for (path, belongs) in [("source.registry", true), ("source.reference", false)] {
            let of_a_registry = config.is_set("source.image");
            if config.is_set(path) && config.is_known(path) && set.len() == 1 && of_a_registry != belongs {
                let why = if belongs {
                    "`registry` is for an `image` of a registry, and files are in none."
                } else {
                    "`reference` is for files: the name of an `image` has its tag or digest in it."
                };
                found.push(Diagnostic::error("A setting of another source", why).at(path));
            }
        }
        found
    }

    /// The image in files, or `None` for one of a registry.
    pub fn local(&self) -> Option<Result<Local, copy::Error>> {
        let (kind, path) = self.path()?;
        Some(Local::open(kind, Path::new(path), self.reference.as_deref()))
    }

    fn path(&self) -> Option<(Kind, &str)> {
        let layout = self.oci_layout.as_deref().map(|path| (Kind::OciLayout, path));
        layout.or_else(|| self.docker_archive.as_deref().map(|path| (Kind::DockerArchive, path)))
    }

    /// What is to be copied of the image in files; `None` where it is in none, or they are not there.
    ///
    /// # Errors
    /// They are there, and not what they should be.
    pub fn select_local(&self, platforms: Option<&BTreeSet<String>>) -> Result<Option<Selected>> {
        match self.local() {
            None => Ok(None),
            Some(Err(error)) if is_missing(&error) => Ok(None),
            Some(local) => {
                let selected = local.and_then(|local| local.select(platforms));
                selected.map(Some).map_err(|error| told("read the image", &error))
            }
        }
    }

    /// Why the files cannot be read, if they are not there.
    pub fn missing(&self) -> Option<Diagnostic> {
        match self.local()? {
            Err(error) if is_missing(&error) => Some(told("read the image", &error)),
            _ => None,
        }
    }

    /// The digest by which an image of a registry is named.
    pub fn pinned(&self) -> Option<String> {
        self.image.as_ref()?.parse::<Reference>().ok()?.digest().map(str::to_owned)
    }

    /// The source, ready to be read. `target` is how the registry is reached into which it goes.
    ///
    /// # Errors
    /// It cannot be read, or the settings mean nothing.
    pub async fn open(&self, target: &RegistryAccess, docker: &Docker) -> Result<copy::Source> {
        if let Some(local) = self.local() {
            return local
                .map(|local| copy::Source::Local(Box::new(local)))
                .map_err(|error| told("read the image", &error));
        }
        let image = self.image.as_deref().unwrap_or_default();
        let reference: Reference = image
            .parse()
            .map_err(|error| Diagnostic::error("No image", format!("{error}.")).at("source.image"))?;
        let access = match &self.registry {
            Some(access) => access.clone(),
            None if reference.domain() == "docker.io" => RegistryAccess::to(DOCKER_HUB),
            None if reference.domain() == target.host() => target.clone(),
            None => RegistryAccess::to(&format!("https://{}", reference.domain())),
        };
        let client = access.open(docker).await.map_err(|error| match self.registry {
            Some(_) => error.under("registry").under("source"),
            None => error.at("source.image"),
        })?;
        let tag = reference.digest().or(reference.effective_tag()).unwrap_or_default().to_owned();
        Ok(copy::Source::Registry { client, repository: reference.path().to_owned(), reference: tag })
    }
}

fn is_missing(error: &copy::Error) -> bool {
    use crate::registry::client::Error;
    matches!(error, copy::Error::Source(Error::Local { source, .. }) if source.kind() == io::ErrorKind::NotFound)
}

/// A failure of a copy in words, at the attribute that has to do with it.
pub fn told(what: &str, error: &copy::Error) -> Diagnostic {
    match error {
        copy::Error::Source(error) => refusal(what, error).at("source"),
        copy::Error::Target(error) => refusal(what, error).at("registry"),
        copy::Error::Platform { .. } => Diagnostic::error(
            format!("Cannot {what}"),
            crate::resources::failure::sentence(&error.to_string()),
        )
        .at("platforms"),
        copy::Error::Choice { .. } => Diagnostic::error(
            format!("Cannot {what}"),
            format!("{error}. `reference` says which one is meant."),
        )
        .at("source.reference"),
    }
}
