import {
  to = swarm_secret.certificate
  id = "localhub.crt"
}
