data "swarm_network" "ingress" {
  name = "ingress"
}

output "ingress_subnets" {
  value = data.swarm_network.ingress.ipam.config[*].subnet
}
