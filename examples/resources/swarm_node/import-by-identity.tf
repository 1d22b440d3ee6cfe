import {
  to       = swarm_node.manager
  identity = { hostname = "hubmgr" }
}
