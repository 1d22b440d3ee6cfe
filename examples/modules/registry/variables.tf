variable "hostname" {
  description = "Name by which clients reach the registry, such as `hub.example.com`. The certificate must be for it."
  type        = string
}

variable "nodes" {
  description = "Nodes that may run the registry, by hostname or ID. Each gets the label `NAME=true`."
  type        = set(string)

  validation {
    condition     = length(var.nodes) > 0
    error_message = "Name at least one node: the registry needs one to run on."
  }
}

variable "certificate" {
  description = "The registry's certificate as PEM text, followed by those that lead to a CA."
  type        = string
}

variable "private_key" {
  description = "The certificate's private key as PEM text."
  type        = string
  sensitive   = true
}

variable "name" {
  description = "Name of the service, and of the label of its nodes."
  type        = string
  default     = "registry"
}

variable "image" {
  description = "Image of the registry, with a tag that says its version."
  type        = string
  default     = "registry:2"
}

variable "replicas" {
  description = "How many tasks serve: one, or 0 for none. More would need storage that they share, and these images are in a volume of one node."
  type        = number
  default     = 1

  validation {
    condition     = contains([0, 1], var.replicas)
    error_message = "One replica, or none: others would not see the images, which are in a volume of one node."
  }
}

variable "port" {
  description = "Port of the nodes at which the registry serves."
  type        = number
  default     = 443
}

variable "volume" {
  description = "Name of the volume with the images, on each node that runs the registry."
  type        = string
  default     = "registry"
}

variable "users" {
  description = "Names and passwords of those who may use the registry; everybody may if there are none."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "users_version" {
  description = "Raise it when `users` change: what is write-only cannot be compared."
  type        = number
  default     = 1
}

variable "check" {
  description = "Where `apply` asks the registry whether it serves: the address of one of the nodes, and the CA's certificate as PEM text. Without it only the tasks are waited for."
  type = object({
    address = string
    ca      = optional(string)
  })
  default = null
}

variable "write_only" {
  description = "Keep the private key and the passwords out of Terraform's state. Needs Terraform 1.11."
  type        = bool
  default     = true
}
