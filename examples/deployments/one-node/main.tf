# One registry on one node: two TLS secrets, a label on the worker, and a replica there, published on port 443.

terraform {
  required_version = ">= 1.11"
  required_providers {
    swarm = { source = "localhub/swarm" }
  }
}

variable "certificates" {
  description = "Folder with localhub.crt and localhub.key, the certificate of `hostname` and its key."
  type        = string
  default     = "certs"
}

variable "hostname" {
  description = "The name by which clients call the registry."
  type        = string
  default     = "hub.docker.local"
}

variable "node" {
  description = "Host name of the node that keeps the images."
  type        = string
  default     = "hubworker01"
}

variable "folder" {
  description = "Folder of that node for the images. It must exist."
  type        = string
  default     = "/mnt/registry"
}

resource "swarm_secret" "certificate" {
  name        = "localhub.crt"
  generations = true
  data        = file("${var.certificates}/localhub.crt")
}

resource "swarm_secret" "key" {
  name            = "localhub.key"
  generations     = true
  data_wo         = file("${var.certificates}/localhub.key")
  data_wo_version = 1
}

resource "swarm_node_label" "registry" {
  node  = var.node
  key   = "registry"
  value = "true"
}

resource "registry_service" "hub" {
  provider = swarm

  name     = "registry"
  image    = "registry:2"
  url      = "https://${var.hostname}"
  replicas = 1

  tls = {
    certificate_secret = swarm_secret.certificate.id
    private_key_secret = swarm_secret.key.id
  }

  storage = {
    filesystem = { bind = var.folder }
  }

  publish = [{ port = 443, mode = "host" }]

  placement = {
    constraints = ["node.labels.registry==true"]
  }

  depends_on = [swarm_node_label.registry]
}

output "push_to" {
  value = "docker push ${var.hostname}/alpine"
}
