import {
  to       = registry_service.hub
  identity = { name = "registry" }
  provider = swarm
}
