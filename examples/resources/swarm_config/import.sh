terraform import swarm_config.motd motd
