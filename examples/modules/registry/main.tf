# A private registry: the nodes that may run it, its certificate and key, and the service.

locals {
  url = var.port == 443 ? "https://${var.hostname}" : "https://${var.hostname}:${var.port}"

  # Certificate and key change together. The certificate is public, so its digest may be in the state; the key's may not.
  version = parseint(substr(sha256(var.certificate), 0, 12), 16)
}

resource "swarm_node_label" "this" {
  for_each = var.nodes

  node  = each.key
  key   = var.name
  value = "true"
}

# Terraform before 1.11 knows no write-only values, so there the data is a plain sensitive attribute.
resource "swarm_secret" "certificate" {
  name            = "${var.name}-crt"
  generations     = true
  data_wo         = var.write_only ? var.certificate : null
  data_wo_version = var.write_only ? local.version : null
  data            = var.write_only ? null : var.certificate
}

resource "swarm_secret" "private_key" {
  name            = "${var.name}-key"
  generations     = true
  data_wo         = var.write_only ? var.private_key : null
  data_wo_version = var.write_only ? local.version : null
  data            = var.write_only ? null : var.private_key
}

resource "registry_service" "this" {
  provider = swarm

  name     = var.name
  image    = var.image
  replicas = var.replicas
  url      = local.url

  tls = {
    certificate_secret = swarm_secret.certificate.id
    private_key_secret = swarm_secret.private_key.id
  }

  storage = {
    filesystem = { volume = var.volume }
  }

  auth = nonsensitive(length(var.users)) == 0 ? null : {
    htpasswd = {
      users_wo         = var.write_only ? var.users : null
      users_wo_version = var.write_only ? var.users_version : null
      users            = var.write_only ? null : var.users
    }
  }

  # The port of the node itself, not of the Swarm's routing mesh: clients' addresses stay visible.
  publish = [{ port = var.port, mode = "host" }]

  placement = {
    constraints = ["node.labels.${var.name}==true"]
  }

  wait_for = var.check == null ? {} : {
    url        = "${local.url}/v2/"
    connect_to = "${var.check.address}:${var.port}"
    ca         = var.check.ca
  }

  depends_on = [swarm_node_label.this]
}
