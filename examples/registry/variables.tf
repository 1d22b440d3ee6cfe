variable "hosts" {
  description = "Hosts that become a Swarm: the address of each one's Engine, such as `ssh://root@hubmgr`, its own address, and its role. Without any, the Swarm of the provider's Engine is used."
  type = map(object({
    engine  = string
    address = string
    role    = optional(string, "worker")
  }))
  default = {}
}

variable "first_manager" {
  description = "Which of the hosts begins the Swarm that the others join."
  type        = string
  default     = "hubmgr"
}

variable "registry_nodes" {
  description = "Nodes that may run the registry."
  type        = set(string)
  default     = ["hubworker01"]
}

variable "node_address" {
  description = "Address of one of them, where `terraform apply` asks the registry whether it serves."
  type        = string
}

variable "hostname" {
  description = "Name by which clients reach the registry."
  type        = string
  default     = "hub.docker.local"
}

variable "certificates" {
  description = "Folder with ca.crt, localhub.crt and localhub.key. `up` makes them here."
  type        = string
  default     = ".swarm/certs"
}

variable "write_only" {
  description = "Keep the private key out of Terraform's state. Needs Terraform 1.11."
  type        = bool
  default     = true
}
