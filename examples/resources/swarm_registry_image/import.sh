# By the image's address with a tag or a digest; `http://` comes first where the registry speaks plain http.
terraform import swarm_registry_image.alpine hub.example.com/library/alpine:3.20
