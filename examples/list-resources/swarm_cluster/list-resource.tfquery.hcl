list "swarm_cluster" "all" {
  provider = swarm
}
