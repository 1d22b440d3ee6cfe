data "swarm_registry_endpoint" "hub" {
  registry = { url = "https://hub.example.com" }
  wait     = "30s"
}

# Warns from two weeks before the certificate expires.
check "certificate" {
  assert {
    condition = timecmp(
      data.swarm_registry_endpoint.hub.certificate.not_after,
      timeadd(plantimestamp(), "336h"),
    ) > 0
    error_message = "The registry's certificate expires on ${data.swarm_registry_endpoint.hub.certificate.not_after}."
  }
}

output "login" {
  value = data.swarm_registry_endpoint.hub.auth_scheme
}
