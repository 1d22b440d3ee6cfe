data "swarm_nodes" "with_registry" {
  role        = "worker"
  node_labels = ["registry=true"]
}

output "hosts" {
  value = data.swarm_nodes.with_registry.nodes[*].hostname
}
