resource "swarm_node_label" "registry" {
  node  = "hubworker01"
  key   = "registry"
  value = "true"
}

# The registry on the labelled node, its images in a volume there.
resource "registry_service" "hub" {
  provider = swarm

  name     = "registry"
  image    = "registry:2"
  replicas = 1

  storage = {
    filesystem = { volume = "registry" }
    delete     = true
  }

  publish = [{ port = 5000, mode = "host" }]

  placement = {
    constraints = ["node.labels.registry==true"]
  }

  resources = {
    limits = { memory = "512MiB" }
  }

  depends_on = [swarm_node_label.registry]
}
