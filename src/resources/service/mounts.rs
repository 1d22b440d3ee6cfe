//! What is mounted into the tasks: `ContainerSpec.Mounts` of the Engine API.

use super::{container, container_mut, not_empty, ports::one_of};
use crate::docker::{self, ServiceSpec};
use crate::terraform::{Model, Size};
use std::collections::BTreeMap;

/// Something that is mounted into the tasks.
///
/// Engines know more options of a mount for containers than for services: `consistency`, `create_mountpoint` and the
/// finer kinds of `read_only` of a `bind`, and images as mounts. They drop or refuse them in a service, so they are not
/// offered here.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Mount {
    /// `volume`: a named volume, made on each node that runs a task. `bind`: a folder or file of the node. `tmpfs`:
    /// memory. `cluster`: a cluster volume, which needs Engine 23 (API 1.42). `npipe`: a named pipe of Windows.
    #[tf(default = "volume", check = kind)]
    pub r#type: String,

    /// Name of the volume, or path on the node. None for `tmpfs`; a volume without one is anonymous, and goes with its
    /// task. A cluster volume's name, or `group:` and the name of its group.
    #[tf(check = not_empty)]
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
    #[tf(default = "rprivate", check = propagation)]
    pub bind_propagation: String,

    /// Whether what is mounted beneath the source of a `bind` is left out.
    #[tf(default = false)]
    pub bind_non_recursive: bool,

    /// How large a `tmpfs` may grow, such as `"64MiB"`.
    #[tf(check = some_size)]
    pub tmpfs_size: Option<Size>,

    /// The mode of a `tmpfs`, in octal, such as `"1777"`.
    #[tf(check = mode)]
    pub tmpfs_mode: Option<String>,

    /// Options of a `tmpfs`, such as `noexec` or `uid=1000`. Needs Engine 27 (API 1.46).
    #[tf(default = vec![])]
    pub tmpfs_options: Vec<String>,
}

/// What else can be said of a volume.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct VolumeOptions {
    /// Whether the image's files are not copied into a new volume.
    #[tf(default = false)]
    pub no_copy: bool,

    /// Path within the volume. Needs Engine 26 (API 1.45).
    #[tf(check = not_empty)]
    pub subpath: Option<String>,

    /// Labels of a volume that is made.
    #[tf(default = BTreeMap::new())]
    pub labels: BTreeMap<String, String>,

    /// Driver of a volume that is made.
    #[tf(check = not_empty)]
    pub driver: Option<String>,

    /// Options of the driver, such as those of an NFS mount.
    #[tf(default = BTreeMap::new())]
    pub driver_options: BTreeMap<String, String>,
}

/// What the Engine does with a bind of which nothing is said.
const PRIVATE: &str = "rprivate";

fn kind(kind: &str) -> Result<(), String> {
    one_of(kind, &["volume", "bind", "tmpfs", "cluster", "npipe"])
}

fn absolute(path: &str) -> Result<(), String> {
    let windows = path.starts_with('\\') || path.chars().nth(1) == Some(':');
    if (path.starts_with('/') && path.len() > 1) || windows {
        Ok(())
    } else {
        Err("a path in the container is absolute, and not the root".to_owned())
    }
}

fn propagation(propagation: &str) -> Result<(), String> {
    one_of(propagation, &["rprivate", "private", "rshared", "shared", "rslave", "slave"])
}

fn mode(mode: &str) -> Result<(), String> {
    match u32::from_str_radix(mode, 8) {
        Ok(1..=0o7777) if mode.len() == 4 => Ok(()),
        _ => Err("a mode is four octal digits, such as \"1777\"".to_owned()),
    }
}

fn some_size(size: &Size) -> Result<(), String> {
    if size.bytes() > 0 { Ok(()) } else { Err("more than nothing; for no limit, leave it out".to_owned()) }
}

impl Mount {
    /// A mount of which nothing but its kind and its place is said.
    pub fn plain(kind: &str, source: Option<String>, target: String) -> Self {
        Mount {
            r#type: kind.to_owned(),
            source,
            target,
            read_only: false,
            volume: None,
            bind_propagation: PRIVATE.to_owned(),
            bind_non_recursive: false,
            tmpfs_size: None,
            tmpfs_mode: None,
            tmpfs_options: vec![],
        }
    }

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
        let mut wanted: Vec<Self> = wanted.iter().map(Self::normal).collect();
        let same =
            before.len() == wanted.len() && before.iter().all(|before| wanted.contains(&Self::of(before)));
        if same {
            return;
        }
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
        let bind = mount.bind_options.as_ref();
        let tmpfs = mount.tmpfs_options.as_ref();
        let options = tmpfs.and_then(|tmpfs| tmpfs.options.clone()).unwrap_or_default();
        let mount = Mount {
            r#type: mount.kind.clone().unwrap_or_else(|| "volume".to_owned()),
            source: mount.source.clone().filter(|source| !source.is_empty()),
            target: mount.target.clone().unwrap_or_default(),
            read_only: mount.read_only.unwrap_or_default(),
            volume,
            bind_propagation: bind
                .and_then(|bind| bind.propagation.clone())
                .filter(|propagation| !propagation.is_empty())
                .unwrap_or_else(|| PRIVATE.to_owned()),
            bind_non_recursive: bind.and_then(|bind| bind.non_recursive).unwrap_or_default(),
            tmpfs_size: tmpfs.and_then(|tmpfs| tmpfs.size_bytes).map(Size::from_bytes),
            tmpfs_mode: tmpfs.and_then(|tmpfs| tmpfs.mode).filter(|mode| *mode != 0).map(octal),
            tmpfs_options: options.iter().map(|option| option.join("=")).collect(),
        };
        mount.normal()
    }

    /// The same, as it would be read back: what says nothing is not said.
    fn normal(&self) -> Self {
        let mut normal = self.clone();
        normal.volume.take_if(|volume| *volume == VolumeOptions::default());
        normal.tmpfs_size.take_if(|size| size.bytes() == 0);
        normal
    }

    fn engine(&self) -> docker::Mount {
        let bind = docker::BindOptions {
            propagation: (self.bind_propagation != PRIVATE).then(|| self.bind_propagation.clone()),
            non_recursive: self.bind_non_recursive.then_some(true),
            ..docker::BindOptions::default()
        };
        let option = |option: &String| option.splitn(2, '=').map(str::to_owned).collect();
        let tmpfs = docker::TmpfsOptions {
            size_bytes: self.tmpfs_size.as_ref().map(Size::bytes),
            mode: self.tmpfs_mode.as_ref().and_then(|mode| u32::from_str_radix(mode, 8).ok()),
            options: (!self.tmpfs_options.is_empty())
                .then(|| self.tmpfs_options.iter().map(option).collect()),
            ..docker::TmpfsOptions::default()
        };
        docker::Mount {
            kind: Some(self.r#type.clone()),
            source: self.source.clone(),
            target: Some(self.target.clone()),
            read_only: self.read_only.then_some(true),
            volume_options: self.volume.as_ref().map(VolumeOptions::engine),
            bind_options: (bind != docker::BindOptions::default()).then_some(bind),
            tmpfs_options: (tmpfs != docker::TmpfsOptions::default()).then_some(tmpfs),
            ..docker::Mount::default()
        }
    }
}

fn octal(mode: u32) -> String {
    format!("{mode:04o}")
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{
        collection::{btree_map, vec},
        option,
        prelude::*,
        sample::select,
    };

    fn volume() -> impl Strategy<Value = VolumeOptions> {
        let map = || btree_map("[a-z]{1,3}", "[a-z=,]{0,3}", 0..3);
        (any::<bool>(), option::of("[a-z/]{1,4}"), map(), option::of("[a-z]{1,4}"), map()).prop_map(
            |(no_copy, subpath, labels, driver, driver_options)| VolumeOptions {
                no_copy,
                subpath,
                labels,
                driver,
                driver_options,
            },
        )
    }

    fn mount() -> impl Strategy<Value = Mount> {
        let kinds = select(vec!["volume", "bind", "tmpfs", "cluster", "npipe"]);
        let place = (kinds, option::of("[a-z/]{1,4}"), "/[a-z]{1,4}", any::<bool>());
        let bind = (select(vec![PRIVATE, "rshared", "slave"]), any::<bool>());
        let tmpfs = (
            option::of(1..u64::from(u32::MAX)),
            option::of(1..=0o7777_u32),
            vec("[a-z]{1,3}(=[a-z=]{0,3})?", 0..3),
        );
        (place, option::of(volume()), bind, tmpfs).prop_map(
            |(
                (kind, source, target, read_only),
                volume,
                (propagation, non_recursive),
                (size, mode, options),
            )| Mount {
                read_only,
                volume,
                bind_propagation: propagation.to_owned(),
                bind_non_recursive: non_recursive,
                tmpfs_size: size.and_then(|size| i64::try_from(size).ok()).map(Size::from_bytes),
                tmpfs_mode: mode.map(octal),
                tmpfs_options: options,
                ..Mount::plain(kind, source, target)
            },
        )
    }

    fn by_target(mounts: &[Mount]) -> Vec<Mount> {
        let mut mounts: Vec<Mount> = mounts.iter().map(Mount::normal).collect();
        mounts.sort_by(|a, b| a.target.cmp(&b.target));
        mounts.dedup_by(|a, b| a.target == b.target);
        mounts
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(before in vec(mount(), 0..4), wanted in vec(mount(), 0..4)) {
            let (before, wanted) = (by_target(&before), by_target(&wanted));
            let mut spec = ServiceSpec::default();
            Mount::write(&before, &mut spec);
            Mount::write(&wanted, &mut spec);
            prop_assert_eq!(by_target(&Mount::read(&spec)), wanted.clone());
            let once = spec.clone();
            Mount::write(&wanted, &mut spec);
            prop_assert_eq!(spec, once, "the same is left alone");
        }
    }
}
