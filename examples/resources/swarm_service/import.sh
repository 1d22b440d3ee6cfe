# By its name, or by its ID.
terraform import swarm_service.web web
