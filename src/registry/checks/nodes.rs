//! P18 and S16: what the nodes that can run the registry are, and have.

use crate::registry::Finding;

/// A node as these rules look at it.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Whether it is a manager.
    pub is_manager: bool,
    /// Whether it satisfies `placement` and takes tasks.
    pub is_eligible: bool,
    /// Whether it takes tasks at all.
    pub takes_tasks: bool,
}

/// P18: the registry's load is put on managers, although there are workers. A swarm of managers alone has no other way, and
/// nothing is said of it.
pub fn managers(nodes: &[Node]) -> Option<Finding> {
    let mut eligible = nodes.iter().filter(|node| node.is_eligible).peekable();
    eligible.peek()?;
    let has_workers = nodes.iter().any(|node| !node.is_manager && node.takes_tasks);
    (has_workers && eligible.all(|node| node.is_manager)).then(|| {
        let message = "All nodes that can run the registry are managers. Pushes load their disks and networks, of which the \
                       swarm itself needs a share at every moment. Constrain it to node.role==worker, or label a worker for \
                       it.";
        Finding::warning("P18", "placement.constraints", message)
    })
}

/// S16: a folder that is to be mounted, and is not there.
pub fn no_folder(folder: &str, node: &str) -> Finding {
    let message = format!(
        "There is no {folder} on {node}, and Docker makes none: the task would be rejected (\"bind source path does not \
         exist\"). Make the folder, or use storage.filesystem.volume, which is made where it is needed."
    );
    Finding::error("S16", "storage.filesystem.bind", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p18_managers_that_work_beside_idle_workers() {
        let node = |is_manager, is_eligible| Node { is_manager, is_eligible, takes_tasks: true };
        let code = |nodes: &[Node]| managers(nodes).map(|finding| (finding.is_error(), finding.code));
        assert_eq!(code(&[node(true, true), node(false, false)]), Some((false, "P18")));
        assert_eq!(code(&[node(true, true), node(false, true)]), None);
        assert_eq!(code(&[node(true, true)]), None, "a swarm of one has nothing else");
        assert_eq!(code(&[node(true, true), Node { takes_tasks: false, ..node(false, false) }]), None);
        assert_eq!(code(&[node(true, false), node(false, false)]), None, "P8 says so");
    }

    #[test]
    fn s16_a_folder_that_is_not_there() {
        let finding = no_folder("/mnt/registry", "hubworker01");
        assert_eq!((finding.code, finding.path.as_str()), ("S16", "storage.filesystem.bind"));
        assert!(finding.message.starts_with("There is no /mnt/registry on hubworker01"));
    }
}
