terraform {
  required_version = ">= 1.8"

  required_providers {
    swarm = {
      source = "localhub/swarm"
    }
  }
}

# The managers, of which any will do. Without hosts, the Engine is where DOCKER_HOST or the current Docker context says.
provider "swarm" {
  hosts = length(var.hosts) > 0 ? concat(
    [var.hosts[var.first_manager].engine],
    [for name, host in var.hosts : host.engine if host.role == "manager" && name != var.first_manager],
  ) : null
}
