output "push_to" {
  description = "What an image's name begins with to be pushed to this registry."
  value       = module.registry.push_to
}

output "service" {
  description = "ID of the registry's service."
  value       = module.registry.service
}
