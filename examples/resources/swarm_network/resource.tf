resource "swarm_network" "backend" {
  name       = "backend"
  attachable = true
  internal   = true

  options = {
    "com.docker.network.driver.mtu" = "1400"
  }

  ipam = {
    config = [{ subnet = "10.90.0.0/24" }]
  }
}

# The settings of a network that has its own addresses on each host, and the network of the swarm that is made of them.
resource "swarm_network" "lan_here" {
  name        = "lan-here"
  config_only = true

  ipam = {
    config = [{ subnet = "192.168.90.0/24", ip_range = "192.168.90.32/27" }]
  }
}

resource "swarm_network" "lan" {
  name        = "lan"
  driver      = "macvlan"
  config_from = swarm_network.lan_here.name
}
