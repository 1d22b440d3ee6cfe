terraform {
  required_version = ">= 1.8"

  required_providers {
    swarm = {
      source = "localhub/swarm"
    }
  }
}

# The Swarm's manager is where DOCKER_HOST, or the current Docker context, says.
provider "swarm" {}
