import {
  to = swarm_volume.data
  id = "registry-data"
}
