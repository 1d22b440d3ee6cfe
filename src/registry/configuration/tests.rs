use super::*;
use crate::registry::{Dialect, Secret};

/// What the attributes of an ordinary registry say.
fn configuration() -> Configuration {
    let sections = extra::read(
        r#"
        auth: { htpasswd: { path: /run/secrets/registry-htpasswd, realm: Registry } }
        health: { storagedriver: { enabled: true, interval: 10s, threshold: 3 } }
        http:
          addr: ":443"
          debug: { addr: "127.0.0.1:5001" }
          tls: { certificate: /run/secrets/registry-tls.crt, key: /run/secrets/registry-tls.key }
        log: { level: info, formatter: text, accesslog: { disabled: false } }
        storage: { filesystem: { rootdirectory: /var/lib/registry } }
        "#,
    );
    Configuration { sections: Section(sections.unwrap()), extra: vec![] }
}

fn with_extra(text: &str) -> Configuration {
    Configuration { extra: vec![ExtraConfig::parse("extra_config", text).expect(text)], ..configuration() }
}

fn findings(text: &str, dialect: Dialect) -> Vec<(bool, &'static str, String)> {
    let findings = with_extra(text).inspect(dialect);
    findings.into_iter().map(|finding| (finding.is_error(), finding.code, finding.message)).collect()
}

#[test]
fn the_registry_gets_the_secret_and_nobody_else() {
    let mut configuration = configuration();
    let secret = Secret::from("\u{1f511} a \"secret\" {{ of }} @many: #kinds");
    configuration.sections = configuration.sections.with("http", Section::new().with("secret", secret));
    let rendered = configuration.render();
    assert!(rendered.yaml.expose().contains(r#"secret: "\U0001f511 a \"secret\" {{ of }} @many: #kinds""#));
    assert!(rendered.preview.contains("secret: \"(sensitive)\""));
    assert!(!format!("{rendered:?} {configuration:?}").contains("kinds"));
}

#[test]
fn a_versioned_secret_names_the_file_by_its_version_alone() {
    let rendered = |value: &str, version| {
        let password = Versioned { value: value.into(), version };
        let sections = Section::new().with("redis", Section::new().with("password", password));
        Configuration { sections, extra: vec![] }.render()
    };
    let (one, other) = (rendered("hunter2", Some(1)), rendered("hunter3", Some(1)));
    assert!(one.yaml.expose().contains("password: \"hunter2\""));
    assert!(one.preview.contains("password: \"(sensitive)\""));
    assert_eq!(one.named_by, other.named_by);
    assert!(!one.named_by.expose().contains("hunter"));
    assert_ne!(one.named_by, rendered("hunter2", Some(2)).named_by);
}

#[test]
fn extra_is_merged_last() {
    let rendered = with_extra("log: { level: debug, accesslog: null }\nstorage: { s3: { secretkey: 12, bucket: b }, filesystem: null }")
        .render();
    assert!(
        rendered.preview.contains("log:\n  formatter: \"text\"\n  level: \"debug\"\n"),
        "{}",
        rendered.preview
    );
    assert!(rendered.preview.contains("s3:\n    bucket: \"b\"\n    secretkey: \"(sensitive)\"\n"));
    assert!(rendered.yaml.expose().contains("secretkey: 12\n"));
    assert!(!rendered.preview.contains("filesystem"));
}

#[test]
fn json_is_extra_too() {
    assert_eq!(findings(r#"{"catalog": {"maxentries": 10}}"#, Dialect::V2_8), []);
    assert_eq!(findings("", Dialect::V2_8), []);
}

#[test]
fn secret_extra_is_seen_by_nobody() {
    let rendered = |text: &str, version| {
        let extra = ExtraConfig::parse_secret("extra_config_wo", &text.into(), version).unwrap();
        Configuration { extra: vec![extra], ..configuration() }.render()
    };
    let text = "{ notifications: { endpoints: [{ name: hook, threshold: 77 }] }, log: null }";
    let (one, other) = (rendered(text, Some(1)), rendered("log: { fields: { own: word } }", Some(1)));
    assert!(one.yaml.expose().contains("threshold: 77\n") && !one.yaml.expose().contains("log:"));
    let plain = configuration().render();
    assert_eq!(one.preview, format!("# extra_config_wo, version 1, is laid over this\n{}", plain.preview));
    assert_eq!((&one.preview, &one.named_by), (&other.preview, &other.named_by));
    assert_ne!(one.named_by, rendered(text, Some(2)).named_by);
    assert_ne!(one.named_by, rendered(text, None).named_by);
    assert_ne!(one.named_by, plain.named_by);

    let error = ExtraConfig::parse_secret("extra_config_wo", &"a: [hunter2".into(), None).unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn hidden_headers_are_seen_by_the_registry_alone() {
    let rendered = |headers| {
        let http = Section::new().with("uri", "http://x").with("headers", headers);
        let sections = Section::new().with("health", Section::new().with("http", vec![http]));
        Configuration { sections, extra: vec![] }.render()
    };
    let headers = |value: &str| std::collections::BTreeMap::from([("X-Own".to_owned(), vec![value.into()])]);
    let kept = rendered(HiddenHeaders::Kept(headers("hunter2")));
    assert!(kept.preview.contains("X-Own:\n          - \"(sensitive)\""), "{}", kept.preview);
    let versioned = |value, version| rendered(HiddenHeaders::Versioned(headers(value), version));
    let (one, other) = (versioned("hunter2", Some(1)), versioned("hunter3", Some(1)));
    assert_eq!(one.yaml, kept.yaml);
    assert!(one.preview.contains("headers: \"(sensitive)\"\n"), "{}", one.preview);
    assert_eq!(one.named_by, other.named_by);
    assert!(!one.named_by.expose().contains("X-Own"));
    assert_ne!(one.named_by, versioned("hunter2", Some(2)).named_by);
}

#[test]
fn a_key_that_is_not_read_is_found_in_lists_too() {
    let sections = extra::read(
        "{ health: { http: [{ uri: x, status: 1 }], tcp: [{ addr: x }] }, http: { own: 1 }, log: { fields: { a: b } }, x: y }",
    );
    let configuration = Configuration { sections: Section(sections.unwrap()), extra: vec![] };
    assert_eq!(configuration.unread(Dialect::V2_8), ["health.http.[].status", "http.own", "x"]);
}

#[test]
fn what_is_no_configuration_is_told_where() {
    let error = ExtraConfig::parse("extra_config", "log:\n  level: [").unwrap_err();
    assert!(matches!(error, NotAConfiguration::Syntax { line: 2.., .. }), "{error}");
    assert_eq!(ExtraConfig::parse("extra_config", "- a").unwrap_err(), NotAConfiguration::NotAMap);
    assert!(matches!(
        ExtraConfig::parse("extra_config", "a: 1\na: 2"),
        Err(NotAConfiguration::Syntax { .. })
    ));
}

#[test]
fn c9_values_of_the_wrong_kind() {
    for text in [
        "http: { draintimeout: 30 }",
        "http: { draintimeout: 30d }",
        "storage: { delete: { enabled: 'true' } }",
        "storage: { delete: { enabled: yes } }",
        "storage: { delete: true }",
        "catalog: { maxentries: many }",
        "http: { headers: { X: y } }",
        "redis: { addrs: 'redis:6379' }",
        "health: { tcp: { addr: x } }",
        "health: { tcp: [x] }",
    ] {
        let found = findings(text, Dialect::V3_1);
        assert!(matches!(found.as_slice(), [(true, "C9", _)]), "{text}: {found:?}");
    }
}

#[test]
fn c10_unknown_keys_get_a_guess() {
    let found = findings("health: { storagedriverr: { enabled: true } }", Dialect::V2_8);
    let [(false, "C10", message)] = found.as_slice() else { panic!("{found:?}") };
    assert!(message.ends_with("Did you mean \"health.storagedriver\"?"), "{message}");

    let found = findings("tags: { maxtags: 5 }", Dialect::V2_8);
    let [(false, "C10", message)] = found.as_slice() else { panic!("{found:?}") };
    assert!(message.contains("3.1 and later"), "{message}");
    assert_eq!(findings("log: { fields: { any: { thing: 1 } } }", Dialect::V2_8), []);
}

#[test]
fn c11_overriding_a_typed_value_is_said() {
    for text in ["log: { level: debug }", "log: { level: null }", "health: null"] {
        assert!(matches!(findings(text, Dialect::V3_1).as_slice(), [(false, "C11", _)]), "{text}");
    }
    assert_eq!(findings("log: { level: info, fields: { a: b } }", Dialect::V3_1), []);
}

#[test]
fn c12_owned_keys_are_refused() {
    for text in [
        "http: { addr: ':5000' }",
        "http: { secret: x }",
        "http: { debug: { addr: ':5001' } }",
        "http: { tls: { certificate: /x } }",
        "http: { tls: null }",
        "http: null",
        "auth: { htpasswd: { path: /x } }",
        "auth: null",
        "version: 0.2",
    ] {
        let found = findings(text, Dialect::V3_1);
        assert!(matches!(found.as_slice(), [(true, "C12", _)]), "{text}: {found:?}");
    }
    let mut open = with_extra("auth: { htpasswd: { realm: r, path: /own } }");
    open.sections.0.remove("auth");
    assert_eq!(open.inspect(Dialect::V3_1), []);
}

fn codes(text: &str) -> Vec<&'static str> {
    findings(text, Dialect::V3_1).into_iter().map(|(_, code, _)| code).collect()
}

#[test]
fn s6_exactly_one_driver() {
    assert_eq!(codes("storage: { inmemory: {} }"), ["S6"]);
    assert_eq!(codes("storage: { filesystem: null }"), ["C11", "S6"]);
    assert_eq!(codes("storage: { filesystem: null, inmemory: {} }"), ["C11"]);
}

#[test]
fn s7_what_distribution_3_has_no_more() {
    let oss = "storage: { filesystem: null, oss: { bucket: b } }";
    assert_eq!(codes(oss), ["C11", "C10", "S7"]);
    let reporting = "reporting: { newrelic: { name: hub } }";
    assert_eq!(codes(reporting), ["S7"]);
    assert_eq!(codes("compatibility: { schema1: { enabled: true } }"), ["S7"]);
    for text in [oss, reporting] {
        let on_2 = findings(text, Dialect::V2_8);
        assert!(on_2.iter().all(|(_, code, _)| *code == "C11"), "{on_2:?}");
    }
}

#[test]
fn a5_at_most_one_kind_of_authentication() {
    assert_eq!(codes("auth: { silly: { realm: r, service: s } }"), ["A5"]);
    assert_eq!(codes("auth: { htpasswd: { realm: Registry } }"), [""; 0]);
}

#[test]
fn c7_purging_by_halves_makes_the_registry_panic() {
    let purging = |keys: &str| codes(&format!("storage: {{ maintenance: {{ uploadpurging: {keys} }} }}"));
    assert_eq!(purging("{ enabled: true }"), ["C7"]);
    assert_eq!(purging("{ enabled: true, age: 1h, interval: 1h }"), ["C7"]);
    assert_eq!(purging("{ enabled: true, age: 1h, interval: 1h, dryrun: false }"), [""; 0]);
    assert_eq!(purging("{ enabled: false }"), [""; 0]);
}
