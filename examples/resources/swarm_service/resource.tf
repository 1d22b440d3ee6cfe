resource "swarm_secret" "password" {
  name        = "web-password"
  generations = true
  data_wo     = "an example, not a password"
}

# Two tasks, each replaced by one that is healthy before it stops.
resource "swarm_service" "web" {
  name     = "web"
  image    = "busybox:1"
  replicas = 2

  command     = ["sh", "-c", "echo \"$GREETING\" > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"]
  env         = { GREETING = "hello" }
  stop_signal = "SIGKILL"

  secrets = [{ source = swarm_secret.password.id, target = "password", mode = "0400" }]
  publish = [{ port = 8080 }]

  healthcheck = {
    command  = ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/index.html"]
    interval = "2s"
    timeout  = "5s"
  }

  resources = { limits = { cpus = 0.5, memory = "64MiB" } }
  update    = { order = "start-first", monitor = "2s", failure_action = "rollback" }
}

# A job: the apply waits until it has completed, and tells what it wrote if it fails.
resource "swarm_service" "migration" {
  name    = "migration"
  image   = "busybox:1"
  mode    = "replicated-job"
  command = ["sh", "-c", "echo done"]
  restart = { condition = "on-failure", max_attempts = 2 }
}
