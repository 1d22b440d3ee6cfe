use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P384_SHA384,
};

/// 2026-01-01 00:00:00 UTC.
const NEW_YEAR: u64 = 1_767_225_600;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NEW_YEAR)
}

/// Days before and after [`now`].
fn validity(params: &mut CertificateParams, from: i64, to: i64) {
    let (begin, day) =
        (rcgen::date_time_ymd(2025, 1, 1), |days: i64| Duration::from_secs((365 + days) as u64 * DAY));
    (params.not_before, params.not_after) = (begin + day(from), begin + day(to));
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "server");
        adjust(&mut params);
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

fn codes(material: Material<'_>) -> Vec<(bool, &'static str)> {
    inspect(material, now()).iter().map(|finding| (finding.is_error(), finding.code)).collect()
}

const HOST: Option<&str> = Some("hub.docker.local:443");

#[test]
fn a_good_pair_has_nothing_to_say() {
    let ca = Authority::new("ca");
    let (certificate, key) = ca.issue(&["hub.docker.local", "10.0.0.1"], |_| {});
    let pem = ca.pem();
    for host in [HOST, Some("10.0.0.1:5000"), Some("HUB.docker.local."), None] {
        let material =
            Material { certificate: &certificate, key: Some(PrivateKey(&key)), host, ca: Some(&pem) };
        assert_eq!(inspect(material, now()), []);
    }
    assert!(!format!("{:?}", PrivateKey(&key)).contains("PRIVATE"));
}

#[test]
fn t1_what_is_no_pair() {
    let ca = Authority::new("ca");
    let pem = ca.pem();
    let (certificate, key) = ca.issue(&["hub.docker.local"], |_| {});
    let (_, other) = ca.issue(&["hub.docker.local"], |_| {});
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for (certificate, key, word) in [
        (certificate.as_str(), other.as_str(), "does not belong"),
        (&certificate, &encrypted, "encrypted"),
        (&certificate, "garbage", "not valid PEM"),
        (&certificate, &certificate, "swapped"),
        (&key, &key, "swapped"),
        ("garbage", &key, "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &key, "X.509"),
        ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", &key, "not valid PEM"),
        (&certificate, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "broken"),
    ] {
        let material = Material { certificate, key: Some(PrivateKey(key)), host: HOST, ca: Some(&pem) };
        let findings = inspect(material, now());
        let [finding] = findings.as_slice() else { panic!("{word}: {findings:?}") };
        assert_eq!((finding.is_error(), finding.code), (true, "T1"));
        assert!(finding.message.contains(word), "{}", finding.message);
    }
}

#[test]
fn t2_the_servers_certificate_comes_first() {
    let ca = Authority::new("ca");
    let (certificate, key) = ca.issue(&["hub.docker.local"], |_| {});
    let bundle = ca.pem() + &certificate;
    let material = Material { certificate: &bundle, host: HOST, ..Material::default() };
    assert_eq!(codes(Material { key: Some(PrivateKey(&key)), ..material }), [(true, "T2")]);
    assert_eq!(codes(material), [(true, "T2")]);
}

#[test]
fn t3_dates() {
    let ca = Authority::new("ca");
    let pem = ca.pem();
    let check = |from: i64, to: i64| {
        let (certificate, _) = ca.issue(&["hub.docker.local"], |params| {
            validity(params, from, to);
        });
        codes(Material { certificate: &certificate, host: HOST, ca: Some(&pem), ..Material::default() })
    };
    assert_eq!(check(-10, 15), []);
    assert_eq!(check(-10, 13), [(false, "T3")]);
    assert_eq!(check(-10, -1), [(true, "T3")]);
    assert_eq!(check(1, 100), [(false, "T3")]);
}

#[test]
fn t4_names() {
    let ca = Authority::new("ca");
    let pem = ca.pem();
    let check = |name: &str, host: &str| {
        let (certificate, _) = ca.issue(&[name], |_| {});
        codes(Material { certificate: &certificate, host: Some(host), ca: Some(&pem), ..Material::default() })
    };
    assert_eq!(check("*.docker.local", "hub.docker.local"), []);
    assert_eq!(check("2001:db8::1", "[2001:db8::1]:443"), []);
    for (name, host) in [
        ("other.local", "hub.docker.local"),
        ("*.docker.local", "a.hub.docker.local"),
        ("*.docker.local", "docker.local"),
        ("hub.docker.local", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2:443"),
    ] {
        assert_eq!(check(name, host), [(true, "T4")], "{name} {host}");
    }
}

#[test]
fn t5_no_names_or_not_for_servers() {
    let ca = Authority::new("ca");
    let pem = ca.pem();
    let (nameless, _) = ca.issue(&[], |_| {});
    assert_eq!(
        codes(Material { certificate: &nameless, ca: Some(&pem), ..Material::default() }),
        [(false, "T5")]
    );
    let (for_clients, _) = ca.issue(&["hub.docker.local"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let material = Material { certificate: &for_clients, host: HOST, ca: Some(&pem), ..Material::default() };
    assert_eq!(codes(material), [(false, "T5")]);
}

#[test]
fn t6_chains() {
    let (ca, stranger) = (Authority::new("ca"), Authority::new("stranger"));
    let (certificate, _) = ca.issue(&["hub.docker.local"], |_| {});
    let (good, bad) = (ca.pem(), stranger.pem());
    let material = Material { certificate: &certificate, host: HOST, ..Material::default() };
    assert_eq!(codes(material), [(false, "T6")], "alone");
    assert_eq!(codes(Material { ca: Some(&bad), ..material }), [(true, "T6")]);
    assert_eq!(codes(Material { ca: Some("garbage"), ..material }), [(true, "T6")]);
    let with_root = certificate.clone() + &good;
    assert_eq!(codes(Material { certificate: &with_root, ..material }), [(false, "T6")]);
    let broken = certificate.clone() + &bad;
    let findings = inspect(Material { certificate: &broken, ..material }, now());
    assert!(findings[0].message.contains("not issued by"), "{findings:?}");
}
