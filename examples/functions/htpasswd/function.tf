variable "users" {
  type      = map(string)
  sensitive = true
}

# ci:$2y$08$…
output "htpasswd" {
  value     = provider::swarm::htpasswd(var.users, "hub.docker.local")
  sensitive = true
}
