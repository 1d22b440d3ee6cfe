output "push_to" {
  description = "What an image's name begins with to be pushed to this registry."
  value       = "hub.docker.local"
}

output "service" {
  description = "ID of the registry's service."
  value       = registry_service.hub.id
}
