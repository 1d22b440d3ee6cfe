terraform {
  required_providers {
    swarm = {
      source = "localhub/swarm"
    }
  }
}

# Without arguments, the connection is that of the docker command: DOCKER_HOST, the current context, the local socket.
provider "swarm" {}

# A manager behind SSH.
provider "swarm" {
  alias = "ssh"
  host  = "ssh://deploy@hubmgr"
}
