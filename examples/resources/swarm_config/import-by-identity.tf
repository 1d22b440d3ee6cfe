import {
  to       = swarm_config.motd
  identity = { name = "motd" }
}
