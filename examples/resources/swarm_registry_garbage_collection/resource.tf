resource "registry_service" "hub" {
  provider = swarm
  name     = "collected-hub"
  image    = "registry:2"

  storage = {
    filesystem = { volume = "collected-hub" }
    delete     = true
  }
}

# Runs again whenever the date is another one.
resource "swarm_registry_garbage_collection" "hub" {
  service  = registry_service.hub.name
  triggers = { date = "2026-11-25" }
}

output "freed" {
  value = swarm_registry_garbage_collection.hub.bytes_freed
}
