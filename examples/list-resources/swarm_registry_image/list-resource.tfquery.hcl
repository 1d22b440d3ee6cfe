list "swarm_registry_image" "all" {
  provider = swarm
}
