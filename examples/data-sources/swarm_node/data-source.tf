data "swarm_node" "worker" {
  node = "hubworker01"
}

output "address" {
  value = data.swarm_node.worker.address
}
