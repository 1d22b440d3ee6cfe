data "swarm_registry_tags" "alpine" {
  registry   = { url = "https://hub.example.com" }
  repository = "library/alpine"
  filter     = "^3\\."
  order      = "version"
}

output "newest_alpine" {
  value = data.swarm_registry_tags.alpine.latest
}
