list "swarm_network" "all" {
  provider = swarm
}
