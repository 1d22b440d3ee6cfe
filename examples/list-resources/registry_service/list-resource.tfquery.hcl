list "registry_service" "all" {
  provider = swarm
}
