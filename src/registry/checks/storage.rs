//! S1 to S4: will images survive, and do all replicas see the same ones.

use super::Replicas;
use crate::registry::{Finding, configuration::paths};

/// What is mounted at the filesystem driver's root directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount<'a> {
    /// A directory of the node.
    Bind(&'a str),
    /// A named volume of the node, with Docker's `local` driver and no options.
    Volume(&'a str),
    /// A volume that is the same wherever it is mounted: NFS, a cluster volume, a volume plugin.
    SharedVolume(&'a str),
    /// Memory of the node.
    Tmpfs,
    /// A mount from the list of extra mounts, about which nothing more is known.
    Extra,
    /// Nothing: the image's own anonymous volume, which Docker makes and deletes with each task.
    Nothing,
}

/// The filesystem driver as it is set up.
#[derive(Clone, Copy, Debug)]
pub struct Filesystem<'a> {
    /// What is mounted at the root directory.
    pub mount: Mount<'a>,
    /// `storage.filesystem.root_directory`; the image's own where it is not set.
    pub root_directory: Option<&'a str>,
    /// `storage.filesystem.shared`: the user's word on whether each node sees the same files.
    pub shared: Option<bool>,
}

impl Filesystem<'_> {
    fn is_shared(&self) -> bool {
        self.shared.unwrap_or(matches!(self.mount, Mount::SharedVolume(_) | Mount::Extra))
    }
}

/// What the storage rules look at.
#[derive(Clone, Copy, Debug)]
pub struct StorageUse<'a> {
    /// How many tasks there are; `None` where the number is not known or not managed.
    pub replicas: Option<Replicas>,
    /// `storage.filesystem`
    pub filesystem: Option<Filesystem<'a>>,
    /// `storage.in_memory`
    pub in_memory: bool,
    /// Whether `placement.constraints` has anything in it.
    pub has_constraint: bool,
    /// Whether the registry is a pull-through cache, or may be one. Each task of a cache may have files of its own, and they
    /// can be had again.
    pub is_cache: bool,
}

/// S5: `nodes` can run the one task that has its images on a node's disk.
pub fn spread_over(nodes: &[String], storage: &StorageUse<'_>) -> Option<Finding> {
    let is_local = storage.filesystem.as_ref().is_some_and(|filesystem| {
        !filesystem.is_shared() && !matches!(filesystem.mount, Mount::Nothing | Mount::Tmpfs)
    });
    let is_one = storage.replicas == Some(Replicas::Count(1)) && storage.has_constraint && !storage.is_cache;
    (is_local && is_one && nodes.len() > 1).then(|| {
        let message = format!(
            "{} nodes satisfy placement.constraints ({}), and the images are on one of them only: a task that is started \
             again elsewhere would not have them. Narrow the constraints down to that node, for example by node.hostname, or \
             use shared storage.",
            nodes.len(),
            nodes.join(", ")
        );
        Finding::warning("S5", "placement.constraints", message)
    })
}

/// Applies S1, S2, S3 and S4. S6, exactly one driver, needs the whole file: see
/// [`Configuration::inspect`](crate::registry::configuration::Configuration::inspect).
pub fn storage(storage: &StorageUse<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if storage.in_memory
        && !storage.is_cache
        && let Some(replicas) = storage.replicas.filter(|replicas| replicas.are_many())
    {
        let message = format!(
            "{} would each have images of their own: in_memory storage is private to each replica. Use one replica, or \
             storage that they share.",
            replicas.in_words()
        );
        findings.push(Finding::error("S2", "storage.in_memory", message));
    }
    if let Some(filesystem) = &storage.filesystem {
        local_files(storage, filesystem, &mut findings);
    }
    findings
}

fn local_files(storage: &StorageUse<'_>, filesystem: &Filesystem<'_>, findings: &mut Vec<Finding>) {
    let root = filesystem.root_directory.unwrap_or(paths::ROOT_DIRECTORY);
    let is_many = storage.replicas.is_some_and(Replicas::are_many);
    if filesystem.mount == Mount::Nothing {
        let message = format!(
            "Nothing is mounted on {root}: Docker makes an anonymous volume for each task and deletes it with the task, so \
             every update and every restart loses all images. Set storage.filesystem.volume or storage.filesystem.bind."
        );
        findings.push(Finding::warning("S3", "storage.filesystem", message));
    }
    if filesystem.is_shared() || storage.is_cache {
        return;
    }
    let (attribute, place) = match filesystem.mount {
        Mount::Bind(source) => ("storage.filesystem.bind", source.to_owned()),
        Mount::Volume(name) | Mount::SharedVolume(name) => {
            ("storage.filesystem.volume", format!("the volume {name}"))
        }
        Mount::Tmpfs => ("storage.filesystem.tmpfs", "the same files".to_owned()),
        Mount::Extra | Mount::Nothing => ("storage.filesystem", root.to_owned()),
    };
    match storage.replicas {
        Some(replicas) if is_many => {
            let message = format!(
                "{} would each write to their own node's disk: pushes fail with \"blob upload unknown\", pulls with \
                 \"manifest unknown\". Use one replica or storage that they share, or set storage.filesystem.shared = \
                 true if {place} is the same filesystem on every node.",
                replicas.in_words()
            );
            findings.push(Finding::error("S1", attribute, message));
        }
        // Without a mount there is nothing to come back to, whichever node it is.
        Some(_) if !storage.has_constraint && !matches!(filesystem.mount, Mount::Nothing | Mount::Tmpfs) => {
            let message = "The task may be started again on a node that does not have the images. Pin it with \
                           placement.constraints, or use shared storage.";
            findings.push(Finding::warning("S4", attribute, message));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(mount: Mount<'static>) -> StorageUse<'static> {
        StorageUse {
            replicas: Some(Replicas::Count(1)),
            filesystem: Some(Filesystem { mount, root_directory: None, shared: None }),
            in_memory: false,
            has_constraint: true,
            is_cache: false,
        }
    }

    fn codes(storage_use: &StorageUse<'_>) -> Vec<(bool, &'static str)> {
        storage(storage_use).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    #[test]
    fn s1_replicas_on_their_own_disks() {
        for mount in [Mount::Bind("/mnt/registry"), Mount::Volume("hub"), Mount::Tmpfs] {
            for replicas in [Replicas::Count(3), Replicas::Global] {
                let many = StorageUse { replicas: Some(replicas), ..on(mount) };
                assert_eq!(codes(&many), [(true, "S1")], "{mount:?} {replicas:?}");
            }
            assert_eq!(codes(&on(mount)), []);
        }
        let mut many = StorageUse { replicas: Some(Replicas::Count(3)), ..on(Mount::Bind("/mnt/registry")) };
        let finding = &storage(&many)[0];
        assert_eq!(finding.path, "storage.filesystem.bind");
        assert!(finding.message.starts_with("3 replicas") && finding.message.contains("/mnt/registry"));
        many.filesystem = many.filesystem.map(|filesystem| Filesystem { shared: Some(true), ..filesystem });
        assert_eq!(codes(&many), []);
        assert_eq!(
            codes(&StorageUse { replicas: Some(Replicas::Count(3)), ..on(Mount::SharedVolume("nfs")) }),
            []
        );
        assert_eq!(codes(&StorageUse { replicas: None, ..on(Mount::Volume("hub")) }), []);
        let cache =
            StorageUse { replicas: Some(Replicas::Global), is_cache: true, ..on(Mount::Volume("hub")) };
        assert_eq!(codes(&cache), [], "each node has a cache of its own");
    }

    #[test]
    fn s2_replicas_in_memory() {
        let memory = StorageUse { filesystem: None, in_memory: true, ..on(Mount::Nothing) };
        assert_eq!(codes(&memory), []);
        assert_eq!(codes(&StorageUse { replicas: Some(Replicas::Count(2)), ..memory }), [(true, "S2")]);
    }

    #[test]
    fn s3_nothing_mounted() {
        assert_eq!(codes(&on(Mount::Nothing)), [(false, "S3")]);
        let many = StorageUse { replicas: Some(Replicas::Global), ..on(Mount::Nothing) };
        assert_eq!(codes(&many), [(false, "S3"), (true, "S1")]);
    }

    #[test]
    fn s4_a_task_that_may_move_away_from_its_images() {
        assert_eq!(codes(&StorageUse { has_constraint: false, ..on(Mount::Volume("hub")) }), [(false, "S4")]);
        assert_eq!(codes(&StorageUse { has_constraint: false, ..on(Mount::SharedVolume("hub")) }), []);
        assert_eq!(codes(&StorageUse { has_constraint: false, ..on(Mount::Extra) }), []);
    }

    #[test]
    fn s5_constraints_that_several_nodes_satisfy() {
        let nodes = ["hubworker01", "hubworker02"].map(str::to_owned);
        let code =
            |storage: &StorageUse<'_>, nodes: &[String]| spread_over(nodes, storage).map(|found| found.code);
        let pinned = on(Mount::Volume("hub"));
        assert_eq!(code(&pinned, &nodes), Some("S5"));
        assert_eq!(code(&pinned, &nodes[..1]), None);
        assert_eq!(code(&on(Mount::SharedVolume("nfs")), &nodes), None);
        assert_eq!(code(&StorageUse { has_constraint: false, ..pinned }, &nodes), None, "S4 says it already");
        assert_eq!(code(&StorageUse { replicas: None, ..pinned }, &nodes), None);
    }
}
