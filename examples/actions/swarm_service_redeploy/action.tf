action "swarm_service_redeploy" "web" {
  config {
    service = "web"
  }
}

# `terraform apply -invoke=action.swarm_service_redeploy.web` invokes it. So does a change of what it is to follow:
resource "terraform_data" "content" {
  input = "2026-11-25"

  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.swarm_service_redeploy.web]
    }
  }
}
