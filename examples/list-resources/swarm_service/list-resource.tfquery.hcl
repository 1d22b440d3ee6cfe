list "swarm_service" "web" {
  provider = swarm

  config {
    name = "web"
  }
}
