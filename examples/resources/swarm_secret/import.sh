terraform import swarm_secret.certificate localhub.crt
