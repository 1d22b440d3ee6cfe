import {
  to       = swarm_network.backend
  identity = { name = "backend" }
}
