# "hub.docker.local"
output "registry" {
  value = provider::swarm::image_reference("hub.docker.local/team/app:1.4").domain
}

# "docker.io/library/registry:3"
output "written_out" {
  value = provider::swarm::image_reference("registry:3").canonical
}
