import {
  to       = swarm_service.web
  identity = { name = "web" }
}
