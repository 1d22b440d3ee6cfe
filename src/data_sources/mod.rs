//! One file per data source type.

mod swarm_cluster;
mod swarm_node;
mod swarm_nodes;

pub use swarm_cluster::SwarmClusterData;
pub use swarm_node::SwarmNodeData;
pub use swarm_nodes::SwarmNodesData;
