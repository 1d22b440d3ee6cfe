data "swarm_node" "hub" {
  node = "hubmgr"
}

resource "registry_service" "hub" {
  provider = swarm

  name     = "filled-hub"
  image    = "registry:2"
  url      = "http://${data.swarm_node.hub.address}:5000"
  replicas = 1

  storage = {
    filesystem = { volume = "filled-hub" }
    # Without it an image stays that is no longer wanted.
    delete = true
  }

  publish = [{ port = 5000, mode = "host" }]

  placement = {
    constraints = ["node.hostname==hubmgr"]
  }
}

# What was built beside: `docker save --output shop.tar shop:1.4`. It is there in the same apply, before any node pulls it.
resource "swarm_registry_image" "shop" {
  registry   = { url = registry_service.hub.url }
  repository = "team/shop"
  tags       = ["1.4", "latest"]
  source     = { docker_archive = "${path.module}/shop.tar" }
}

# The same image as a release. Its layers are in the registry already, and are not sent again.
#
# From a registry of others it is `source = { image = "docker.io/library/alpine:3.20" }`, here with
# `platforms = ["linux/amd64", "linux/arm64"]` for two of its platforms.
resource "swarm_registry_image" "release" {
  registry   = { url = registry_service.hub.url }
  repository = "release/shop"
  tags       = ["stable"]
  source     = { image = swarm_registry_image.shop.reference }
}

# An Engine pulls over plain http only from registries that are among its `insecure-registries`.
resource "swarm_service" "shop" {
  name  = "shop"
  image = swarm_registry_image.release.reference
}
