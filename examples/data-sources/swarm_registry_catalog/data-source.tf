data "swarm_registry_catalog" "hub" {
  registry = { url = "https://hub.example.com" }
}

output "repositories" {
  value = data.swarm_registry_catalog.hub.repositories
}
