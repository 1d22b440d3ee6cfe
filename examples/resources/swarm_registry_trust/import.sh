# By the name of its service, or by its ID.
terraform import swarm_registry_trust.hub trust-hub-docker-local-5000
