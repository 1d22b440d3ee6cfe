data "swarm_cluster" "hub" {}

output "managers" {
  value = data.swarm_cluster.hub.manager_addresses
}
