//! What is special about single settings, and how the whole file looks with all of them.

use super::{every_setting::full, *};

#[test]
fn the_whole_file_with_all_settings() {
    expect![[r##"
        # extra_config_wo, version 1, is laid over this
        version: 0.1
        auth:
          token:
            autoredirect: true
            autoredirectpath: "/token"
            issuer: "auth"
            jwks: "/run/secrets/registry-token-jwks.json"
            realm: "https://auth.example.com"
            rootcertbundle: "/run/secrets/registry-token-roots.pem"
            service: "hub"
            signingalgorithms:
              - "ES256"
        catalog:
          maxentries: 10
        health:
          file:
            - file: "/drain"
              interval: "1s"
          http:
            - headers: "(sensitive)"
              interval: "1s"
              statuscode: 204
              threshold: 1
              timeout: "1s"
              uri: "http://x"
          storagedriver:
            enabled: true
            interval: "1s"
            threshold: 1
          tcp:
            - addr: "redis:6379"
              interval: "1s"
              threshold: 1
              timeout: "1s"
        http:
          addr: ":5000"
          debug:
            addr: "0.0.0.0:5001"
            prometheus:
              enabled: true
              path: "/metrics"
          draintimeout: "1s"
          h2c:
            enabled: true
          headers:
            X-A:
              - "b"
            X-Content-Type-Options:
              - "nosniff"
          host: "https://hub.example.com"
          http2:
            disabled: true
          prefix: "/hub/"
          secret: "(sensitive)"
          tls:
            certificate: "/run/secrets/registry-tls.crt"
            ciphersuites:
              - "TLS_AES_128_GCM_SHA256"
            clientauth: "request-client-cert"
            clientcas:
              - "/run/secrets/registry-client-ca.pem"
            key: "/run/secrets/registry-tls.key"
            minimumtls: "tls1.3"
        log:
          accesslog:
            disabled: true
          fields:
            a: "b"
            c: "d"
          formatter: "json"
          hooks:
            - disabled: true
              levels:
                - "panic"
              options:
                from: "hub@example.com"
                smtp:
                  addr: "mail.example.com:25"
                  password: "(sensitive)"
                  username: "hub"
                to:
                  - "ops@example.com"
              type: "mail"
          level: "warn"
          reportcaller: true
        notifications:
          endpoints:
            - backoff: "1s"
              disabled: true
              headers: "(sensitive)"
              ignore:
                actions:
                  - "pull"
                mediatypes:
                  - "a/b"
              name: "ci"
              threshold: 1
              timeout: "1s"
              url: "http://ci"
          events:
            includereferences: true
        policy:
          repository:
            classes:
              - "image"
        storage:
          cache:
            blobdescriptor: "inmemory"
          delete:
            enabled: false
          filesystem:
            rootdirectory: "/var/lib/registry"
          maintenance:
            readonly:
              enabled: false
            uploadpurging:
              age: "168h"
              dryrun: false
              enabled: true
              interval: "24h"
          redirect:
            disable: false
        tags:
          maxtags: 10
        validation:
          disabled: false
          manifests:
            indexes:
              platformlist:
                - architecture: "amd64"
                  os: "linux"
              platforms: "list"
            urls:
              allow:
                - "^https://"
              deny:
                - "evil"
    "##]]
    .assert_eq(&preview(full("3.1")));
}

#[test]
fn what_2_8_alone_has() {
    let all = preview(full("2.8"));
    let part = |name: &str| {
        let mut lines = all.lines().skip_while(|line| *line != format!("{name}:"));
        let first = lines.next().unwrap();
        let rest = lines.take_while(|line| line.starts_with(' '));
        [first].into_iter().chain(rest).map(|line| format!("{line}\n")).collect::<String>()
    };
    expect![[r#"
        compatibility:
          schema1:
            enabled: true
            signingkeyfile: "/run/secrets/registry-schema1.pem"
        reporting:
          bugsnag:
            apikey: "(sensitive)"
            endpoint: "http://bugs"
            releasestage: "test"
          newrelic:
            licensekey: "(sensitive)"
            name: "hub"
            verbose: true
    "#]]
    .assert_eq(&(part("compatibility") + &part("reporting")));
}

/// Before 3.1, actions are only ignored where media types are.
#[test]
fn ignored_actions_are_ignored_in_every_dialect() {
    let ignore = |dialect: &str, media_types: Json| {
        let endpoint =
            json!({ "url": "http://x", "ignore_actions": ["pull"], "ignore_media_types": media_types });
        let preview = preview(json!({ "distribution": dialect, "notifications": { "ci": endpoint } }));
        let from = preview.find("ignore:").unwrap();
        preview[from..preview.find("name:").unwrap()].split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ignore("3.1", json!([])), "ignore: actions: - \"pull\"");
    assert_eq!(ignore("3.0", json!([])), "ignore: actions: - \"pull\" mediatypes: - \"-\"");
    assert_eq!(ignore("2.8", json!(["a/b"])), "ignore: actions: - \"pull\" mediatypes: - \"a/b\"");
}

#[test]
fn traces_go_where_the_environment_says() {
    let environment = |more: Json| settings(more).environment();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(environment(json!({})), [pair("OTEL_TRACES_EXPORTER", "none")]);
    assert_eq!(environment(json!({ "distribution": "2.8" })), []);
    assert_eq!(environment(json!({ "storage": null, "tracing": {} })), []);
    let tracing = json!({ "endpoint": "http://collector:4318", "service_name": "hub" });
    assert_eq!(
        environment(json!({ "tracing": tracing })),
        [
            pair("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            pair("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            pair("OTEL_SERVICE_NAME", "hub"),
            pair("OTEL_TRACES_EXPORTER", "otlp"),
        ]
    );
}

#[test]
fn certificates_that_the_registry_gets_by_itself_are_kept() {
    let lets_encrypt = json!({ "hosts": ["hub.example.com"], "volume": "certificates" });
    let mut settings = settings(json!({ "tls": { "lets_encrypt": lets_encrypt } }));
    let files = settings.files();
    assert!(files.is_empty(), "no certificate is given: {files:?}");
    let tls = settings.tls.as_mut().unwrap();
    let mount = tls.mount().unwrap();
    assert_eq!((mount.r#type.as_str(), mount.target.as_str()), ("volume", "/var/lib/registry-acme"));

    // What is mounted there instead, or no more, shows.
    tls.take_mount(&mut vec![mount.clone()]);
    assert_eq!(tls.mount().as_ref(), Some(&mount));
    let mut changed =
        vec![crate::resources::service::Mount { source: Some("other".to_owned()), ..mount.clone() }];
    tls.take_mount(&mut changed);
    assert_eq!(tls.lets_encrypt.as_ref().unwrap().volume.as_deref(), Some("other"));
    let mut read_only = vec![crate::resources::service::Mount { read_only: true, ..mount }];
    tls.take_mount(&mut read_only);
    assert_eq!((read_only.len(), tls.mount()), (1, None));
}

#[test]
fn another_cost_hashes_the_users_again() {
    let told = |cost: i64| {
        let users = json!({ "auth": { "htpasswd": { "users_wo": { "a": "b" }, "cost": cost } } });
        match settings(users).files().pop().unwrap().content {
            Content::VersionedUsers { told, .. } => told.expose().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(8), told(8));
    assert_ne!(told(9), told(8));
}
