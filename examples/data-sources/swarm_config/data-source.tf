data "swarm_config" "motd" {
  name = "motd"
}

output "motd" {
  value = data.swarm_config.motd.data
}
