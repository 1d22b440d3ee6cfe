import {
  to       = swarm_registry_trust.hub
  identity = { name = "trust-hub-docker-local-5000" }
}
