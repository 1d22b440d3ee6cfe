list "swarm_secret" "web" {
  provider = swarm

  config {
    name   = "web-"
    labels = { team = "shop" }
  }
}
