variable "password" {
  type      = string
  sensitive = true
}

# {"auths":{"hub.docker.local":{"auth":"…"}}}
output "docker_config" {
  value     = provider::swarm::registry_auth("ci", var.password, "hub.docker.local")
  sensitive = true
}
