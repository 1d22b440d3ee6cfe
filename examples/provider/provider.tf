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

# Several managers: the next is asked when one is gone.
provider "swarm" {
  alias = "managers"
  hosts = ["tcp://hubmgr01:2376", "tcp://hubmgr02:2376", "tcp://hubmgr03:2376"]
  tls   = { cert_path = "/etc/docker/client" }
}

# A manager behind a jump host, with a key out of a variable, and credentials for the registry that the nodes pull from.
provider "swarm" {
  alias = "pinned"
  host  = "ssh://deploy@10.0.0.11"
  ssh = {
    private_key = var.deploy_key
    passphrase  = var.deploy_key_passphrase
    host_key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1wqkHrKPhUVkHzTJdD0HyNGYuJb2bVPn3Yj7w9d9aZ"
    jump_host   = "deploy@bastion"
  }
  registry_auth = [
    { address = "hub.docker.local", username = "deploy", password = var.registry_password },
  ]
}

variable "deploy_key" {
  sensitive = true
}

variable "deploy_key_passphrase" {
  sensitive = true
}

variable "registry_password" {
  sensitive = true
}
