terraform import swarm_network.backend backend
