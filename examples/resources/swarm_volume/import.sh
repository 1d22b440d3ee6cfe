# A volume of the provider's Engine, and one of another host's.
terraform import swarm_volume.data registry-data
terraform import swarm_volume.data ssh://admin@hubworker01/registry-data
