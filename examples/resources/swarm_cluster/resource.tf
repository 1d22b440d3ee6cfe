# On the provider's Engine; with `engine`, on another host.
resource "swarm_cluster" "hub" {
  advertise_addr    = "eth0"
  default_addr_pool = ["10.20.0.0/16"]
  subnet_size       = 24

  task_history_retention_limit = 3
  ca                           = { node_cert_expiry = "720h" }
  labels                       = { environment = "staging" }

  # Raise it to make the token anew with which workers join.
  rotate_worker_token = 1
}
