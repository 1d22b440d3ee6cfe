terraform import swarm_cluster.hub default
