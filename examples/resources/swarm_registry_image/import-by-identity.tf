import {
  to = swarm_registry_image.shop
  identity = {
    id = "http://10.0.0.5:5000/team/shop@sha256:0a4eaa0eecf5f8c050e5bba433f58c052be7587ee8af3e8b3910ef9ab5fbe9f5"
  }
}
