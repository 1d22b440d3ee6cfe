import {
  to = swarm_config.motd
  id = "motd"
}
