//! How an image gets into the registry, and its tags to it.

use super::{NO_SOURCE, SwarmRegistryImage, source::told};
use crate::{
    docker::Docker,
    registry::{
        client::{Client, Digest, Error},
        copy::{self, Selected, Target},
        repository::{Claims, Repository},
    },
    resources::failure::within,
    terraform::{Context, Diagnostic, Duration, Result},
};
use std::collections::BTreeSet;

impl SwarmRegistryImage {
    /// Brings the layers of the image there.
    pub(super) async fn send(
        &self,
        limit: &Duration,
        client: &Client,
        context: &Context<Docker>,
    ) -> Result<Selected> {
        let work = async {
            let what = self.action("copy");
            let no_source = || Diagnostic::error("No source", NO_SOURCE).at("source");
            let source = self.source.as_ref().ok_or_else(no_source)?;
            let source = source.open(&self.registry, &context.client).await?;
            let selected =
                source.select(self.platforms.as_ref()).await.map_err(|error| told(&what, &error))?;
            self.must_be_as_planned(&selected)?;
            let report = copy::layers(&source, &selected, &self.target(client)).await;
            let copy::Report { sent, mounted, there } = report.map_err(|error| told(&what, &error))?;
            tracing::info!(repository = self.repository, sent, mounted, there, "the layers are there");
            Ok(selected)
        };
        stoppable(context, within(limit, || self.action("copy"), work)).await
    }

    /// Puts the manifests there, if `selected` says which, and lets the tags point to them; those of `prior` that are no longer
    /// wanted go. Meanwhile nothing else of this run deletes in the repository, and from then on it spares them.
    pub(super) async fn put(
        &mut self,
        client: &Client,
        selected: Option<&Selected>,
        prior: Option<&Self>,
        context: &Context<Docker>,
    ) -> Result<()> {
        let name = self.repository.clone();
        let repository = Repository { client, name: &name };
        let mut held =
            stoppable(context, async { Ok(repository.hold(context.client.number()).await) }).await?;
        let digest = match selected {
            Some(selected) => selected.root.digest.clone(),
            None => self.own_digest()?,
        };
        held.claim(&digest, &self.tags);
        if let Some(selected) = selected {
            let target = self.target(client);
            let put = copy::manifests(selected, &target);
            let put = async { put.await.map_err(|error| told(&self.action("copy"), &error)) };
            stoppable(context, put).await?;
        }
        // As long as a tag is left that should go, the state is what it was, and the next plan shows the tag.
        if let Some(prior) = prior {
            self.untag(&repository, prior, &held).await?;
        }
        if let Some(selected) = selected {
            self.found(selected);
        }
        stoppable(context, self.tag(&repository, &digest)).await
    }

    fn target(&self, client: &Client) -> Target {
        Target {
            client: client.clone(),
            repository: self.repository.clone(),
            mount_from: self.mount_from.clone(),
        }
    }

    fn must_be_as_planned(&self, selected: &Selected) -> Result<()> {
        let found = selected.root.digest.as_str();
        match self.digest.known().filter(|planned| *planned != found) {
            None => Ok(()),
            Some(planned) => Err(Diagnostic::error(
                format!("Cannot {}", self.action("copy")),
                format!("The source has changed since the plan: {planned} was planned, and it is {found} now. Plan again."),
            )
            .at("source")),
        }
    }

    /// Takes the tags away that are no longer wanted, unless another resource has put one there in this run.
    async fn untag(&self, repository: &Repository<'_>, prior: &Self, claims: &Claims) -> Result<()> {
        if self.registry.url != prior.registry.url {
            return Ok(());
        }
        let digest = prior.own_digest()?;
        let removed = prior.tags.difference(&self.tags);
        for tag in removed.filter(|tag| !claims.has(tag, &digest)) {
            let untagged = copy::untag(repository.client, repository.name, tag, &digest).await;
            untagged
                .map_err(|error| self.refused(&format!("take the tag `{tag}` from"), &error).at("tags"))?;
        }
        Ok(())
    }

    /// Lets the tags point to the image.
    async fn tag(&self, repository: &Repository<'_>, digest: &Digest) -> Result<()> {
        let refused = |error: Error| self.refused("tag", &error).at("tags");
        let heads = repository.heads(self.tags.clone()).await.map_err(refused)?;
        let points = |tag: &&String| heads.get(*tag).is_some_and(|head| head.digest == *digest);
        let missing: BTreeSet<&String> = self.tags.iter().filter(|tag| !points(tag)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let Repository { client, name } = repository;
        let manifest = client.manifest(name, digest.as_str()).await.map_err(refused)?;
        for tag in missing {
            client.put_manifest(name, tag, &manifest).await.map_err(refused)?;
        }
        Ok(())
    }
}

/// Runs what may be broken off, once Terraform is told to stop.
pub(super) async fn stoppable<T>(
    context: &Context<Docker>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        outcome = work => outcome,
        () = context.client.stopping().cancelled_owned() => Err(Diagnostic::error(
            "Stopped",
            "The copy was broken off. What has arrived is not sent again by the next apply.",
        )),
    }
}
