action "swarm_cluster_rotate" "tokens" {
  config {
    worker_token  = true
    manager_token = true
  }
}

# `terraform apply -invoke=action.swarm_cluster_rotate.tokens` invokes it.
