//! `storage.filesystem`: images in files, and what is mounted under them.

use super::super::absolute;
use crate::{
    registry::configuration::Section,
    resources::service::{Mount, VolumeOptions, not_empty},
    terraform::{Model, Plan, Size},
};
use aws_lc_rs::digest;
use std::collections::BTreeMap;

/// Images in files (`storage.filesystem`). One of `volume`, `bind`, `nfs`, `cluster_volume` and `tmpfs`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Filesystem {
    /// Name of a volume. Each node has its own of that name.
    #[tf(check = not_empty)]
    pub volume: Option<String>,

    /// Folder of the node. It must exist there.
    #[tf(check = absolute)]
    pub bind: Option<String>,

    /// Folder of an NFS server, which each node mounts as a volume.
    pub nfs: Option<Nfs>,

    /// Name of a cluster volume, or `group:` and the name of its group. Needs Engine 23 (API 1.42) and a CSI driver.
    #[tf(check = not_empty)]
    pub cluster_volume: Option<String>,

    /// Memory. The images are gone with the task.
    pub tmpfs: Option<Tmpfs>,

    /// Folder in the container (`storage.filesystem.rootdirectory`).
    #[tf(default = "/var/lib/registry", check = absolute)]
    pub root_directory: String,

    /// How many operations on files may go on at once (`storage.filesystem.maxthreads`), at least 25. Without it 100.
    #[tf(check = threads)]
    pub max_threads: Option<i64>,

    /// Whether the volume or folder is the same storage on every node. Only then can more than one replica use it. By
    /// default it is taken to be for `nfs` and `cluster_volume` alone.
    #[tf(derived)]
    pub shared: Option<bool>,
}

/// A folder of an NFS server.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Nfs {
    /// Name or address of the server.
    #[tf(check = word)]
    pub server: String,

    /// Folder that the server exports.
    #[tf(check = absolute)]
    pub path: String,

    /// Options of the mount. By default those with which an upload may go on at another replica: no node remembers what
    /// was in a folder a moment ago.
    #[tf(default = Nfs::options(), check = options)]
    pub options: Vec<String>,
}

/// Memory.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Tmpfs {
    /// How large it may grow, such as `"1GiB"`. Without it half of the node's memory.
    #[tf(check = some_size)]
    pub size: Option<Size>,
}

impl Filesystem {
    /// `storage.filesystem`
    pub(super) fn section(&self) -> Section {
        Section::new().with("rootdirectory", &self.root_directory).with("maxthreads", self.max_threads)
    }

    /// What is mounted under the images, if anything.
    pub(super) fn mount(&self) -> Option<Mount> {
        let plain = |kind: &str, source: Option<&String>| {
            Mount::plain(kind, source.cloned(), self.root_directory.clone())
        };
        let choices = [("volume", &self.volume), ("bind", &self.bind), ("cluster", &self.cluster_volume)];
        if let Some((kind, source)) = choices.into_iter().find(|(_, source)| source.is_some()) {
            return Some(plain(kind, source.as_ref()));
        }
        if let Some(nfs) = &self.nfs {
            return Some(Mount { volume: Some(nfs.volume()), ..plain("volume", Some(&nfs.volume_name())) });
        }
        let tmpfs = self.tmpfs.as_ref()?;
        Some(Mount { tmpfs_size: tmpfs.size.clone(), ..plain("tmpfs", None) })
    }

    /// Takes the mount under the images from those of a service. One that no attribute here can tell stays among the
    /// others, so that it shows; and so does each where no attribute here has told of one.
    pub(super) fn take_mount(&mut self, mounts: &mut Vec<Mount>) {
        if self.mount().is_none() {
            return;
        }
        let at = mounts.iter().position(|mount| mount.target == self.root_directory);
        let found = at.map(|at| mounts.remove(at));
        if found == self.mount() {
            return;
        }
        (self.volume, self.bind, self.nfs, self.cluster_volume, self.tmpfs) = (None, None, None, None, None);
        let Some(found) = found else { return };
        let source = found.source.clone();
        match (found.r#type.as_str(), found.volume.as_ref().and_then(Nfs::of)) {
            ("volume", Some(nfs)) => self.nfs = Some(nfs),
            ("volume", None) => self.volume = source,
            ("bind", _) => self.bind = source,
            ("cluster", _) => self.cluster_volume = source,
            ("tmpfs", _) => self.tmpfs = Some(Tmpfs { size: found.tmpfs_size.clone() }),
            _ => {}
        }
        if self.mount().as_ref() != Some(&found) {
            (self.volume, self.bind, self.nfs, self.cluster_volume, self.tmpfs) =
                (None, None, None, None, None);
            mounts.push(found);
        }
    }
}

impl Nfs {
    fn options() -> Vec<String> {
        ["nfsvers=4", "hard", "actimeo=0", "lookupcache=none"].map(str::to_owned).to_vec()
    }

    /// Docker keeps the options of a volume that it has made, whatever a service says later: so another server, folder
    /// or option is another volume, and its name follows from them.
    fn volume_name(&self) -> String {
        let volume = self.driver_options();
        let told: Vec<&str> = volume.values().map(String::as_str).collect();
        let digest = digest::digest(&digest::SHA256, told.join("\n").as_bytes());
        let digits: String = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("registry-nfs-{digits}")
    }

    fn driver_options(&self) -> BTreeMap<String, String> {
        let options = [format!("addr={}", self.server)].into_iter().chain(self.options.iter().cloned());
        let options: Vec<String> = options.collect();
        let pairs =
            [("type", "nfs".to_owned()), ("o", options.join(",")), ("device", format!(":{}", self.path))];
        pairs.map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// What is said of the volume. The image's folder is not copied into it, which would change its owner.
    fn volume(&self) -> VolumeOptions {
        VolumeOptions {
            no_copy: true,
            driver: Some("local".to_owned()),
            driver_options: self.driver_options(),
            ..VolumeOptions::default()
        }
    }

    fn of(volume: &VolumeOptions) -> Option<Self> {
        let option = |name: &str| volume.driver_options.get(name).map(String::as_str);
        if option("type") != Some("nfs") {
            return None;
        }
        let mut words = option("o")?.split(',');
        Some(Nfs {
            server: words.next()?.strip_prefix("addr=")?.to_owned(),
            path: option("device")?.strip_prefix(':')?.to_owned(),
            options: words.map(str::to_owned).collect(),
        })
    }
}

/// Plans whether the storage is the same on every node, where the configuration does not say it.
pub(super) fn derive(plan: &mut Plan) {
    let [nfs, cluster_volume] =
        ["nfs", "cluster_volume"].map(|name| plan.config.get(&format!("storage.filesystem.{name}")));
    // An object that is there is one, whatever is not known in it.
    if !nfs.is_unknown() && !cluster_volume.is_unknown() {
        let is_shared = !nfs.is_null() || !cluster_volume.is_null();
        plan.derive("storage.filesystem.shared", is_shared);
    }
}

fn threads(threads: &i64) -> Result<(), String> {
    if *threads >= 25 { Ok(()) } else { Err("25 or more: Distribution takes less for 25".to_owned()) }
}

fn word(server: &str) -> Result<(), String> {
    if server.is_empty() || server.contains([',', ' ', '/']) {
        Err("a server is a name or an address".to_owned())
    } else {
        Ok(())
    }
}

fn options(options: &[String]) -> Result<(), String> {
    if options.iter().any(|option| option.is_empty() || option.contains(',') || option.starts_with("addr=")) {
        Err("an option such as \"nfsvers=4\", without a comma; the address is that of `server`".to_owned())
    } else {
        Ok(())
    }
}

fn some_size(size: &Size) -> Result<(), String> {
    if size.bytes() > 0 { Ok(()) } else { Err("more than nothing; for no limit, leave it out".to_owned()) }
}
