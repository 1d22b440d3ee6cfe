import {
  to = swarm_registry_image.alpine
  id = "hub.example.com/library/alpine:3.20"
}
