resource "swarm_config" "motd" {
  name = "motd"
  data = "Welcome.\n"
}

# New data makes a new config beside the old one, so that services can be pointed to it without a pause. Templates are
# filled in for each task.
resource "swarm_config" "proxy" {
  name            = "proxy"
  generations     = true
  template_driver = "golang"
  data            = "server_name {{ .Service.Name }};\n"

  labels = {
    team = "web"
  }
}
