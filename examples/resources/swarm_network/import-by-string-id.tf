import {
  to = swarm_network.backend
  id = "backend"
}
