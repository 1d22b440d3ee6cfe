# The module on a real Swarm, that of DOCKER_HOST: applied, changed, and taken away by Terraform at the end.

variables {
  hostname    = "hub.example.com"
  name        = "hub-module-test"
  nodes       = ["hubworker01"]
  port        = 8443
  certificate = file("./tests/hub.crt")
  private_key = file("./tests/hub.key")
}

run "create" {
  assert {
    condition     = length(output.service) == 25
    error_message = "The service has an ID of Swarm's."
  }
}

run "nothing_to_do" {
  command = plan

  assert {
    condition     = output.service == run.create.service
    error_message = "A second plan keeps the service."
  }
}

run "add_users" {
  variables {
    users = { ci = "secret" }
  }

  assert {
    condition     = output.service == run.create.service
    error_message = "Users are added in place."
  }
}
