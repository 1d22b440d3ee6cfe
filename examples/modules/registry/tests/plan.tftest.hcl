# What the module makes of its variables. No Swarm is asked: the provider is a mock, but its rules hold.

mock_provider "swarm" {}

variables {
  hostname    = "hub.example.com"
  nodes       = ["hubworker01", "hubworker02"]
  certificate = file("./tests/hub.crt")
  private_key = file("./tests/hub.key")
}

run "defaults" {
  command = plan

  assert {
    condition     = output.url == "https://hub.example.com" && output.push_to == "hub.example.com"
    error_message = "Port 443 belongs into no address."
  }

  assert {
    condition     = length(swarm_node_label.this) == 2
    error_message = "Each node gets the label."
  }

  assert {
    condition     = registry_service.this.placement.constraints == toset(["node.labels.registry==true"])
    error_message = "The registry runs on the labelled nodes."
  }

  assert {
    condition     = registry_service.this.auth == null
    error_message = "Without users everybody may use the registry."
  }
}

run "another_port" {
  command = plan

  variables {
    port = 5000
  }

  assert {
    condition     = output.push_to == "hub.example.com:5000"
    error_message = "A port that is not the usual one belongs into the address."
  }
}

run "users" {
  command = plan

  variables {
    users = { ci = "secret" }
  }

  assert {
    condition     = registry_service.this.auth.htpasswd.users_wo_version == 1
    error_message = "With users there is an htpasswd file."
  }
}

run "no_nodes" {
  command = plan

  variables {
    nodes = []
  }

  expect_failures = [var.nodes]
}

run "half_a_replica" {
  command = plan

  variables {
    replicas = 0.5
  }

  expect_failures = [var.replicas]
}
