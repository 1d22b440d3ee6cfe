use super::*;

/// Amazon's store in a region that everything knows.
fn amazon() -> S3<'static> {
    S3 {
        dialect: Some(Dialect::V3_1),
        region: Given::Is("eu-west-1"),
        endpoint: Given::Unset,
        has_access_key: Some(true),
        has_secret_key: Some(true),
        encrypt: Some(false),
        has_kms_key: Some(false),
        redirect: Some(true),
        url: Some("https://hub.example.com"),
        ..S3::default()
    }
}

fn codes(case: &S3<'_>) -> Vec<(bool, &'static str)> {
    s3(case).iter().map(|finding| (finding.is_error(), finding.code)).collect()
}

#[test]
fn what_is_not_known_is_not_judged() {
    assert_eq!(codes(&S3::default()), []);
    assert_eq!(codes(&amazon()), []);
}

#[test]
fn s8_a_region_that_the_driver_does_not_know() {
    let at = |region, endpoint, dialect| S3 { region, endpoint, dialect: Some(dialect), ..amazon() };
    let endpoint = Given::Is("https://s3.example.com");
    for dialect in Dialect::ALL {
        assert_eq!(codes(&at(Given::Is("eu-west-1"), Given::Unset, dialect)), []);
        assert_eq!(codes(&at(Given::Unset, Given::Unset, dialect)), [(true, "S8")]);
        assert_eq!(codes(&at(Given::Is("Ireland"), Given::Unset, dialect)), [(true, "S8")]);
        assert_eq!(codes(&at(Given::Is("anything"), endpoint, dialect)), []);
    }
    assert_eq!(codes(&at(Given::Is("eu-north-1"), Given::Unset, Dialect::V2_8)), [(true, "S8")]);
    assert_eq!(codes(&at(Given::Is("eu-north-1"), Given::Unset, Dialect::V3_0)), []);
    // A region that came later may be known to a later 3.x.
    assert_eq!(codes(&at(Given::Is("mx-central-1"), Given::Unset, Dialect::V3_0)), [(true, "S8")]);
    assert_eq!(codes(&at(Given::Is("mx-central-1"), Given::Unset, Dialect::V3_1)), [(false, "S8")]);
    assert_eq!(codes(&at(Given::Unset, endpoint, Dialect::V2_8)), []);
    assert_eq!(codes(&at(Given::Unset, Given::Unknown, Dialect::V3_0)), []);
}

#[test]
fn s9_half_a_pair_of_keys() {
    let with = |access, secret| S3 { has_access_key: access, has_secret_key: secret, ..amazon() };
    assert_eq!(codes(&with(Some(true), Some(false))), [(true, "S9")]);
    assert_eq!(s3(&with(Some(false), Some(true)))[0].path, "storage.s3.secret_key");
    assert_eq!(codes(&with(Some(false), Some(false))), []);
    assert_eq!(codes(&with(Some(true), None)), []);
}

#[test]
fn s10_storage_classes_that_the_dialect_does_not_know() {
    let class = |class, dialect| S3 { storage_class: Some(class), dialect: Some(dialect), ..amazon() };
    assert_eq!(codes(&class("standard", Dialect::V2_8)), []);
    assert_eq!(codes(&class("STANDARD_IA", Dialect::V2_8)), [(true, "S10")]);
    assert_eq!(codes(&class("STANDARD_IA", Dialect::V3_0)), []);
    assert_eq!(codes(&class("EXPRESS_ONEZONE", Dialect::V3_0)), [(true, "S10")]);
    assert_eq!(codes(&class("EXPRESS_ONEZONE", Dialect::V3_1)), []);
}

#[test]
fn s11_clients_sent_where_only_the_swarm_goes() {
    let at = |endpoint| S3 { endpoint: Given::Is(endpoint), ..amazon() };
    for inside in
        ["https://minio:9000", "https://10.0.0.7", "https://[fd00::1]:9000", "https://127.0.0.1", "minio"]
    {
        assert_eq!(codes(&at(inside)), [(false, "S11")], "{inside}");
        assert_eq!(codes(&S3 { redirect: Some(false), ..at(inside) }), []);
    }
    assert_eq!(codes(&at("https://s3.example.com")), []);
    assert_eq!(codes(&at("https://203.0.113.7")), []);
}

#[test]
fn s12_layers_in_clear() {
    let at = |endpoint, url| S3 { endpoint: Given::Is(endpoint), url: Some(url), ..amazon() };
    let clear = at("http://s3.example.com", "https://hub.example.com");
    assert_eq!(codes(&clear), [(false, "S12")]);
    assert_eq!(codes(&S3 { redirect: Some(false), ..clear }), []);
    assert_eq!(codes(&at("http://s3.example.com", "http://hub.example.com")), []);
    assert_eq!(codes(&at("https://s3.example.com", "https://hub.example.com")), []);
}

#[test]
fn s15_a_key_for_no_encryption() {
    let key = S3 { has_kms_key: Some(true), ..amazon() };
    assert_eq!(codes(&key), [(false, "S15")]);
    assert_eq!(codes(&S3 { encrypt: Some(true), ..key }), []);
}
