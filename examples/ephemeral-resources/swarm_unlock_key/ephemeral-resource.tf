resource "swarm_cluster" "hub" {
  autolock = true
}

ephemeral "swarm_unlock_key" "hub" {
  depends_on = [swarm_cluster.hub]
}
