# A pull-through cache on every worker for each of several registries, each with its own disk: a cache must not share its
# storage, since Distribution keeps the times of eviction there.

terraform {
  required_providers {
    swarm = { source = "localhub/swarm" }
  }
}

variable "image" {
  description = "The registry's image."
  type        = string
  default     = "registry:3.1.1"
}

variable "upstreams" {
  description = "The registries that are cached, by the name under which they are pulled from, and the port of each cache."
  type        = map(object({ url = string, port = number }))
  default = {
    "docker.io" = { url = "https://registry-1.docker.io", port = 5001 }
    "ghcr.io"   = { url = "https://ghcr.io", port = 5002 }
    "quay.io"   = { url = "https://quay.io", port = 5003 }
  }
}

resource "registry_service" "cache" {
  provider = swarm
  for_each = var.upstreams

  name  = "cache-${replace(each.key, ".", "-")}"
  image = var.image
  mode  = "global"

  proxy = { remote_url = each.value.url }

  storage = {
    filesystem = { volume = "cache-${replace(each.key, ".", "-")}" }
    # Without it nothing is ever evicted.
    delete = true
  }

  publish = [{ port = each.value.port, mode = "host" }]

  placement = { constraints = ["node.role==worker"] }
}

# For `/etc/docker/daemon.json` of each worker. Docker knows mirrors of Docker Hub only.
output "daemon_json" {
  value = jsonencode({
    registry-mirrors = [for name, upstream in var.upstreams : "http://127.0.0.1:${upstream.port}" if name == "docker.io"]
  })
}

# For `/etc/containerd/certs.d/NAME/hosts.toml` of each worker.
output "hosts_toml" {
  value = {
    for name, upstream in var.upstreams : name => <<-EOT
      server = "${upstream.url}"

      [host."http://127.0.0.1:${upstream.port}"]
        capabilities = ["pull", "resolve"]
    EOT
  }
}
