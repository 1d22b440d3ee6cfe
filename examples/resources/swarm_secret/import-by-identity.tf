import {
  to       = swarm_secret.certificate
  identity = { name = "localhub.crt" }
}
