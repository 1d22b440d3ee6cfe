list "swarm_config" "all" {
  provider = swarm
}
