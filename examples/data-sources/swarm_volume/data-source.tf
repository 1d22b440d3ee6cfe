data "swarm_volume" "data" {
  name = "registry-data"
}

output "data_driver" {
  value = data.swarm_volume.data.driver
}
