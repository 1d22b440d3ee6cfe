import {
  to = swarm_node.manager
  id = "hubmgr"
}
