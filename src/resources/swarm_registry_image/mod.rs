//! `swarm_registry_image`: an image in a registry, copied there from another one or from files.

mod address;
mod plan;
mod source;
#[cfg(test)]
mod tests;
mod work;

pub use source::ImageSource;

use super::{
    failure::within,
    registry_access::{RegistryAccess, refusal, repository_name, tag_or_digest},
};
use crate::docker::Docker;
use crate::registry::{
    client::{Client, Digest, Error},
    copy::Source,
    repository::{Kept, Repository},
};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts,
};
use source::told;
use std::collections::{BTreeMap, BTreeSet};
use work::stoppable;

/// An image in a registry, copied there over HTTP alone, from another registry, an OCI layout or an archive of `docker save`.
///
/// No Engine takes part in it, so it fills a registry in the same apply that makes it, before any node can pull from there.
/// Layers that are there are not sent again, and those that another repository of the registry has are taken over: an apply
/// that was cut off goes on where it was.
///
/// **The image is its digest.** Other content is another digest: it is copied beside what was there, the tags move to it, and
/// the manifest before stays, since a service may still run by its digest. A tag that was moved or deleted in the registry shows
/// in the plan, and the next apply puts it back. One that pointed elsewhere before the resource was made is moved, too.
///
/// **Destroying loses nothing of others.** The manifest is deleted with the tags of this resource, unless another tag of the
/// repository, an index that has one, or a resource of the same provider block that has just been applied still needs it: then
/// only this resource's tags go, and a warning says why. That needs a registry that deletes (`storage.delete` of `registry_service`), which is off by
/// default. An image without any tag that is in the repository by its digest alone, and is the same as this one, is taken for
/// this one. The images of an index stay, since something may have one of them by its digest, as an older index does; what no
/// tag leads to goes with `delete_untagged` of `swarm_registry_garbage_collection`. The layers stay until the registry's
/// garbage is collected.
///
/// An ID to import by is the image's address with a tag or digest, such as `hub.example.com/team/app:1`, or with `http://`
/// before it where the registry speaks plain http. The login is that of the provider block or of Docker's configuration, and
/// a private authority of the registry has to be one of the system's (`SSL_CERT_FILE`). Listed are the images of the registries
/// for which there is a login.
#[derive(Debug, Model)]
pub struct SwarmRegistryImage {
    /// The registry into which the image goes. A change of its address copies what is missing at the new one, and deletes
    /// nothing at the old one.
    registry: RegistryAccess,

    /// Name of the repository, such as `library/alpine`.
    #[tf(replace, check = repository_name)]
    repository: String,

    /// Tags of the image. Without any, it is there by its digest alone.
    #[tf(default = BTreeSet::new(), check = tag_names)]
    tags: BTreeSet<String>,

    /// Where the image comes from. An imported image needs none until it is to be another one.
    source: Option<ImageSource>,

    /// The platforms to copy of an image that is made for several, such as `["linux/amd64"]`: with one, the image for it; with
    /// more, an index of those. By default all that the source has.
    #[tf(check = platform_names)]
    platforms: Option<BTreeSet<String>>,

    /// Another repository of the registry from which layers are taken over where it has them. Those of the source's repository
    /// are, without being named, where the source is in the same registry.
    #[tf(check = repository_name)]
    mount_from: Option<String>,

    /// Whether destroying the resource leaves the image and its tags where they are.
    #[tf(default = false)]
    keep_on_destroy: bool,

    /// How long the operations may take: an hour to create and update, five minutes to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// Address of the image with its digest: `https://hub.example.com/library/alpine@sha256:…`.
    id: Computed<String>,

    /// Digest of the manifest: `sha256:…`. It is in the plan where the source tells it: files always, an image in a registry
    /// if it is named by its digest and copied as a whole.
    digest: Computed<String>,

    /// Name of the image with its digest, for whoever pulls it: `hub.example.com/library/alpine@sha256:…`.
    reference: Computed<String>,

    /// Media type of the manifest, which says whether it is of one image or an index of several.
    media_type: Computed<String>,

    /// Bytes of all that was copied: manifests, configurations and layers as they are stored.
    size: Computed<i64>,

    /// Digests of the images' manifests by platform, such as `linux/amd64`.
    manifests: Computed<BTreeMap<String, String>>,
}

/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(60);
/// What is wrong with a new image that comes from nowhere.
const NO_SOURCE: &str = "A new image has to come from somewhere: set `source`.";
/// How long a registry is waited for that has just been started.
const START: std::time::Duration = std::time::Duration::from_secs(60);

impl Resource for SwarmRegistryImage {
    const TYPE: &'static str = "swarm_registry_image";
    const IDENTITY: &'static [&'static str] = &["id"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        ImageSource::validate(config)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if plan.is_create() && plan.config.get("source").is_null() {
            return Err(Diagnostic::error("No source", NO_SOURCE).at("source"));
        }
        plan::plan(plan)
    }

    async fn check(plan: &Plan, _: &Docker) -> Diagnostics {
        let Some(missing) = plan::missing_files(plan) else { return vec![] };
        let so = if plan.is_create() {
            "It has to be there when the image is copied."
        } else {
            "The image in the registry is taken to be what it should be."
        };
        vec![Diagnostic { detail: format!("{} {so}", missing.detail), ..missing }.as_warning()]
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let client = self.open(context).await?;
        // It may be made by the same apply, and its tasks run before it serves.
        let start = START.min(limit.to_std());
        stoppable(
            context,
            within(&limit, || self.action("copy"), async {
                client.wait_until_serves(start).await.map_err(|error| self.refused("copy", &error))
            }),
        )
        .await?;
        let selected = self.send(&limit, &client, context).await?;
        self.put(&client, Some(&selected), None, context).await
    }

    async fn read(self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let client = self.open(context).await?;
        let digest = self.own_digest()?;
        let refused = |error: Error| {
            let mut told = self.refused("read", &error);
            if matches!(error, Error::Reach(_)) {
                told.detail.push_str(
                    " Where the registry itself is to be put right by this configuration, `terraform apply -target=ADDRESS` of \
                     it leaves out its images.",
                );
            }
            told
        };
        let repository = Repository { client: &client, name: &self.repository };
        if !repository.is_whole(&digest).await.map_err(refused)? {
            if client.head(repository.name, digest.as_str()).await.map_err(refused)?.is_none() {
                return Ok(None);
            }
            context.warn(Diagnostic::warning(
                format!("Image `{}` is not whole", self.name()),
                "Images of its index are gone from the registry, so nobody can pull it for their platforms. It is taken to be \
                 gone, and what is missing is copied again.",
            ));
            return Ok(None);
        }
        let tags = repository.tags_of(&digest, &self.tags).await.map_err(refused)?;
        Ok(Some(Self { tags, ..self }))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        let client = self.open(context).await?;
        let before = prior.own_digest()?;
        let is_same = self.digest.known() == prior.digest.known() && self.registry.url == prior.registry.url;
        if is_same {
            self.locate(before.as_str());
            return self.put(&client, None, Some(prior), context).await;
        }
        let selected = self.send(&limit, &client, context).await?;
        self.put(&client, Some(&selected), Some(prior), context).await
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        if self.keep_on_destroy {
            context.warn(Diagnostic::warning(
                format!("Image `{}` is kept", self.name()),
                "It is no longer managed, and stays in the registry with its tags, since `keep_on_destroy` is set.",
            ));
            return Ok(());
        }
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5));
        let client = self.open(context).await?;
        let digest = self.own_digest()?;
        let repository = Repository { client: &client, name: &self.repository };
        let run = context.client.number();
        let deleted = within(&limit, || self.action("delete"), async {
            let held = repository.hold(run).await;
            repository.delete(&digest, &self.tags, &held).await.map_err(|error| {
                let at = if error.is_not_allowed() { "keep_on_destroy" } else { "registry" };
                self.refused("delete", &error).at(at)
            })
        });
        if let Some(kept) = deleted.await? {
            let summary = format!("The manifest of `{}` is kept", self.name());
            context.warn(Diagnostic::warning(summary, why(&kept)));
        }
        Ok(())
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let (url, repository, reference) = address::read(id).map_err(|why| {
            let form =
                "An image is imported by `HOST[:PORT]/REPOSITORY:TAG` or `HOST[:PORT]/REPOSITORY@DIGEST`";
            Diagnostic::error(format!("Cannot import `{id}`"), format!("{form}: {why}."))
        })?;
        let mut image = Self::unread(RegistryAccess::to(&url), repository);
        let client = image.open(context).await?;
        let refused = |image: &Self, error: Error| image.refused("import", &error);
        let repository = Repository { client: &client, name: &image.repository };
        let is_digest = reference.contains(':');
        let Some(head) =
            client.head(repository.name, &reference).await.map_err(|error| refused(&image, error))?
        else {
            return Ok(None);
        };
        let tags = if is_digest {
            let images = repository.images().await.map_err(|error| refused(&image, error))?;
            images.get(&head.digest).cloned().unwrap_or_default()
        } else {
            BTreeSet::from([reference])
        };
        image.take(&client, &head.digest, tags).await?;
        Ok(Some(image))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        let mut found = vec![];
        let registries = context.client.registries_with_login();
        let registries =
            registries.map_err(|error| super::failure::failure("find the registries", &error))?;
        for url in registries {
            found.extend(Self::all(&url, context).await?);
        }
        Ok(found)
    }
}

impl SwarmRegistryImage {
    /// A resource that nothing has been read into yet.
    fn unread(registry: RegistryAccess, repository: String) -> Self {
        SwarmRegistryImage {
            registry,
            repository,
            tags: BTreeSet::new(),
            source: None,
            platforms: None,
            mount_from: None,
            keep_on_destroy: false,
            timeouts: None,
            id: Computed::default(),
            digest: Computed::default(),
            reference: Computed::default(),
            media_type: Computed::default(),
            size: Computed::default(),
            manifests: Computed::default(),
        }
    }

    /// All images of a registry that have a tag; none of one that does not let them be listed.
    async fn all(url: &str, context: &Context<Docker>) -> Result<Vec<Self>> {
        let access = RegistryAccess::to(url);
        let client = access.open(&context.client).await?;
        let refused = |error: Error| refusal(&format!("list the images of {}", client.registry()), &error);
        let repositories = match client.repositories().await {
            Ok(repositories) => repositories,
            Err(Error::Unauthorized { .. } | Error::Denied { .. } | Error::NotFound { .. }) => {
                return Ok(vec![]);
            }
            Err(error) => return Err(refused(error)),
        };
        let mut found = vec![];
        for name in repositories {
            let repository = Repository { client: &client, name: &name };
            let images = repository.images().await.map_err(refused)?;
            for (digest, tags) in images {
                let mut image = Self::unread(access.clone(), name.clone());
                image.take(&client, &digest, tags).await?;
                found.push(image);
            }
        }
        Ok(found)
    }

    /// Takes over an image that somebody else brought there.
    async fn take(&mut self, client: &Client, digest: &Digest, tags: BTreeSet<String>) -> Result<()> {
        let source = Source::Registry {
            client: client.clone(),
            repository: self.repository.clone(),
            reference: digest.to_string(),
        };
        let selected = source.select(None).await.map_err(|error| told(&self.action("read"), &error))?;
        self.found(&selected);
        self.tags = tags;
        Ok(())
    }

    async fn open(&self, context: &Context<Docker>) -> Result<Client> {
        self.registry.open(&context.client).await.map_err(|error| error.under("registry"))
    }

    fn own_digest(&self) -> Result<Digest> {
        let digest = self.digest.get()?.parse();
        digest.map_err(|_| Diagnostic::bug("The digest in the state is none."))
    }

    fn name(&self) -> String {
        format!("{}/{}", self.registry.host(), self.repository)
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} image `{}`", self.name())
    }

    fn refused(&self, verb: &str, error: &Error) -> Diagnostic {
        refusal(&self.action(verb), error).at("registry")
    }
}

/// Why a manifest stays whose resource is destroyed.
fn why(kept: &Kept) -> String {
    match kept {
        Kept::For(tags) => format!(
            "Other tags of the repository need it: `{}`. Only the tags of this resource are gone.",
            tags.join("`, `")
        ),
        Kept::Claimed => {
            "Another resource has the same image, or an index that needs it, and has just put it there. The \
                          tags that only this resource had are gone."
                .to_owned()
        }
        Kept::Unsure => {
            "The registry does not show whether other tags need it. Only the tags of this resource are gone."
                .to_owned()
        }
    }
}

fn bytes(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn tag_names(tags: &BTreeSet<String>) -> Result<(), String> {
    tags.iter().try_for_each(|tag| {
        if tag.contains(':') { Err(format!("`{tag}` is no tag")) } else { tag_or_digest(tag) }
    })
}

fn platform_names(platforms: &BTreeSet<String>) -> Result<(), String> {
    if platforms.is_empty() {
        return Err("at least one platform is wanted".to_owned());
    }
    let is_one = |name: &String| {
        let parts: Vec<&str> = name.split('/').collect();
        (2..=3).contains(&parts.len())
            && parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace))
    };
    match platforms.iter().find(|name| !is_one(name)) {
        Some(name) => Err(format!("`{name}` is no platform such as `linux/amd64` or `linux/arm/v7`")),
        None => Ok(()),
    }
}
