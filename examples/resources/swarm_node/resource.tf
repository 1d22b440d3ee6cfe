resource "swarm_cluster" "hub" {
  advertise_addr = "eth0"
}

# Hosts that join, with a token that the provider asks for by itself.
resource "swarm_node" "worker" {
  for_each = toset(["hubworker01", "hubworker02"])
  cluster  = swarm_cluster.hub.id
  engine   = { host = "ssh://root@${each.key}" }
}

# A node that is in already: here the first manager, which is to run no tasks.
resource "swarm_node" "manager" {
  node         = "hubmgr"
  cluster      = swarm_cluster.hub.id
  availability = "drain"
}
