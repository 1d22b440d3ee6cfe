# Where Terraform is to write the resource's configuration (`-generate-config-out`), it is told here: `provider = swarm`.
import {
  to = registry_service.hub
  id = "registry"
}
