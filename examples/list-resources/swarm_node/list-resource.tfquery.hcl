list "swarm_node" "all" {
  provider = swarm
}
