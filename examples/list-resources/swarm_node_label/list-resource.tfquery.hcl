list "swarm_node_label" "all" {
  provider = swarm
}
