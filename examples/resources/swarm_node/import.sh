terraform import swarm_node.manager hubmgr
