data "swarm_secret" "certificate" {
  name = "localhub.crt"
}

output "certificate_since" {
  value = data.swarm_secret.certificate.created_at
}
