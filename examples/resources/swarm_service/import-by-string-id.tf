import {
  to = swarm_service.web
  id = "web"
}
