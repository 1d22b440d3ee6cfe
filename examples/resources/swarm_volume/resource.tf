# Destroying the resource leaves the volume and what is in it.
resource "swarm_volume" "data" {
  name = "registry-data"

  labels = {
    backup = "daily"
  }
}

# A volume without anything that is worth keeping.
resource "swarm_volume" "scratch" {
  name            = "scratch"
  keep_on_destroy = false

  driver_options = {
    type   = "tmpfs"
    device = "tmpfs"
    o      = "size=64m"
  }
}
