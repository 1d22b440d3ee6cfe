import {
  to = swarm_node_label.registry
  id = "hubworker01/registry"
}
