variable "node" {
  description = "Hostname of the node that the registry runs on."
  type        = string
  default     = "hubworker01"
}

variable "node_address" {
  description = "Address of that node, where `terraform apply` asks the registry whether it serves."
  type        = string
}

variable "certificates" {
  description = "Folder with ca.crt, localhub.crt and localhub.key. `up` makes them here."
  type        = string
  default     = ".swarm/certs"
}

variable "write_only" {
  description = "Keep the certificate and its key out of Terraform's state. Needs Terraform 1.11."
  type        = bool
  default     = true
}
