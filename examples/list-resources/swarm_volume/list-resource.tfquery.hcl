list "swarm_volume" "all" {
  provider = swarm
}
