//! `storage`: where the images are.

mod azure;
mod filesystem;
mod gcs;
mod oss;
mod s3;
mod swift;

use super::File;
use crate::{
    registry::{Dialect, checks, configuration::Section},
    resources::service::Mount,
    terraform::{Duration, Model, Plan},
};
pub use azure::Azure;
pub use filesystem::Filesystem;
pub use gcs::Gcs;
pub use oss::Oss;
pub use s3::S3;
pub use swift::Swift;

/// Where the images are (`storage`). One of `filesystem`, `s3`, `azure`, `gcs`, `swift`, `oss` and `in_memory`.
#[derive(Clone, Debug, Model)]
pub struct Storage {
    /// In files.
    pub filesystem: Option<Filesystem>,

    /// In a bucket of Amazon S3, or of what speaks its protocol, such as MinIO or Ceph.
    pub s3: Option<S3>,

    /// In a container of Azure's blob storage.
    pub azure: Option<Azure>,

    /// In a bucket of Google Cloud Storage.
    pub gcs: Option<Gcs>,

    /// In a container of OpenStack's object store. Only Distribution 2.8 has it.
    pub swift: Option<Swift>,

    /// In a bucket of Alibaba's object store. Only Distribution 2.8 has it.
    pub oss: Option<Oss>,

    /// In the memory of the registry, which forgets them when it stops. It is for tests.
    pub in_memory: Option<InMemory>,

    /// Whether images may be deleted (`storage.delete.enabled`).
    #[tf(default = false)]
    pub delete: bool,

    /// Whether clients are sent to the object store for the layers, which they must reach and trust
    /// (`storage.redirect.disable`, the other way round). By default they are, unless the store's endpoint is a single
    /// word, such as a service's name, or a private address: then the registry sends the layers itself.
    #[tf(derived)]
    pub redirect: Option<bool>,

    /// What becomes of uploads that were never finished (`storage.maintenance.uploadpurging`).
    pub upload_purging: Option<UploadPurging>,

    /// Whether images can only be pulled (`storage.maintenance.readonly.enabled`), as while garbage is collected.
    #[tf(default = false)]
    pub read_only: bool,

    /// How many tags are looked at in parallel when a manifest is deleted (`storage.tag.concurrencylimit`). Without it as
    /// many as there are processors. Needs Distribution 3.0.
    #[tf(check = not_negative)]
    pub tag_lookup_concurrency: Option<i64>,
}

/// In the memory of the registry.
#[derive(Clone, Debug, Model)]
pub struct InMemory {}

/// What becomes of uploads that were never finished (`storage.maintenance.uploadpurging`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct UploadPurging {
    /// Whether they are removed.
    #[tf(default = true)]
    pub enabled: bool,

    /// How old they must be, such as `"168h"`.
    #[tf(default = Duration::from_secs(168 * 3600))]
    pub age: Duration,

    /// Pause between two looks, such as `"24h"`. Each replica begins within the first hour.
    #[tf(default = Duration::from_secs(24 * 3600))]
    pub interval: Duration,

    /// Whether what would be removed is only logged.
    #[tf(default = false)]
    pub dry_run: bool,
}

impl Default for UploadPurging {
    fn default() -> Self {
        UploadPurging {
            enabled: true,
            age: Duration::from_secs(168 * 3600),
            interval: Duration::from_secs(24 * 3600),
            dry_run: false,
        }
    }
}

impl UploadPurging {
    /// With fewer than four keys the registry panics.
    fn section(&self) -> Section {
        Section::new()
            .with("enabled", self.enabled)
            .with("age", self.age.to_std())
            .with("interval", self.interval.to_std())
            .with("dryrun", self.dry_run)
    }
}

impl Storage {
    /// `storage`, but for the cache.
    pub fn section(&self, dialect: Dialect) -> Section {
        let purging = self.upload_purging.clone().unwrap_or_default().section();
        let read_only = Section::new().with("enabled", self.read_only);
        Section::new()
            .with("delete", Section::new().with("enabled", self.delete))
            .with("redirect", Section::new().with("disable", self.redirect == Some(false)))
            .with("maintenance", Section::new().with("uploadpurging", purging).with("readonly", read_only))
            .with("tag", Section::new().with("concurrencylimit", self.tag_lookup_concurrency))
            .and(self.driver(dialect))
    }

    fn driver(&self, dialect: Dialect) -> Section {
        let driver = Section::new()
            .with("filesystem", self.filesystem.as_ref().map(Filesystem::section))
            .with("s3", self.s3.as_ref().map(|s3| s3.section(dialect)))
            .with("azure", self.azure.as_ref().map(|azure| azure.section(dialect)))
            .with("gcs", self.gcs.as_ref().map(Gcs::section))
            .with("swift", self.swift.as_ref().map(Swift::section))
            .with("oss", self.oss.as_ref().map(Oss::section));
        if self.in_memory.is_some() { driver.with_map("inmemory", Section::new()) } else { driver }
    }

    /// The files with which the registry proves to the store who it is.
    pub fn files(&self) -> Vec<File> {
        let s3 = self.s3.iter().flat_map(S3::files);
        s3.chain(self.gcs.iter().flat_map(Gcs::files)).collect()
    }

    /// What is mounted under the images; none where nothing is mounted, which a check has warned about.
    pub fn mount(&self) -> Option<Mount> {
        self.filesystem.as_ref()?.mount()
    }

    /// Takes the mount under the images from those of a service; all others are the user's.
    pub fn take_mount(&mut self, mounts: &mut Vec<Mount>) {
        if let Some(filesystem) = &mut self.filesystem {
            filesystem.take_mount(mounts);
        }
    }
}

/// Plans what follows from the rest of `storage` where the configuration does not say it.
pub fn derive(plan: &mut Plan) {
    // Where no endpoint is named, it is the cloud's own, which is there for everybody.
    let endpoints =
        ["storage.s3.region_endpoint", "storage.azure.service_url"].map(|path| plan.config.get(path));
    if !endpoints.iter().any(|endpoint| endpoint.is_unknown()) {
        let are_for_everybody =
            endpoints.iter().filter_map(|endpoint| endpoint.as_str()).all(is_for_everybody);
        plan.derive("storage.redirect", are_for_everybody);
    }
    filesystem::derive(plan);
}

/// Whether clients anywhere may find an endpoint, as far as its name tells: it is no single word, which is a service's
/// name or `localhost`, and no address of a private network.
fn is_for_everybody(endpoint: &str) -> bool {
    !checks::is_inside(endpoint)
}

pub fn not_negative(number: &i64) -> Result<(), String> {
    if *number >= 0 { Ok(()) } else { Err("a number that is not negative".to_owned()) }
}

#[cfg(test)]
mod tests;
