//! `storage`: where the images are.

use super::absolute;
use crate::{registry::configuration::Section, resources::service::Mount, terraform::Model};

/// Where the images are (`storage`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Storage {
    /// In files.
    pub filesystem: Option<Filesystem>,

    /// Whether images may be deleted (`storage.delete.enabled`).
    #[tf(default = false)]
    pub delete: bool,
}

/// Images in files (`storage.filesystem`). One of `volume` and `bind`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Filesystem {
    /// Name of a volume. Each node has its own of that name.
    pub volume: Option<String>,

    /// Folder of the node. It must exist there.
    #[tf(check = absolute)]
    pub bind: Option<String>,

    /// Folder in the container.
    #[tf(default = "/var/lib/registry", check = absolute)]
    pub root_directory: String,

    /// Whether the volume or folder is the same storage on every node, as with NFS. Only then can more than one
    /// replica use it.
    #[tf(default = false)]
    pub shared: bool,
}

impl Storage {
    /// `storage`, but for the cache.
    pub fn section(&self) -> Section {
        // With fewer than four keys of `uploadpurging` the registry panics.
        let purging = Section::new()
            .with("enabled", true)
            .with("age", "168h")
            .with("interval", "24h")
            .with("dryrun", false);
        let read_only = Section::new().with("enabled", false);
        Section::new()
            .with("delete", Section::new().with("enabled", self.delete))
            .with("redirect", Section::new().with("disable", false))
            .with("maintenance", Section::new().with("uploadpurging", purging).with("readonly", read_only))
            .and(self.driver())
    }

    fn driver(&self) -> Section {
        let filesystem = self
            .filesystem
            .as_ref()
            .map(|filesystem| Section::new().with("rootdirectory", &filesystem.root_directory));
        Section::new().with("filesystem", filesystem)
    }

    /// What is mounted under the images; none where nothing is mounted, which a check has warned about.
    pub fn mount(&self) -> Option<Mount> {
        let filesystem = self.filesystem.as_ref()?;
        let (kind, source) = match (&filesystem.volume, &filesystem.bind) {
            (Some(volume), _) => ("volume", volume),
            (None, Some(folder)) => ("bind", folder),
            (None, None) => return None,
        };
        Some(Mount::plain(kind, Some(source.clone()), filesystem.root_directory.clone()))
    }

    /// Takes the mount under the images from those of a service; all others are the user's.
    pub fn take_mount(&mut self, mounts: &mut Vec<Mount>) {
        let Some(filesystem) = &mut self.filesystem else { return };
        let at = mounts.iter().position(|mount| mount.target == filesystem.root_directory);
        let mount = at.map(|at| mounts.remove(at));
        let source = |kind: &str| {
            mount.as_ref().filter(|mount| mount.r#type == kind).and_then(|mount| mount.source.clone())
        };
        filesystem.volume = source("volume");
        filesystem.bind = source("bind");
    }
}
