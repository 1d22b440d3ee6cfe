import {
  to = swarm_registry_trust.hub
  id = "trust-hub-docker-local-5000"
}
