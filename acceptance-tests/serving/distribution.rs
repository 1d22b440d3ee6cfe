//! What the attributes become is what Distribution reads.

use super::samples::{SAMPLES, Sample, material};
use crate::distribution::{Registry, dialect};
use serde_json::{Value as Json, json};
use swarm::{registry::Dialect, resources::RegistrySettings};

/// What is not in the configuration file, but in a file beside it, in the environment or in the service.
const ELSEWHERE: [&str; 14] = [
    "tls.certificate",
    "tls.private_key",
    "tls.client_ca",
    "tls.lets_encrypt.volume",
    "tls.lets_encrypt.bind",
    "auth.htpasswd.users",
    "auth.htpasswd.cost",
    "auth.htpasswd.file",
    "auth.token.root_certificates",
    "auth.token.jwks",
    "tracing",
    "compatibility.schema1.signing_key",
    "trusted_ca",
    "behind_tls_proxy",
];

/// The file in the dialect, both for the registry and for the one that gives it a name.
fn rendered(mut config: Json, dialect: &str) -> (RegistrySettings, String) {
    config["distribution"] = dialect.into();
    config["storage"] = json!({ "filesystem": { "volume": "images" } });
    if config.pointer("/http/port").is_none() {
        config["http"]["port"] = 5000.into();
    }
    let settings = RegistrySettings::from_json(config).unwrap();
    let rendered = settings.configuration("x".into()).unwrap().render();
    (settings, format!("{}{}", rendered.yaml.expose(), rendered.named_by.expose()))
}

#[test]
fn every_attribute_is_written_under_a_key_that_each_of_its_dialects_reads() {
    for sample in SAMPLES {
        for dialect in sample.dialects {
            let texts = [0, 1].map(|index| {
                let (settings, text) = rendered(sample.config(index), dialect);
                let unread = settings.configuration("x".into()).unwrap().unread(dialect.parse().unwrap());
                assert_eq!(unread, Vec::<String>::new(), "{} in {dialect}", sample.path);
                text
            });
            let is_elsewhere = ELSEWHERE.iter().any(|path| sample.path.starts_with(path));
            assert_eq!(texts[0] == texts[1], is_elsewhere, "{} in {dialect}", sample.path);
        }
    }
}

/// A registry that lives on loopback has these files, whatever it is to read of them.
fn files() -> Vec<(&'static str, String)> {
    let users = "a:$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234\n";
    vec![
        ("registry-tls.crt", material("CERT-a")),
        ("registry-tls.key", material("KEY-a")),
        ("registry-client-ca.pem", material("CERT-b")),
        ("registry-token-roots.pem", material("CERT-a")),
        ("registry-schema1.pem", schema1_key()),
        ("registry-htpasswd", users.to_owned()),
    ]
}

/// A key in the form that libtrust reads.
fn schema1_key() -> String {
    let output = std::process::Command::new("openssl")
        .args(["ecparam", "-name", "prime256v1", "-genkey", "-noout"])
        .output()
        .unwrap();
    crate::testbed::succeeded("openssl ecparam", &output)
}

#[test]
fn the_real_registry_takes_every_attribute() {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let known: Dialect = dialect().parse().unwrap();
    let is_known = |sample: &&Sample| sample.dialects.contains(&known.to_string().as_str());
    for sample in SAMPLES.iter().filter(is_known) {
        for index in [0, 1] {
            let mut config = sample.config(index);
            // Ports are those of this machine here.
            for (section, port) in [("http", "port"), ("metrics", "port")] {
                if let Some(section) = config.get_mut(section).and_then(Json::as_object_mut) {
                    section.remove(port);
                }
            }
            // Over HTTP and HTTPS alike: to either, a request in the clear is answered by a registry that serves.
            let mut registry = Registry::start(config, &files);
            let answer = registry.answers();
            assert!(answer.starts_with("HTTP/1."), "{}: {answer}{}", sample.path, registry.log());
        }
    }
}
