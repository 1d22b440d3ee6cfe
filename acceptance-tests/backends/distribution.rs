//! What the attributes become is what Distribution reads.

use super::samples::{SAMPLES, Sample};
use crate::{
    distribution::{Registry, dialect},
    testbed::succeeded,
};
use serde_json::Value as Json;
use std::{process::Command, sync::LazyLock};
use swarm::{
    registry::{Dialect, probe::Trust},
    resources::RegistrySettings,
};

/// What is not in the configuration file, but in another file or in the service; it has tests of its own.
const ELSEWHERE: [&str; 14] = [
    "storage.filesystem.volume",
    "storage.filesystem.bind",
    "storage.filesystem.nfs",
    "storage.filesystem.cluster_volume",
    "storage.filesystem.tmpfs",
    "storage.filesystem.shared",
    "storage.s3.access_key",
    "storage.s3.secret_key",
    "storage.s3.credentials_",
    "storage.gcs.key_json",
    "cache.redis.tls.certificate",
    "cache.redis.tls.private_key",
    "cache.none",
    "middleware.cloudfront.private_key",
];

/// The sections in the dialect, both for the registry and for the one that gives the file a name.
fn rendered(mut config: Json, dialect: &str) -> (RegistrySettings, String) {
    config["distribution"] = dialect.into();
    config["http"] = serde_json::json!({ "port": 5000 });
    let settings = RegistrySettings::from_json(config).unwrap();
    let rendered = settings.configuration("x".into()).unwrap().render();
    (settings, format!("{}{}", rendered.yaml.expose(), rendered.named_by.expose()))
}

#[test]
fn every_attribute_is_written_under_a_key_that_each_of_its_dialects_reads() {
    for sample in SAMPLES {
        for dialect in sample.dialects() {
            let (_, without) = rendered(sample.config(None), dialect);
            let texts = [0, 1].map(|index| {
                let (settings, text) = rendered(sample.config(Some(index)), dialect);
                let configuration = settings.configuration("x".into()).unwrap();
                let unread = configuration.unread(dialect.parse::<Dialect>().unwrap());
                assert_eq!(unread, Vec::<String>::new(), "{} in {dialect}", sample.path);
                text
            });
            let is_written = texts.iter().any(|text| *text != without);
            let is_elsewhere = ELSEWHERE.iter().any(|path| sample.path.starts_with(path));
            assert!(is_written || is_elsewhere, "{} in {dialect} is not written", sample.path);
        }
    }
}

/// What a registry of the testbed's build does with a storage that it cannot have here.
const OUT_OF_REACH: [(&str, &str); 4] = [
    ("storage.azure", "StorageDriver not registered: azure"),
    ("storage.gcs", "StorageDriver not registered: gcs"),
    ("storage.oss", "StorageDriver not registered: oss"),
    ("storage.swift", "swift authentication failed"),
];

/// An RSA key as Distribution reads it.
pub static RSA_KEY: LazyLock<String> = LazyLock::new(|| {
    let output = Command::new("openssl").args(["genrsa", "-traditional", "2048"]).output().unwrap();
    succeeded("openssl genrsa", &output)
});

#[tokio::test]
async fn the_real_registry_takes_every_attribute() {
    let upstream = Registry::start(serde_json::json!({}), &[]);
    upstream.serves("http", Trust::System, false).await;
    let upstream = format!("http://127.0.0.1:{}", upstream.port);
    for sample in SAMPLES.iter().filter(|sample| sample.dialects().contains(&dialect().as_str())) {
        for index in [0, 1] {
            let config = sample.config(Some(index)).to_string().replace("UPSTREAM", &upstream);
            starts(sample, serde_json::from_str(&config).unwrap()).await;
        }
    }
}

async fn starts(sample: &Sample, mut config: Json) {
    let storage = config.as_object_mut().unwrap().remove("storage").unwrap();
    let files = [("registry-cloudfront.key", RSA_KEY.as_str())];
    let mut registry = Registry::start_in(storage, config, &files);
    match OUT_OF_REACH.iter().find(|(start, _)| sample.path.starts_with(start)) {
        None => registry.serves("http", Trust::System, false).await,
        Some((_, words)) => {
            registry.exit_code();
            assert!(registry.log().contains(words), "{}: {}", sample.path, registry.log());
        }
    }
}
