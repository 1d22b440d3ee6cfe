# Every node of the swarm trusts the registry, and every node that joins it.
resource "swarm_registry_trust" "hub" {
  host = "hub.docker.local:5000"

  # file("ca.pem"), or a certificate of the provider hashicorp/tls.
  ca = <<-PEM
    -----BEGIN CERTIFICATE-----
    MIIBoDCCAUegAwIBAgIUYXriJTcYwG4YNfiWBewKMEzcuUUwCgYIKoZIzj0EAwIw
    HTEbMBkGA1UEAwwSQW4gZXhhbXBsZSBvZiBhIENBMCAXDTI2MTEyNTIxMjYwNloY
    DzIxMjYxMTAxMjEyNjA2WjAdMRswGQYDVQQDDBJBbiBleGFtcGxlIG9mIGEgQ0Ew
    WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQnwXdgBaAbajV4LhFSi+VOqq2XpEcf
    6es99IYh5v0KlX1IBjoNTpgDQqEhqOYLSTpKuCdAvHL9xoxZhKGU232Co2MwYTAd
    BgNVHQ4EFgQUkQ2B4VXYWz4kHZDi4zULXcV5HNgwHwYDVR0jBBgwFoAUkQ2B4VXY
    Wz4kHZDi4zULXcV5HNgwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQw
    CgYIKoZIzj0EAwIDRwAwRAIgf/DHB9K27X4jCDqhKd8nqE6xDoyj5LwQxBUpPgiJ
    nXkCIC8XC7/3boyOPHpXLHWsQ5Nv2yQC/lLby9efKXCnN1d0
    -----END CERTIFICATE-----
  PEM
}
