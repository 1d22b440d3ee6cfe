resource "swarm_secret" "password" {
  name        = "web-password"
  generations = true
  data_wo     = "an example, not a password"
}

# One task on each of two nodes at most, replaced one after another without a gap.
resource "swarm_service" "web" {
  name     = "web"
  image    = "busybox:1"
  replicas = 2

  command = ["sh", "-c", "httpd -f -p 8080"]
  env     = { GREETING = "hello" }
  secrets = [{ source = swarm_secret.password.id, target = "password", mode = "0400" }]
  publish = [{ port = 8080 }]

  healthcheck = { command = ["CMD", "nc", "-z", "127.0.0.1", "8080"], interval = "2s", timeout = "2s" }
  resources   = { limits = { cpus = 0.5, memory = "64MiB" } }
  update      = { order = "start-first", monitor = "2s", failure_action = "rollback" }
}

# A job: the apply waits until it has completed, and tells what it wrote if it fails.
resource "swarm_service" "migration" {
  name    = "migration"
  image   = "busybox:1"
  mode    = "replicated-job"
  command = ["sh", "-c", "echo done"]
  restart = { condition = "on-failure", max_attempts = 2 }
}
