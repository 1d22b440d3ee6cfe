terraform {
  required_version = ">= 1.8"

  required_providers {
    swarm = {
      source = "localhub/swarm"
    }
  }
}
