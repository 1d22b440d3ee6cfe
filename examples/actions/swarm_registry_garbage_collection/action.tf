action "swarm_registry_garbage_collection" "hub" {
  config {
    service = "hub"
  }
}

# `terraform apply -invoke=action.swarm_registry_garbage_collection.hub` invokes it. To only see what it would delete:
action "swarm_registry_garbage_collection" "hub_dry" {
  config {
    service = "hub"
    dry_run = true
  }
}
