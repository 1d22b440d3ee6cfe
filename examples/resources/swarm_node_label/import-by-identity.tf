import {
  to       = swarm_node_label.registry
  identity = { node = "hubworker01", key = "registry" }
}
