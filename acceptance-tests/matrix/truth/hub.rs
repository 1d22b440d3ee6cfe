//! What rules there are for a registry, and who trusts it; and the registries of all cases.

use super::{
    case::{Case, Expected, TERRAFORM_S},
    objects::timeouts,
};
use crate::{
    hub::{Hub, Layout},
    testbed::Testbed,
};

/// Two registries, images for them, and the files that these cases name; they are there as long as this is.
pub struct Hubs {
    pub(super) hubs: [Hub; 2],
    pub(super) layouts: [Layout; 2],
    pub(super) several: Layout,
    archives: tempfile::TempDir,
    certificates: [String; 2],
}

/// Whether it goes with another: a login is both.
pub fn is_of_a_login(attribute: &str) -> bool {
    matches!(attribute, "username" | "password")
}

impl Hubs {
    pub fn new(testbed: &Testbed) -> Self {
        let archives = tempfile::tempdir().unwrap();
        testbed.docker(&["tag", "busybox:1", "example.com/box:1"]);
        for (name, image) in [("box", "example.com/box:1"), ("registry", "registry:2")] {
            let file = archives.path().join(format!("{name}.tar")).display().to_string();
            testbed.docker(&["save", "--output", &file, image]);
        }
        let both = archives.path().join("both.tar").display().to_string();
        testbed.docker(&["save", "--output", &both, "example.com/box:1", "registry:2"]);
        let certificates = ["a", "b"].map(|name| {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec![]).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.self_signed(&key).unwrap().pem()
        });
        Hubs {
            hubs: [Hub::start(), Hub::start()],
            layouts: [Layout::new(&["amd64"], &[b"one"]), Layout::new(&["amd64"], &[b"two"])],
            several: Layout::new(&["amd64", "arm64"], &[b"several"]),
            archives,
            certificates,
        }
    }

    pub(super) fn registry(&self, more: &str) -> String {
        format!("registry = {{ url = \"{}\"{more} }}", self.hubs[0].url())
    }

    pub(super) fn layout(&self, index: usize) -> String {
        format!("source = {{ oci_layout = \"{}\" }}", self.layouts[index].path().display())
    }

    pub(super) fn archive(&self, name: &str) -> String {
        self.archives.path().join(format!("{name}.tar")).display().to_string()
    }

    /// Ways to a registry: two values of each attribute of `registry`.
    pub(super) fn ways(&self) -> Vec<(&'static str, [String; 2])> {
        let quoted = |text: &String| format!(", ca = {}", serde_json::Value::from(text.as_str()));
        let [one, two] = &self.certificates;
        let address = &self.hubs[0].address;
        let local = address.replace("127.0.0.1", "localhost");
        vec![
            (
                "username",
                [
                    ", username = \"a\", password = \"p\"".into(),
                    ", username = \"b\", password = \"p\"".into(),
                ],
            ),
            (
                "password",
                [
                    ", username = \"u\", password = \"a\"".into(),
                    ", username = \"u\", password = \"b\"".into(),
                ],
            ),
            ("ca", [quoted(one), quoted(two)]),
            ("connect_to", [format!(", connect_to = \"{address}\""), format!(", connect_to = \"{local}\"")]),
            ("insecure", [", insecure = true".into(), ", insecure = false".into()]),
        ]
    }

    /// `registry.…` of a type whose other arguments are these.
    pub(super) fn registries(&self, r#type: &'static str, more: impl Fn(&str) -> String) -> Vec<Case> {
        let cases = self.ways().into_iter().map(|(attribute, [first, second])| {
            let path = format!("registry.{attribute}");
            let of = |way: &str| format!("  {}\n{}", self.registry(way), more(&path));
            let case = Case::new(r#type, &path, &of(&first), &of(&second), Some(&of("")));
            let case = case.behind(Expected::Blank(TERRAFORM_S)).whole(is_of_a_login(attribute));
            if attribute == "insecure" { case.back_to_default() } else { case }
        });
        cases.collect()
    }

    pub fn retentions(&self) -> Vec<Case> {
        let r#type = "swarm_registry_retention";
        let of = |more: &str| format!("  {}\n  {more}", self.registry(""));
        let all = "repositories = [\"none/*\"]";
        let simple = |path: &str, first: &str, second: &str, without: Option<&str>| {
            let more = |text: &str| of(&format!("{all}\n  {text}"));
            Case::new(r#type, path, &more(first), &more(second), without.map(more).as_deref())
                .behind(Expected::Blank(TERRAFORM_S))
                .follows(&["expired"])
        };
        let repositories = |name: &str| of(&format!("repositories = [\"{name}\"]\n  keep_last = 1"));
        let mut cases = vec![
            Case::new(r#type, "repositories", &repositories("none/*"), &repositories("none/**"), None)
                .behind(Expected::Blank(TERRAFORM_S))
                .follows(&["expired"]),
            // At least one of them is set.
            simple(
                "keep_last",
                "older_than = \"24h\"\n  keep_last = 1",
                "older_than = \"24h\"\n  keep_last = 2",
                Some("older_than = \"24h\""),
            ),
            simple(
                "older_than",
                "keep_last = 1\n  older_than = \"24h\"",
                "keep_last = 1\n  older_than = \"48h\"",
                Some("keep_last = 1"),
            ),
            simple(
                "keep_matching",
                "keep_last = 1\n  keep_matching = [\"^a\"]",
                "keep_last = 1\n  keep_matching = [\"^b\"]",
                Some("keep_last = 1"),
            ),
            simple(
                "dry_run",
                "keep_last = 1\n  dry_run = true",
                "keep_last = 1\n  dry_run = false",
                Some("keep_last = 1"),
            )
            .back_to_default(),
        ];
        let rule = format!("  {all}\n  keep_last = 1");
        cases.extend(self.registries(r#type, |_| rule.clone()));
        cases.extend(timeouts(r#type, "t", |_| of(&format!("{all}\n  keep_last = 1"))));
        cases
    }

    pub fn trusts(&self, prefix: &str) -> Vec<Case> {
        let r#type = "swarm_registry_trust";
        let ca = |index: usize| serde_json::Value::from(self.certificates[index].as_str()).to_string();
        let of = |path: &str, ca: &str, more: &str| {
            let host = path.replace(['.', '_'], "-");
            format!(
                "  host = \"{host}.example.com\"\n  name = \"{prefix}-{host}\"\n  image = \"busybox:1\"\n  ca = {ca}\n  {more}"
            )
        };
        let simple = |path: &str, first: &str, second: &str, without: Option<&str>| {
            let more = |text: &str| of(path, &ca(0), text);
            Case::new(r#type, path, &more(first), &more(second), without.map(more).as_deref())
        };
        let bare = |host: &str, name: &str, image: &str| {
            format!("  host = \"{host}\"\n  {name}\n  {image}\n  ca = {}", ca(0))
        };
        let busybox = "image = \"busybox:1\"";
        let mut cases = vec![
            Case::new(r#type, "ca", &of("ca", &ca(0), ""), &of("ca", &ca(1), ""), None),
            Case::new(
                r#type,
                "host",
                &bare("a.example.com", &format!("name = \"{prefix}-host\""), busybox),
                &bare("b.example.com", &format!("name = \"{prefix}-host\""), busybox),
                None,
            ),
            Case::new(
                r#type,
                "name",
                &bare("name.example.com", &format!("name = \"{prefix}-name-a\""), busybox),
                &bare("name.example.com", &format!("name = \"{prefix}-name-b\""), busybox),
                Some(&bare("name.example.com", "", busybox)),
            )
            .replaces(),
            simple("file", "file = \"a.crt\"", "file = \"b.crt\"", Some("")),
            simple("overwrite", "overwrite = true", "overwrite = false", Some("")).back_to_default(),
            simple(
                "placement.constraints",
                "placement = { constraints = [\"node.role==manager\"] }",
                "placement = { constraints = [\"node.role!=worker\"] }",
                Some(""),
            ),
            Case::new(
                r#type,
                "image",
                &bare("image.example.com", &format!("name = \"{prefix}-image\""), busybox),
                &bare(
                    "image.example.com",
                    &format!("name = \"{prefix}-image\""),
                    "image = \"busybox:latest\"",
                ),
                Some(&bare("image.example.com", &format!("name = \"{prefix}-image\""), "")),
            ),
        ];
        cases.extend(timeouts(r#type, prefix, |name| of(name, &ca(0), "")));
        cases
    }
}
