ephemeral "swarm_join_token" "worker" {
  role = "worker"
}
