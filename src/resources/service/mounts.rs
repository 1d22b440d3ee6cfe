//! What is mounted into the tasks: `ContainerSpec.Mounts` of the Engine API.

use super::{container, container_mut, ports::one_of};
use crate::docker::{self, ServiceSpec};
use crate::terraform::{Model, Size};
use std::collections::BTreeMap;

/// Something that is mounted into the tasks.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Mount {
    /// `volume`: a named volume, made on each node that runs a task. `bind`: a folder or file of the node. `tmpfs`:
    /// memory.
    #[tf(default = "volume", check = kind)]
    pub r#type: String,

    /// Name of the volume, or path on the node. None for `tmpfs`.
    pub source: Option<String>,

    /// Path in the container.
    #[tf(check = absolute)]
    pub target: String,

    /// Whether the tasks may only read.
    #[tf(default = false)]
    pub read_only: bool,

    /// What else can be said of a volume.
    pub volume: Option<VolumeOptions>,

    /// How mounts beneath a `bind` show on both sides: `rprivate`, `private`, `rshared`, `shared`, `rslave` or `slave`.
    #[tf(check = propagation)]
    pub bind_propagation: Option<String>,

    /// How large a `tmpfs` may grow, such as `"64MiB"`.
    pub tmpfs_size: Option<Size>,
}

/// What else can be said of a volume.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct VolumeOptions {
    /// Whether the image's files are not copied into a new volume.
    #[tf(default = false)]
    pub no_copy: bool,

    /// Path within the volume. Needs Engine 26 (API 1.45).
    pub subpath: Option<String>,

    /// Labels of a volume that is made.
    #[tf(default = BTreeMap::new())]
    pub labels: BTreeMap<String, String>,

    /// Driver of a volume that is made.
    pub driver: Option<String>,

    /// Options of the driver, such as those of an NFS mount.
    #[tf(default = BTreeMap::new())]
    pub driver_options: BTreeMap<String, String>,
}

fn kind(kind: &str) -> Result<(), String> {
    one_of(kind, &["volume", "bind", "tmpfs"])
}

fn absolute(path: &str) -> Result<(), String> {
    if path.starts_with('/') && path.len() > 1 {
        Ok(())
    } else {
        Err("a path in the container is absolute, and not the root".to_owned())
    }
}

fn propagation(propagation: &str) -> Result<(), String> {
    one_of(propagation, &["rprivate", "private", "rshared", "shared", "rslave", "slave"])
}

impl Mount {
    /// The mounts of a specification.
    pub fn read(spec: &ServiceSpec) -> Vec<Self> {
        container(spec)
            .into_iter()
            .flat_map(|container| container.mounts.iter().flatten())
            .map(Self::of)
            .collect()
    }

    /// Mounts these and no others. What is mounted already stays as it is.
    pub fn write(wanted: &[Self], spec: &mut ServiceSpec) {
        let before = container(spec).and_then(|container| container.mounts.clone()).unwrap_or_default();
        let same =
            before.len() == wanted.len() && before.iter().all(|before| wanted.contains(&Self::of(before)));
        if same {
            return;
        }
        let mut wanted = wanted.to_vec();
        wanted.sort_by(|a, b| a.target.cmp(&b.target));
        let kept = |mount: &Self| before.iter().find(|before| Self::of(before) == *mount).cloned();
        let mounts = wanted.iter().map(|mount| kept(mount).unwrap_or_else(|| mount.engine())).collect();
        container_mut(spec).mounts = Some(mounts);
    }

    fn of(mount: &docker::Mount) -> Self {
        let volume = mount.volume_options.as_ref().map(|options| VolumeOptions {
            no_copy: options.no_copy.unwrap_or_default(),
            subpath: options.subpath.clone().filter(|path| !path.is_empty()),
            labels: options.labels.clone().unwrap_or_default(),
            driver: options.driver_config.as_ref().and_then(|driver| driver.name.clone()),
            driver_options: options
                .driver_config
                .as_ref()
                .and_then(|driver| driver.options.clone())
                .unwrap_or_default(),
        });
        Mount {
            r#type: mount.kind.clone().unwrap_or_else(|| "volume".to_owned()),
            source: mount.source.clone().filter(|source| !source.is_empty()),
            target: mount.target.clone().unwrap_or_default(),
            read_only: mount.read_only.unwrap_or_default(),
            volume: volume.filter(|volume| *volume != VolumeOptions::default()),
            bind_propagation: mount.bind_options.as_ref().and_then(|options| options.propagation.clone()),
            tmpfs_size: mount
                .tmpfs_options
                .as_ref()
                .and_then(|options| options.size_bytes)
                .filter(|bytes| *bytes != 0)
                .map(Size::from_bytes),
        }
    }

    fn engine(&self) -> docker::Mount {
        docker::Mount {
            kind: Some(self.r#type.clone()),
            source: self.source.clone(),
            target: Some(self.target.clone()),
            read_only: self.read_only.then_some(true),
            volume_options: self.volume.as_ref().map(VolumeOptions::engine),
            bind_options: self.bind_propagation.as_ref().map(|propagation| docker::BindOptions {
                propagation: Some(propagation.clone()),
                ..docker::BindOptions::default()
            }),
            tmpfs_options: self.tmpfs_size.as_ref().map(|size| docker::TmpfsOptions {
                size_bytes: Some(size.bytes()),
                ..docker::TmpfsOptions::default()
            }),
            ..docker::Mount::default()
        }
    }
}

impl VolumeOptions {
    fn engine(&self) -> docker::VolumeOptions {
        let driver = docker::Driver {
            name: self.driver.clone(),
            options: (!self.driver_options.is_empty()).then(|| self.driver_options.clone()),
            ..docker::Driver::default()
        };
        docker::VolumeOptions {
            no_copy: self.no_copy.then_some(true),
            subpath: self.subpath.clone(),
            labels: (!self.labels.is_empty()).then(|| self.labels.clone()),
            driver_config: (driver != docker::Driver::default()).then_some(driver),
            ..docker::VolumeOptions::default()
        }
    }
}
