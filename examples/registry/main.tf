# A private registry on a Swarm: the node that may run it, its certificate and key, and the service.

locals {
  certificate = file("${path.module}/${var.certificates}/localhub.crt")
  private_key = file("${path.module}/${var.certificates}/localhub.key")
}

resource "swarm_node_label" "registry" {
  node  = var.node
  key   = "registry"
  value = "true"
}

# Terraform before 1.11 knows no write-only values, so there the data is a plain sensitive attribute.
resource "swarm_secret" "crt" {
  name            = "localhub.crt"
  data_wo         = var.write_only ? local.certificate : null
  data_wo_version = var.write_only ? 1 : null
  data            = var.write_only ? null : local.certificate
}

resource "swarm_secret" "key" {
  name            = "localhub.key"
  data_wo         = var.write_only ? local.private_key : null
  data_wo_version = var.write_only ? 1 : null
  data            = var.write_only ? null : local.private_key
}

resource "registry_service" "hub" {
  provider = swarm

  name     = "registry"
  image    = "registry:2"
  replicas = 1
  url      = "https://hub.docker.local"

  tls = {
    certificate_secret = swarm_secret.crt.id
    private_key_secret = swarm_secret.key.id
  }

  storage = {
    filesystem = { volume = "registry" }
  }

  # The port of the node itself, not of the Swarm's routing mesh: the registry is on one known node.
  publish = [{ port = 443, mode = "host" }]

  placement = {
    constraints = ["node.labels.registry==true"]
  }

  wait_for = {
    url        = "https://hub.docker.local/v2/"
    connect_to = "${var.node_address}:443"
    ca         = file("${path.module}/${var.certificates}/ca.crt")
  }

  depends_on = [swarm_node_label.registry]
}
