terraform import registry_service.hub registry
