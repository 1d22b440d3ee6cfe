//! What is in a registry, and who trusts it.

use super::{
    case::{Case, Expected, IS_THE_DEFAULT, TERRAFORM_S},
    objects::timeouts,
};
use crate::{
    hub::{Hub, Layout},
    testbed::Testbed,
};

/// Two registries, images for them, and the files that these cases name; they are there as long as this is.
pub struct Hubs {
    hubs: [Hub; 2],
    layouts: [Layout; 2],
    several: Layout,
    archives: tempfile::TempDir,
    certificates: [String; 2],
}

impl Hubs {
    pub fn new(testbed: &Testbed) -> Self {
        let archives = tempfile::tempdir().unwrap();
        for tag in ["1", "latest"] {
            let file = archives.path().join(format!("{tag}.tar")).display().to_string();
            testbed.docker(&["tag", "busybox:1", &format!("example.com/box:{tag}")]);
            testbed.docker(&["save", "--output", &file, &format!("example.com/box:{tag}")]);
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

    fn registry(&self, more: &str) -> String {
        format!("registry = {{ url = \"{}\"{more} }}", self.hubs[0].url())
    }

    fn layout(&self, index: usize) -> String {
        format!("source = {{ oci_layout = \"{}\" }}", self.layouts[index].path().display())
    }

    fn archive(&self, name: &str) -> String {
        self.archives.path().join(format!("{name}.tar")).display().to_string()
    }

    /// Ways to a registry: two values of each attribute of `registry`.
    fn ways(&self) -> Vec<(&'static str, [String; 2])> {
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
    fn registries(&self, r#type: &'static str, more: impl Fn(&str) -> String) -> Vec<Case> {
        let cases = self.ways().into_iter().map(|(attribute, [first, second])| {
            let path = format!("registry.{attribute}");
            let of = |way: &str| format!("  {}\n{}", self.registry(way), more(&path));
            let case = Case::new(r#type, &path, &of(&first), &of(&second), Some(&of("")));
            let case = case.behind(Expected::Blank(TERRAFORM_S));
            if attribute == "insecure" { case.cleared(Expected::Nothing(IS_THE_DEFAULT)) } else { case }
        });
        cases.collect()
    }

    pub fn images(&self) -> Vec<Case> {
        let r#type = "swarm_registry_image";
        let repository = |path: &str| format!("  repository = \"{}\"", path.replace(['.', '_'], "/"));
        let of = |path: &str, more: &str| format!("  {}\n{}\n  {more}", self.registry(""), repository(path));
        let follows: &[&str] = &["id", "digest", "reference", "media_type", "size", "manifests"];
        let one = self.layout(0);
        let simple = |path: &str, first: &str, second: &str, without: Option<&str>| {
            let more = |text: &str| of(path, text);
            Case::new(r#type, path, &more(first), &more(second), without.map(more).as_deref())
                .follows(follows)
        };
        let with = |text: &str| format!("{one}\n  {text}");
        let source = |kind: &str, file: &str, more: &str| format!("source = {{ {kind} = \"{file}\"{more} }}");
        let several = source("oci_layout", &self.several.path().display().to_string(), "");
        let hub = &self.hubs[1];
        for (index, tag) in ["a", "b"].iter().enumerate() {
            let from = format!("oci:{}", self.layouts[index].path().display());
            hub.skopeo(&format!("copy --dest-tls-verify=false {from} HUB/up:{tag}"));
        }
        let image = |tag: &str, registry: &str| {
            format!(
                "source = {{ image = \"{}/up:{tag}\", registry = {{ url = \"{}\"{registry} }} }}",
                hub.address,
                hub.url()
            )
        };
        let both = |name: &str| {
            source("docker_archive", &self.archive("both"), &format!(", reference = \"{name}\""))
        };
        let elsewhere =
            format!("  registry = {{ url = \"{}\" }}\n{}\n  {one}", hub.url(), repository("registry.url"));
        let mut cases = vec![
            Case::new(r#type, "repository", &of("repository/a", &one), &of("repository/b", &one), None)
                .replaces(),
            Case::new(r#type, "registry.url", &of("registry.url", &one), &elsewhere, None)
                .follows(follows)
                .behind(Expected::Blank(TERRAFORM_S)),
            simple("tags", &with("tags = [\"a\"]"), &with("tags = [\"b\"]"), Some(&one)),
            simple(
                "platforms",
                &format!("{several}\n  platforms = [\"linux/amd64\"]"),
                &format!("{several}\n  platforms = [\"linux/arm64\"]"),
                Some(&several),
            )
            .behind(Expected::Blank(TERRAFORM_S)),
            simple("mount_from", &with("mount_from = \"a\""), &with("mount_from = \"b\""), Some(&one))
                .behind(Expected::Blank(TERRAFORM_S)),
            simple(
                "keep_on_destroy",
                &with("keep_on_destroy = true"),
                &with("keep_on_destroy = false"),
                Some(&one),
            )
            .behind(Expected::Blank(TERRAFORM_S))
            .cleared(Expected::Nothing(IS_THE_DEFAULT)),
            simple(
                "source.oci_layout",
                &format!("tags = [\"t\"]\n  {one}"),
                &format!("tags = [\"t\"]\n  {}", self.layout(1)),
                None,
            )
            .follows(&["id", "digest", "reference", "media_type", "size", "manifests", "tags"]),
            simple(
                "source.docker_archive",
                &source("docker_archive", &self.archive("1"), ""),
                &source("docker_archive", &self.archive("latest"), ""),
                None,
            )
            .behind(Expected::Blank(TERRAFORM_S)),
            simple("source.reference", &both("example.com/box:1"), &both("registry:2"), None)
                .behind(Expected::Blank(TERRAFORM_S)),
            simple("source.image", &image("a", ""), &image("b", ""), None)
                .behind(Expected::Blank(TERRAFORM_S)),
        ];
        for (attribute, [first, second]) in self.ways() {
            if attribute == "connect_to" {
                continue;
            }
            let case = simple(
                &format!("source.registry.{attribute}"),
                &image("a", &first),
                &image("a", &second),
                Some(&image("a", "")),
            );
            let case = case.behind(Expected::Blank(TERRAFORM_S));
            cases.push(if attribute == "insecure" {
                case.cleared(Expected::Nothing(IS_THE_DEFAULT))
            } else {
                case
            });
        }
        cases.extend(self.registries(r#type, |path| format!("{}\n  {one}", repository(path))));
        cases.extend(timeouts(r#type, "t", |name| of(name, &one)));
        cases
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
            simple("keep_last", "keep_last = 1", "keep_last = 2", None),
            simple("older_than", "older_than = \"24h\"", "older_than = \"48h\"", None),
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
            .cleared(Expected::Nothing(IS_THE_DEFAULT)),
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
                None,
            )
            .replaces(),
            simple("file", "file = \"a.crt\"", "file = \"b.crt\"", Some("")),
            simple("overwrite", "overwrite = true", "overwrite = false", Some(""))
                .cleared(Expected::Nothing(IS_THE_DEFAULT)),
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
                None,
            ),
        ];
        cases.extend(timeouts(r#type, prefix, |name| of(name, &ca(0), "")));
        cases
    }
}
