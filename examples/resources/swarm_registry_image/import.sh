# By the image's address with a tag or a digest; `http://` comes first where the registry speaks plain http.
terraform import swarm_registry_image.shop http://10.0.0.5:5000/team/shop:1.4
