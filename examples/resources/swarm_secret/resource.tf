# A saved plan keeps the values of variables, but not of ephemeral ones.
variable "certificate" {
  type      = string
  ephemeral = true
  default   = "-----BEGIN CERTIFICATE-----"
}

variable "password" {
  type      = string
  ephemeral = true
  default   = "correct horse battery staple"
}

# Kept in neither plan nor state. Raise the version to send the data again.
resource "swarm_secret" "certificate" {
  name            = "localhub.crt"
  data_wo         = var.certificate
  data_wo_version = 1
}

# New data makes a new secret beside the old one, so that services can be pointed to it without a pause.
resource "swarm_secret" "password" {
  name            = "database-password"
  generations     = true
  data_wo         = var.password
  data_wo_version = 1

  labels = {
    team = "storage"
  }
}
