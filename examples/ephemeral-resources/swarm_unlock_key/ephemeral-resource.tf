resource "swarm_cluster" "hub" {
  autolock = true
}

ephemeral "swarm_unlock_key" "hub" {
  cluster = swarm_cluster.hub.id
}
