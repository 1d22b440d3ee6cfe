resource "registry_service" "hub" {
  provider = swarm

  name     = "hub"
  image    = "registry:3"
  url      = "https://hub.example.com"
  replicas = 1

  tls = {
    certificate_secret = "hub.crt"
    private_key_secret = "hub.key"
  }
  storage = {
    filesystem = { volume = "hub" }
    delete     = true
  }
  publish = [{ port = 443, mode = "host" }]
}

# Filled in the same apply, before any node can pull from it.
resource "swarm_registry_image" "alpine" {
  registry   = { url = registry_service.hub.url }
  repository = "library/alpine"
  tags       = ["3.20", "latest"]
  source     = { image = "docker.io/library/alpine:3.20" }
  platforms  = ["linux/amd64", "linux/arm64"]
}

# What was built beside: `docker save --output shop.tar shop:1.4`.
resource "swarm_registry_image" "shop" {
  registry   = { url = registry_service.hub.url }
  repository = "team/shop"
  tags       = ["1.4"]
  source     = { docker_archive = "${path.module}/shop.tar" }
}

resource "swarm_service" "shop" {
  name  = "shop"
  image = swarm_registry_image.shop.reference
}
