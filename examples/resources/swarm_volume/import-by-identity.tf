import {
  to       = swarm_volume.data
  identity = { name = "registry-data" }
}
