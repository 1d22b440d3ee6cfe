# With `-generate-config-out`, `provider = swarm` belongs in here; beside a resource that is written, Terraform refuses it.
import {
  to       = registry_service.hub
  identity = { name = "registry" }
}
