//! What is in a registry.

use super::{
    case::{Case, Expected, ONE_OF_SEVERAL, TERRAFORM_S},
    hub::{Hubs, is_of_a_login},
    objects::timeouts,
};

const TYPE: &str = "swarm_registry_image";

/// What follows from other content.
const FOLLOWS: &[&str] = &["id", "digest", "reference", "media_type", "size", "manifests"];

fn source(kind: &str, file: &str, more: &str) -> String {
    format!("source = {{ {kind} = \"{file}\"{more} }}")
}

impl Hubs {
    pub fn images(&self) -> Vec<Case> {
        let one = self.layout(0);
        let with = |text: &str| format!("{one}\n  {text}");
        let of = |path: &str, more: &str| self.image(path, more);
        let hub = &self.hubs[1];
        let elsewhere = of("registry.url", &one).replace(&self.hubs[0].url(), &hub.url());
        let mut cases = vec![
            Case::new(TYPE, "repository", &of("repository/a", &one), &of("repository/b", &one), None)
                .replaces(),
            Case::new(TYPE, "registry.url", &of("registry.url", &one), &elsewhere, None)
                .follows(FOLLOWS)
                .behind(Expected::Blank(TERRAFORM_S)),
            self.simple("tags", [&with("tags = [\"a\"]"), &with("tags = [\"b\"]")], Some(&one)),
            self.simple("mount_from", [&with("mount_from = \"a\""), &with("mount_from = \"b\"")], Some(&one))
                .behind(Expected::Blank(TERRAFORM_S)),
            self.simple(
                "keep_on_destroy",
                [&with("keep_on_destroy = true"), &with("keep_on_destroy = false")],
                Some(&one),
            )
            .behind(Expected::Blank(TERRAFORM_S))
            .back_to_default(),
        ];
        cases.extend(self.contents());
        cases.extend(self.sources_in_registries());
        cases.extend(self.registries(TYPE, |path| format!("{}\n  {one}", repository(path))));
        cases.extend(timeouts(TYPE, "t", |name| of(name, &one)));
        cases
    }

    /// What says which content there is. It has a tag, by which it shows that others have moved it.
    fn contents(&self) -> Vec<Case> {
        let tagged = |path: &str, values: [&str; 2], without: Option<&str>| {
            let tagged = |text: &str| format!("tags = [\"t\"]\n  {text}");
            let [first, second] = values.map(tagged);
            self.simple(path, [&first, &second], without.map(tagged).as_deref()).follows(&["tags"])
        };
        let only = |case: Case| case.cleared(Expected::Blank(ONE_OF_SEVERAL));
        let several = source("oci_layout", &self.several.path().display().to_string(), "");
        let [amd64, arm64] =
            ["amd64", "arm64"].map(|name| format!("{several}\n  platforms = [\"linux/{name}\"]"));
        let archive = |name: &str| source("docker_archive", &self.archive(name), "");
        let named = |name: &str| {
            source("docker_archive", &self.archive("both"), &format!(", reference = \"{name}\""))
        };
        vec![
            tagged("platforms", [&amd64, &arm64], Some(&several)),
            only(tagged("source.oci_layout", [&self.layout(0), &self.layout(1)], None)),
            only(tagged("source.docker_archive", [&archive("box"), &archive("registry")], None)),
            tagged("source.reference", [&named("example.com/box:1"), &named("registry:2")], None)
                .cleared(Expected::Blank("an archive of several images needs it")),
            only(tagged("source.image", [&self.upstream("a", ""), &self.upstream("b", "")], None)),
        ]
    }

    /// Ways to the registry that an image comes from.
    fn sources_in_registries(&self) -> Vec<Case> {
        let hub = &self.hubs[1];
        for (tag, layout) in ["a", "b"].iter().zip(&self.layouts) {
            let from = format!("oci:{}", layout.path().display());
            hub.skopeo(&format!("copy --dest-tls-verify=false {from} HUB/up:{tag}"));
        }
        // `connect_to` leads to the other registry.
        let ways = self.ways().into_iter().filter(|(attribute, _)| *attribute != "connect_to");
        let cases = ways.map(|(attribute, values)| {
            let [first, second] = values.map(|way| self.upstream("a", &way));
            let path = format!("source.registry.{attribute}");
            let case = self
                .simple(&path, [&first, &second], Some(&self.upstream("a", "")))
                .behind(Expected::Blank(TERRAFORM_S))
                .whole(is_of_a_login(attribute));
            if attribute == "insecure" { case.back_to_default() } else { case }
        });
        cases.collect()
    }

    /// An image of the other registry.
    fn upstream(&self, tag: &str, way: &str) -> String {
        let hub = &self.hubs[1];
        let (address, url) = (&hub.address, hub.url());
        format!("source = {{ image = \"{address}/up:{tag}\", registry = {{ url = \"{url}\"{way} }} }}")
    }

    /// An image in a repository of its own.
    fn image(&self, path: &str, more: &str) -> String {
        format!("  {}\n{}\n  {more}", self.registry(""), repository(path))
    }

    fn simple(&self, path: &str, [first, second]: [&str; 2], without: Option<&str>) -> Case {
        let more = |text: &str| self.image(path, text);
        Case::new(TYPE, path, &more(first), &more(second), without.map(more).as_deref()).follows(FOLLOWS)
    }
}

fn repository(path: &str) -> String {
    format!("  repository = \"{}\"", path.replace(['.', '_'], "/"))
}
