list "swarm_registry_trust" "all" {
  provider = swarm
}
