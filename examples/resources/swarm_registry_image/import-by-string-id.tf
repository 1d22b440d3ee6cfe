import {
  to = swarm_registry_image.shop
  id = "http://10.0.0.5:5000/team/shop:1.4"
}
