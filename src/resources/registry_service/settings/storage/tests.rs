use super::super::{Content, tests::settings};
use super::*;
use crate::registry::Secret;
use expect_test::expect;
use serde_json::{Value as Json, json};

/// The settings of a registry with that storage, in a dialect.
fn with(dialect: &str, storage: Json) -> crate::resources::RegistrySettings {
    settings(json!({ "distribution": dialect, "storage": storage }))
}

/// The storage as it is written, in a dialect.
fn preview(dialect: &str, storage: Json) -> String {
    let preview = with(dialect, storage).configuration("x".into()).unwrap().render().preview;
    preview[preview.find("storage:").unwrap()..].to_owned()
}

/// The credentials of a bucket.
fn credentials(s3: Json) -> Option<Content> {
    let settings = |s3: Json| with("3.1", json!({ "s3": s3 }));
    let mut files = settings(s3).files();
    files.pop().map(|file| file.content)
}

#[test]
fn s13_a_bucket_at_another_s3_is_found_by_path_in_every_dialect() {
    let s3 = json!({ "s3": { "bucket": "hub", "region_endpoint": "http://minio:9000" } });
    expect![[r#"
        storage:
          cache:
            blobdescriptor: "inmemory"
          delete:
            enabled: false
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
          s3:
            bucket: "hub"
            encrypt: false
            forcepathstyle: true
            region: "us-east-1"
            regionendpoint: "http://minio:9000"
            secure: true
            skipverify: false
            v4auth: true
    "#]]
    .assert_eq(&preview("3.1", s3.clone()));
    // 2.8 does it by itself, and knows no such key.
    assert!(!preview("2.8", s3).contains("forcepathstyle"));
    let own =
        json!({ "s3": { "bucket": "hub", "region_endpoint": "s3.example.com", "force_path_style": false } });
    assert!(preview("3.0", own).contains("forcepathstyle: false"));
}

#[test]
fn the_keys_of_a_bucket_are_in_a_file_and_nowhere_else() {
    let keys =
        json!({ "bucket": "hub", "region": "eu-central-1", "access_key": "AKIA", "secret_key": "hunter2" });
    let Some(Content::Bytes(file)) = credentials(keys.clone()) else { panic!("a file of its own") };
    assert_eq!(file.expose(), "[default]\naws_access_key_id = AKIA\naws_secret_access_key = hunter2\n");
    let rendered = with("3.1", json!({ "s3": keys })).configuration("x".into()).unwrap().render();
    assert!(!rendered.yaml.expose().contains("hunter2") && !rendered.yaml.expose().contains("AKIA"));
    assert!(credentials(json!({ "bucket": "hub" })).is_none(), "the registry finds some by itself");
    let foreign = credentials(json!({ "bucket": "hub", "credentials_secret": "keys" }));
    assert!(matches!(foreign, Some(Content::Foreign(secret)) if secret == "keys"));
}

#[test]
fn write_only_keys_are_sent_again_when_their_version_is_raised_or_a_kept_one_changes() {
    let keys = |version: u8, access_key: &str| json!({ "bucket": "hub", "access_key": access_key, "secret_key_wo": "x", "credentials_wo_version": version });
    let told = |now: Json| match credentials(now) {
        Some(Content::Versioned { told, value }) => {
            assert!(value.as_ref().is_some_and(|value| value.expose().contains("aws_secret_access_key = x")));
            told.expose().to_owned()
        }
        _ => panic!("a value that is known by its version"),
    };
    assert_eq!(told(keys(1, "a")), told(keys(1, "a")));
    assert_ne!(told(keys(2, "a")), told(keys(1, "a")));
    assert_ne!(told(keys(1, "b")), told(keys(1, "a")));
}

#[test]
fn what_others_cannot_reach_is_not_for_everybody() {
    for inside in [
        "http://minio:9000",
        "minio",
        "localhost:9000",
        "http://127.0.0.1",
        "10.0.0.4:9000",
        "http://192.168.1.2/",
        "https://[fd00::1]:9000",
        "[::1]",
        "minio.",
    ] {
        assert!(!is_for_everybody(inside), "{inside}");
    }
    for outside in
        ["https://s3.example.com", "s3.example.com:9000/x", "http://203.0.113.7", "[2001:db8::1]:9000"]
    {
        assert!(is_for_everybody(outside), "{outside}");
    }
}

#[test]
fn azure_is_told_how_to_log_in_where_it_must_be() {
    let azure = |dialect: &str, more: Json| {
        let azure = laid(json!({ "account_name": "a", "container": "c" }), more);
        let written = preview(dialect, json!({ "azure": azure }));
        let inner = written.replace("\n  ", "\n");
        inner[inner.find("azure:").unwrap()..inner.find("cache:").unwrap()].to_owned()
    };
    let key = json!({ "account_key": "a2V5" });
    expect![[r#"
          azure:
            accountkey: "(sensitive)"
            accountname: "a"
            container: "c"
            credentials:
              type: "shared_key"
    "#]]
    .assert_eq(&azure("3.0", key.clone()));
    assert!(!azure("2.8", key).contains("credentials"));
    let default = azure("3.1", json!({ "default_credentials": true }));
    assert!(default.contains("type: \"default_credentials\""), "{default}");
    let application = json!({ "client_secret": { "client_id": "i", "tenant_id": "t", "secret_wo": "s" } });
    expect![[r#"
          azure:
            accountname: "a"
            container: "c"
            credentials:
              clientid: "i"
              secret: "(sensitive)"
              tenantid: "t"
              type: "client_secret"
    "#]]
    .assert_eq(&azure("3.1", application));
}

#[test]
fn a_key_of_google_s_is_a_file() {
    let gcs = |more: Json| json!({ "gcs": laid(json!({ "bucket": "b" }), more) });
    let by_role = gcs(json!({}));
    assert!(!preview("3.1", by_role.clone()).contains("keyfile") && with("3.1", by_role).files().is_empty());
    for key in
        [json!({ "key_json": "{}" }), json!({ "key_json_wo": "{}" }), json!({ "key_json_secret": "key" })]
    {
        assert!(preview("3.1", gcs(key.clone())).contains("keyfile: \"/run/secrets/registry-gcs.json\""));
        assert_eq!(with("3.1", gcs(key)).files()[0].role.target(), "registry-gcs.json");
    }
}

/// What a mount under the images becomes when it is read into that filesystem, and what mounts are left.
fn read(filesystem: Json, mount: Mount) -> (Option<Mount>, usize) {
    let mut storage = with("3.1", json!({ "filesystem": filesystem })).storage.unwrap();
    let mut mounts = vec![mount];
    storage.take_mount(&mut mounts);
    (storage.mount(), mounts.len())
}

#[test]
fn each_mount_comes_back_as_what_it_is() {
    let kinds = [
        json!({ "volume": "images" }),
        json!({ "bind": "/mnt/images" }),
        json!({ "nfs": { "server": "nas", "path": "/export/hub" } }),
        json!({ "nfs": { "server": "10.0.0.9", "path": "/hub", "options": [] } }),
        json!({ "cluster_volume": "group:images" }),
        json!({ "tmpfs": {} }),
        json!({ "tmpfs": { "size": "64MiB" } }),
    ];
    for there in &kinds {
        let mount = with("3.1", json!({ "filesystem": there })).storage.unwrap().mount().unwrap();
        for held in &kinds {
            assert_eq!(
                read(held.clone(), mount.clone()),
                (Some(mount.clone()), 0),
                "{there} read into {held}"
            );
        }
    }
}

#[test]
fn a_mount_that_no_attribute_can_tell_shows_among_the_others() {
    let root = || "/var/lib/registry".to_owned();
    let read_only = Mount { read_only: true, ..Mount::plain("volume", Some("images".to_owned()), root()) };
    assert_eq!(read(json!({ "volume": "images" }), read_only), (None, 1));
    assert_eq!(read(json!({ "volume": "images" }), Mount::plain("volume", None, root())), (None, 1));
    let own = Mount::plain("volume", Some("images".to_owned()), root());
    assert_eq!(read(json!({}), own), (None, 1), "one that the user has mounted there");
    let elsewhere = Mount::plain("volume", Some("images".to_owned()), "/images".to_owned());
    assert_eq!(read(json!({ "volume": "images" }), elsewhere), (None, 1));
}

#[test]
fn another_folder_of_nfs_is_another_volume() {
    let name = |nfs: Json| {
        with("3.1", json!({ "filesystem": { "nfs": nfs } })).storage.unwrap().mount().unwrap().source
    };
    let first = name(json!({ "server": "nas", "path": "/a" }));
    assert_eq!(first, name(json!({ "server": "nas", "path": "/a" })));
    for other in [
        json!({ "server": "nas", "path": "/b" }),
        json!({ "server": "nas2", "path": "/a" }),
        json!({ "server": "nas", "path": "/a", "options": ["soft"] }),
    ] {
        assert_ne!(first, name(other));
    }
}

#[test]
fn every_key_of_the_store_is_one_that_the_dialect_reads() {
    for (dialect, storage) in full() {
        let settings = with(dialect, storage.clone());
        let configuration = settings.configuration(Secret::from("x")).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new(), "{dialect} {storage}");
    }
}

/// Each store with all that a dialect knows.
fn full() -> Vec<(&'static str, Json)> {
    let common = json!({
        "delete": true,
        "redirect": false,
        "read_only": true,
        "upload_purging": { "enabled": false, "age": "1h", "interval": "2h", "dry_run": true },
    });
    let of_3 = json!({ "tag_lookup_concurrency": 3 });
    let filesystem = json!({ "filesystem": { "volume": "a", "root_directory": "/a", "max_threads": 25 } });
    let s3 = json!({
        "bucket": "hub", "region": "r", "region_endpoint": "e", "root_directory": "/r", "encrypt": true, "kms_key_id": "k",
        "secure": false, "skip_verify": true, "v4_auth": false, "chunk_size": "5MiB", "multipart_copy_chunk_size": "5MiB",
        "multipart_copy_max_concurrency": 1, "multipart_copy_threshold_size": "1MiB", "storage_class": "NONE",
        "object_acl": "private", "user_agent": "u",
    });
    let s3_of_3 = json!({
        "force_path_style": false, "accelerate": true, "use_dual_stack": true, "log_level": "off",
    });
    let s3_of_31 = json!({ "use_fips_endpoint": true });
    let s3_in_30 = laid(s3.clone(), s3_of_3);
    let azure = json!({ "account_name": "a", "account_key": "a2V5", "container": "c", "realm": "r" });
    let azure_of_3 = json!({
        "service_url": "https://a.b", "root_directory": "r", "max_retries": -1, "retry_delay": "1s", "skip_verify": true,
        "client_secret": { "client_id": "c", "tenant_id": "t", "secret": "s" },
    });
    let gcs = json!({
        "bucket": "b", "key_json": "{\"type\": \"service_account\"}", "root_directory": "r", "chunk_size": "256KiB",
        "max_concurrency": 25,
    });
    let swift = json!({
        "username": "u", "password": "p", "auth_url": "https://a.b/v3", "auth_version": 3, "container": "c", "prefix": "p",
        "region": "r", "tenant": "t", "tenant_id": "t", "domain": "d", "domain_id": "d", "tenant_domain": "t",
        "tenant_domain_id": "t", "trust_id": "t", "endpoint_type": "public", "insecure_skip_verify": true,
        "chunk_size": "1MiB", "secret_key": "s", "access_key": "a", "temp_url_container_key": true,
        "temp_url_methods": ["GET"],
    });
    let oss = json!({
        "bucket": "b", "region": "r", "access_key_id": "a", "access_key_secret": "s", "endpoint": "e", "internal": true,
        "encrypt": true, "secure": false, "chunk_size": "5MiB", "root_directory": "r",
    });
    let gcs_of_3 = laid(gcs.clone(), json!({ "user_agent": "u" }));
    vec![
        ("2.8", laid(common.clone(), filesystem.clone())),
        ("3.0", laid(laid(common.clone(), of_3.clone()), filesystem)),
        ("2.8", laid(common.clone(), json!({ "s3": s3 }))),
        ("3.0", laid(common.clone(), json!({ "s3": s3_in_30 }))),
        ("3.1", laid(laid(common, of_3), json!({ "s3": laid(s3_in_30, s3_of_31) }))),
        ("2.8", json!({ "azure": azure })),
        ("3.0", json!({ "azure": laid(azure, azure_of_3) })),
        ("2.8", json!({ "gcs": gcs })),
        ("3.0", json!({ "gcs": gcs_of_3 })),
        ("2.8", json!({ "swift": swift })),
        ("2.8", json!({ "oss": oss })),
        ("3.1", json!({ "in_memory": {} })),
    ]
}

/// One object's members over another's.
fn laid(mut base: Json, over: Json) -> Json {
    let (Json::Object(members), Json::Object(over)) = (&mut base, over) else { panic!("objects are wanted") };
    members.extend(over);
    base
}
