import {
  to       = swarm_cluster.hub
  identity = { id = "xz7wpypvecy9douj1ydh8mxeq" }
}
