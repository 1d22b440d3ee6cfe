resource "registry_service" "hub" {
  provider = swarm

  name     = "retained-hub"
  image    = "registry:2"
  replicas = 1

  storage = {
    filesystem = { volume = "retained-hub" }
    # Without it nothing can be deleted.
    delete = true
  }

  publish = [{ port = 5000, mode = "host" }]

  placement = {
    constraints = ["node.hostname==hubmgr"]
  }
}

data "swarm_node" "hub" {
  node = "hubmgr"
}

# Of each repository of the team the ten newest tags stay, and all releases.
resource "swarm_registry_retention" "team" {
  registry = { url = "http://${data.swarm_node.hub.address}:5000" }

  repositories  = ["team/**"]
  keep_matching = ["^v[0-9]"]
  keep_last     = 10
  older_than    = "720h"

  depends_on = [registry_service.hub]
}
