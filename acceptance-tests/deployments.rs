//! The whole deployments of `examples/deployments`: applied, planned empty and destroyed, with a registry that serves.

use crate::{
    client::{Access, Image},
    registry_service::{Registry, free_port},
    storage::{Bucket, Redis},
    terraform::Workspace,
    testbed::{Testbed, eventually, root},
};
use serde_json::json;
use std::fs;

/// An example in a folder of its own, with values for its variables.
fn example(testbed: &Testbed, name: &str, variables: &serde_json::Value) -> Workspace {
    let hcl = fs::read_to_string(root().join("examples/deployments").join(name).join("main.tf")).unwrap();
    // The workspace says itself where the provider is.
    let (_, own) = hcl.split_once("\nvariable ").unwrap();
    let workspace = Workspace::new(testbed, &format!("variable {own}"));
    fs::write(workspace.path().join("terraform.tfvars.json"), variables.to_string()).unwrap();
    workspace
}

/// A certificate that signs itself, for a name, with its key.
fn certificate(host: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn one_node() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let address = testbed.address("hubworker01");
    let variables = json!({ "hostname": address, "folder": "/mnt/shared" });
    let workspace = example(&testbed, "one-node", &variables);
    let certificates = workspace.path().join("certs");
    fs::create_dir(&certificates).unwrap();
    let (certificate, key) = certificate(&address);
    fs::write(certificates.join("localhub.crt"), &certificate).unwrap();
    fs::write(certificates.join("localhub.key"), key).unwrap();
    workspace.apply_and_settle();
    // A client takes a key beside a certificate for its own.
    let trusted = workspace.path().join("trusted");
    fs::create_dir(&trusted).unwrap();
    fs::copy(certificates.join("localhub.crt"), trusted.join("ca.crt")).unwrap();
    let access = Access {
        registry: format!("{address}:443"),
        certificates: Some(trusted),
        credentials: None,
        network: None,
    };
    let image = Image::random(workspace.path().join("image"), &[1000]);
    eventually("a push", || image.push(&access, "alpine:1").ok());
    assert!(testbed.file("shared/docker/registry/v2/repositories/alpine").exists(), "it lies in the folder");
    workspace.destroy();
}

#[test]
fn highly_available() {
    let testbed = Testbed::start(&[], &["hubmgr", "one", "two", "three"]);
    let Bucket { name, endpoint, region, access_key, secret_key } = testbed.bucket("images");
    // The example has no password for its Redis: one that does not let the registries in is as one that is not there.
    let Redis { address, .. } = testbed.redis();
    let (certificate, key) = certificate("localhost");
    let variables = json!({
        "image": "registry:2",
        "hostname": "localhost",
        "port": 8443,
        "certificate": certificate,
        "private_key": key,
        "users": { "ci": "hunter2" },
        "bucket": { "name": name, "region": region, "endpoint": endpoint },
        "credentials": { "access_key": access_key, "secret_key": secret_key },
        "redis": address,
        "nodes": { "one": "a", "two": "b", "three": "b" },
    });
    let workspace = example(&testbed, "highly-available", &variables);
    workspace.apply_and_settle();
    let state = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap();
    for secret in ["hunter2", &secret_key, "PRIVATE KEY"] {
        assert!(!state.contains(secret), "the state holds {secret}");
    }
    let on = |host: &str| Access {
        registry: format!("{}:8443", testbed.address(host)),
        certificates: None,
        credentials: Some("ci:hunter2".to_owned()),
        network: None,
    };
    let image = Image::random(workspace.path().join("image"), &[1000]);
    image.push(&on("one"), "alpine:1").unwrap();
    let digest = image.digest();
    for host in ["one", "two", "three"] {
        assert_eq!(
            on(host).pull("alpine:1", &workspace.path().join("pulled")).as_ref(),
            Ok(&digest),
            "{host}"
        );
    }
    workspace.destroy();
}

#[test]
fn pull_through_caches() {
    let testbed = Testbed::shared();
    let upstream = Registry::new("upstream");
    let address = testbed.address("hubworker01");
    let origin = Workspace::new(testbed, &upstream.hcl(""));
    origin.apply_and_settle();
    let access = |port: u16| Access {
        registry: format!("{address}:{port}"),
        certificates: None,
        credentials: None,
        network: None,
    };
    let image = Image::random(origin.path().join("image"), &[1000]);
    image.push(&access(upstream.port), "alpine:1").unwrap();

    let port = free_port();
    let url = format!("http://{address}:{}", upstream.port);
    let variables =
        json!({ "image": "registry:2", "upstreams": { "docker.io": { "url": url, "port": port } } });
    let caches = example(testbed, "pull-through-caches", &variables);
    caches.apply_and_settle();
    let pulled = access(port).pull("alpine:1", &caches.path().join("pulled"));
    assert_eq!(pulled, Ok(image.digest()));
    // What is cached outlives the registry that it came from.
    origin.destroy();
    let again =
        access(port).pull(&format!("alpine@sha256:{}", image.digest()), &caches.path().join("pulled"));
    assert_eq!(again, Ok(image.digest()));
    caches.destroy();
    for host in ["hubworker01", "hubworker02"] {
        eventually("the cache's volume is removed", || {
            testbed.try_docker_on(host, &["volume", "rm", "cache-docker-io"]).status.success().then_some(())
        });
    }
}
