# Three replicas in three zones over one bucket, a shared Redis, users with passwords, and updates that interrupt no push
# shorter than a minute. Passwords and keys are in neither plan nor state.

terraform {
  # Write-only attributes and ephemeral variables.
  required_version = ">= 1.11"

  required_providers {
    swarm = { source = "localhub/swarm" }
  }
}

variable "image" {
  description = "The registry's image."
  type        = string
  default     = "registry:3.1.1"
}

variable "hostname" {
  description = "The name by which clients call the registry: that of the load balancer."
  type        = string
  default     = "hub.example.com"
}

variable "port" {
  description = "Port of each node that the load balancer leads to."
  type        = number
  default     = 443
}

variable "certificate" {
  description = "The certificate as PEM, the registry's own first, then its chain."
  type        = string
}

variable "private_key" {
  description = "Its private key as PEM."
  type        = string
  ephemeral   = true
}

variable "users" {
  description = "Passwords by user."
  type        = map(string)
  ephemeral   = true
}

variable "bucket" {
  description = "Where the images are. `endpoint` is for object stores that are not Amazon's."
  type        = object({ name = string, region = string, endpoint = optional(string) })
}

variable "credentials" {
  description = "Keys of the object store."
  type        = object({ access_key = string, secret_key = string })
  ephemeral   = true
}

variable "redis" {
  description = "Address of a Redis without which everything goes on, only slower."
  type        = string
}

variable "versions" {
  description = "Raise one of them to send that secret again."
  type        = object({ key = number, users = number, credentials = number })
  default     = { key = 1, users = 1, credentials = 1 }
}

variable "nodes" {
  description = "The nodes with a replica, and the zone of each."
  type        = map(string)
}

resource "swarm_node_label" "registry" {
  for_each = var.nodes

  node  = each.key
  key   = "registry"
  value = "true"
}

resource "swarm_node_label" "zone" {
  for_each = var.nodes

  node  = each.key
  key   = "zone"
  value = each.value
}

resource "registry_service" "hub" {
  provider = swarm

  name     = "hub"
  image    = var.image
  url      = "https://${var.hostname}"
  replicas = length(var.nodes)

  tls = {
    certificate            = var.certificate
    private_key_wo         = var.private_key
    private_key_wo_version = var.versions.key
    minimum                = "tls1.2"
  }

  auth = {
    htpasswd = {
      realm            = "Example Hub"
      users_wo         = var.users
      users_wo_version = var.versions.users
    }
  }

  storage = {
    s3 = {
      bucket                 = var.bucket.name
      region                 = var.bucket.region
      region_endpoint        = var.bucket.endpoint
      root_directory         = "/prod"
      access_key_wo          = var.credentials.access_key
      secret_key_wo          = var.credentials.secret_key
      credentials_wo_version = var.versions.credentials
    }
    delete   = true
    redirect = false
  }

  cache = { redis = { addresses = [var.redis] } }

  http = {
    drain_timeout = "60s"
    headers       = { Strict-Transport-Security = ["max-age=31536000"] }
  }

  # Each node's own port, so that the registry sees who calls. A load balancer leads to those that answer.
  publish = [{ port = var.port, mode = "host" }]

  placement = {
    constraints           = ["node.labels.registry==true"]
    spread                = ["node.labels.zone"]
    max_replicas_per_node = 1
  }

  resources = {
    limits       = { cpus = 2, memory = "1GiB" }
    reservations = { memory = "128MiB" }
  }

  depends_on = [swarm_node_label.registry, swarm_node_label.zone]
}

output "registry" {
  value = registry_service.hub.url
}
