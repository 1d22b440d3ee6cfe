//! `swarm_registry_garbage_collection`: the registry's storage is rid of what no image needs.

mod job;
mod procedure;
mod settings;

pub use procedure::{Collected, Run, end_left};
pub use settings::{Collection, validate};

use crate::docker::Docker;
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Progress, Resource, Result,
    Timeouts,
};
use std::collections::BTreeMap;

/// Collects the garbage of a registry on the swarm: blobs that no manifest refers to any more, as after images were deleted or
/// tags were pushed anew. It runs when it is created, and again with every change of `triggers` or of what is collected.
///
/// While it runs the registry is read-only: pulls go on, pushes are answered with 405 and can be made again afterwards. The
/// service's tasks are replaced twice for that, as its `update` says, and its specification is in the end what it was. What
/// happens when something goes wrong, and in which order all of it is done, is told in the guide on garbage collection.
///
/// Destroying it does nothing. It works for every service of the image `registry`, whoever made it. With Terraform 1.14 there
/// is an action of the same name.
#[derive(Debug, Model)]
pub struct SwarmRegistryGarbageCollection {
    /// What is collected, and how.
    #[tf(flatten)]
    collection: Collection,

    /// Any texts. With each change it runs again.
    triggers: Option<BTreeMap<String, String>>,

    /// How long a run may take, the two rollouts of the service included: an hour, unless it says otherwise. Deleting is
    /// done at once.
    timeouts: Option<Timeouts>,

    /// How many blobs the last run deleted, or would have deleted with `dry_run`.
    blobs_deleted: Computed<i64>,

    /// How many bytes they had. Null where the images are not in files.
    bytes_freed: Computed<Option<i64>>,

    /// When the last run ended, in RFC 3339, by the clock of the Engine.
    finished_at: Computed<String>,

    /// ID of the service that was collected last.
    id: Computed<String>,
}

/// How long a run may take, unless `timeouts` says otherwise.
pub const LIMIT: Duration = Duration::minutes(60);

/// What a run is about: any change of these is a reason for another.
const REASONS: [&str; 6] =
    ["service", "dry_run", "delete_untagged", "force_delete_untagged", "redis", "triggers"];

impl Resource for SwarmRegistryGarbageCollection {
    const TYPE: &'static str = "swarm_registry_garbage_collection";
    // It is nothing that could be found again.
    const IDENTITY: &'static [&'static str] = &[];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        settings::validate(config)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if !plan.is_create() && REASONS.iter().any(|name| plan.changes(name)) {
            for computed in ["blobs_deleted", "bytes_freed", "finished_at", "id"] {
                plan.set_unknown(computed);
            }
        }
        Ok(())
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        self.run(&limit, context).await
    }

    async fn read(self, _: &mut Context<Docker>) -> Result<Option<Self>> {
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        if !self.differs(prior) {
            return Ok(());
        }
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        self.run(&limit, context).await
    }

    async fn delete(self, _: &mut Context<Docker>) -> Result<()> {
        Ok(())
    }

    async fn import(_: &str, _: &mut Context<Docker>) -> Result<Option<Self>> {
        Err(Diagnostic::error(
            "A garbage collection cannot be imported",
            "It is something that is done, and nothing that is there. Create it, and it is done.",
        ))
    }

    async fn list(_: &mut Context<Docker>) -> Result<Vec<Self>> {
        Ok(vec![])
    }
}

impl SwarmRegistryGarbageCollection {
    /// Whether there is a reason to run again: the same as in the plan.
    fn differs(&self, prior: &Self) -> bool {
        let reasons = |own: &Self| {
            let redis = own.collection.redis.as_ref().map(|redis| {
                (redis.address.clone(), redis.db, redis.username.clone(), redis.password.clone())
            });
            let Collection { service, dry_run, delete_untagged, force_delete_untagged, .. } =
                own.collection.clone();
            (service, dry_run, delete_untagged, force_delete_untagged, redis, own.triggers.clone())
        };
        reasons(self) != reasons(prior)
    }

    async fn run(&mut self, limit: &Duration, context: &mut Context<Docker>) -> Result<()> {
        let progress = Progress::to(|message| tracing::info!(message, "garbage collection"));
        let run = Run::new(&self.collection, limit.to_std(), &context.client, progress);
        let Collected { service, blobs, bytes, finished_at } = run.collect().await?;
        self.blobs_deleted = whole(blobs).into();
        self.bytes_freed = bytes.map(whole).into();
        self.finished_at = finished_at.into();
        self.id = service.into();
        Ok(())
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
