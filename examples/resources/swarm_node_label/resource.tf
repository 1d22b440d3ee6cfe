resource "swarm_node_label" "registry" {
  node  = "hubworker01"
  key   = "registry"
  value = "true"
}
