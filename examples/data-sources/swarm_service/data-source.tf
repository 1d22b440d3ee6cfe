data "swarm_service" "web" {
  name = "web"
}

# The port that the swarm chose for what listens on 8080.
output "port" {
  value = one([for port in data.swarm_service.web.ports : port.port if port.target == 8080])
}
