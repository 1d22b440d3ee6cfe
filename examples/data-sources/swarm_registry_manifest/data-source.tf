data "swarm_registry_manifest" "shop" {
  registry   = { url = "https://hub.example.com" }
  repository = "team/shop"
  reference  = "1.4"
}

# The service stays with what the tag means now, and changes with the next apply when the tag has moved.
resource "swarm_service" "shop" {
  name  = "shop"
  image = "hub.example.com/team/shop:1.4@${data.swarm_registry_manifest.shop.digest}"
}
