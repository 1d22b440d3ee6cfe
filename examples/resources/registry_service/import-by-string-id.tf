import {
  to       = registry_service.hub
  id       = "registry"
  provider = swarm
}
