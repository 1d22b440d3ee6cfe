# The ID of the swarm, or the name that Docker gives to all of them.
import {
  to = swarm_cluster.hub
  id = "default"
}
