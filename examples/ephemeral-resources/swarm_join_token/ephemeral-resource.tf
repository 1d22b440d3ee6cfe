ephemeral "swarm_join_token" "worker" {
  role = "worker"
}

# A machine that joins by itself when it boots, by an attribute that is write-only there.
locals {
  join = "docker swarm join --token ${ephemeral.swarm_join_token.worker.token} ${ephemeral.swarm_join_token.worker.manager_addresses[0]}"
}
