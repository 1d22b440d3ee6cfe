output "url" {
  description = "Address of the registry."
  value       = local.url
}

output "push_to" {
  description = "What an image's name begins with to be pushed to this registry."
  value       = trimprefix(local.url, "https://")
}

output "service" {
  description = "ID of the registry's service."
  value       = registry_service.this.id
}
