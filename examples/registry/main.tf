# From hosts with a Docker Engine to a Swarm with a private registry on it.

resource "swarm_cluster" "hub" {
  # Without hosts there is a Swarm already, and nothing of it is managed here.
  count = length(var.hosts) > 0 ? 1 : 0

  engine         = { host = var.hosts[var.first_manager].engine }
  advertise_addr = var.hosts[var.first_manager].address
}

resource "swarm_node" "hub" {
  for_each = { for name, host in var.hosts : name => host if name != var.first_manager }

  engine         = { host = each.value.engine }
  advertise_addr = each.value.address
  role           = each.value.role

  depends_on = [swarm_cluster.hub]
}

module "registry" {
  source = "../modules/registry"

  hostname    = var.hostname
  nodes       = var.registry_nodes
  certificate = file("${path.module}/${var.certificates}/localhub.crt")
  private_key = file("${path.module}/${var.certificates}/localhub.key")
  write_only  = var.write_only

  check = {
    address = var.node_address
    ca      = file("${path.module}/${var.certificates}/ca.crt")
  }

  depends_on = [swarm_node.hub]
}
