//! `swarm_registry_image`: what it promises.

mod large;

use crate::{
    hub::{Hub, Layout},
    registry_service::Registry,
    terraform::Workspace,
    testbed::{Testbed, eventually},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const IMAGE: &str = "swarm_registry_image.it";

fn workspace(hcl: &str) -> Workspace {
    let mut workspace = Workspace::without_engine(Path::new(&terraform()), hcl);
    // The logins of whoever runs this are no business of a test.
    let empty = workspace.path().join("docker").display().to_string();
    workspace.set("DOCKER_CONFIG", &empty);
    workspace
}

fn terraform() -> String {
    std::env::var("SWARM_TERRAFORM").unwrap_or_else(|_| "terraform".to_owned())
}

/// The resource, with `more` in it.
fn image(hub: &Hub, more: &str) -> String {
    format!(
        "resource \"swarm_registry_image\" \"it\" {{\n  registry = {{ url = \"{}\" }}\n  repository = \"team/app\"\n  {more}\n}}\n",
        hub.url()
    )
}

fn from(layout: &Layout, more: &str) -> String {
    format!("source = {{ oci_layout = \"{}\" }}\n  {more}", layout.path().display())
}

fn update() -> Vec<(String, String)> {
    vec![(IMAGE.to_owned(), "update".to_owned())]
}

/// Must-show: no Engine takes part in it, and no second apply.
#[test]
fn a_registry_is_filled_by_the_apply_that_makes_it() {
    let testbed = Testbed::shared();
    let registry = Registry::new("filled");
    let address = format!("{}:{}", testbed.address("hubworker01"), registry.port);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("busybox.tar").display().to_string();
    testbed.docker(&["save", "--output", &saved, "busybox:1"]);
    let hcl = registry.with(
        "storage = { filesystem = { volume = \"VOLUME\" }, delete = true }",
        &format!("url = \"http://{address}\""),
    ) + &format!(
        "resource \"swarm_registry_image\" \"it\" {{\n  registry = {{ url = registry_service.it.url }}\n  repository = \"library/busybox\"\n  tags = [\"1\", \"latest\"]\n  source = {{ docker_archive = \"{saved}\" }}\n  depends_on = [registry_service.it]\n}}\n"
    );
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    let state = workspace.state(IMAGE);
    for tag in ["1", "latest"] {
        let image = format!("docker://{address}/library/busybox:{tag}");
        let output = Command::new("skopeo").args(["inspect", "--tls-verify=false", &image]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(seen["Digest"], state["digest"]);
    }
    assert_eq!(
        state["reference"],
        format!("{address}/library/busybox@{}", state["digest"].as_str().unwrap())
    );
    // What was saved is what arrived, layer by layer.
    let back = folder.path().join("back").display().to_string();
    let copy = [
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        &format!("docker://{address}/library/busybox:1"),
        &format!("dir:{back}"),
    ];
    assert!(Command::new("skopeo").args(copy).status().unwrap().success());
    workspace.destroy();
}

#[test]
fn what_differs_shows_and_is_put_right_in_place() {
    let hub = Hub::start();
    let layout = Layout::new(&["amd64"], &[b"one"]);
    let workspace = workspace(&image(&hub, &from(&layout, "tags = [\"1\", \"1.0\"]")));
    let planned = workspace.plan();
    let after = planned.json["resource_changes"][0]["change"]["after"].clone();
    workspace.apply_and_settle();
    let state = workspace.state(IMAGE);
    let first = state["digest"].as_str().unwrap().to_owned();
    assert_eq!(after["digest"], first, "the plan tells the digest");
    for name in ["id", "reference", "size", "media_type", "manifests"] {
        assert_eq!(after[name], state[name], "{name}");
    }
    assert_eq!(state["manifests"], json!({"linux/amd64": first}));
    assert_eq!(hub.digest("team/app:1").as_ref(), Some(&first));

    // Tags come and go without the image.
    workspace.write(&image(&hub, &from(&layout, "tags = [\"1\", \"latest\"]")));
    let plan = workspace.plan();
    assert_eq!((plan.changes(), plan.differing(IMAGE)), (update(), vec!["tags".to_owned()]));
    workspace.apply_and_settle();
    assert_eq!(hub.digest("team/app:latest").as_ref(), Some(&first));
    assert_eq!((hub.digest("team/app:1").as_ref(), hub.digest("team/app:1.0")), (Some(&first), None));

    // A tag that somebody moves is drift, and so is one that vanishes.
    let other = Layout::new(&["amd64"], &[b"other"]);
    let copy = format!("copy --quiet --dest-tls-verify=false oci:{} HUB/team/app", other.path().display());
    hub.skopeo(&format!("{copy}:latest"));
    let plan = workspace.plan();
    assert_eq!((plan.changes(), plan.differing(IMAGE)), (update(), vec!["tags".to_owned()]));
    workspace.apply_and_settle();
    assert_eq!(hub.digest("team/app:latest").as_ref(), Some(&first));

    // Other content shows at plan, and the image before stays by its digest.
    layout.holds(&["amd64"], &[b"two"]);
    let plan = workspace.plan();
    assert_eq!(plan.changes(), update());
    assert_eq!(plan.differing(IMAGE), ["digest", "id", "manifests", "reference"]);
    workspace.apply_and_settle();
    let second = workspace.state(IMAGE)["digest"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(hub.digest("team/app:1").as_ref(), Some(&second));
    assert_eq!(hub.status("HEAD", &format!("/v2/team/app/manifests/{first}")), "200");

    // What does not concern the image changes nothing there.
    let more = "tags = [\"1\", \"latest\"]\n  keep_on_destroy = true\n  mount_from = \"base\"\n  timeouts = { create = \"1h\" }";
    workspace.write(&image(&hub, &from(&layout, more)));
    assert_eq!(workspace.plan().changes(), update());
    workspace.apply_and_settle();
    workspace
        .write(&image(&hub, &from(&layout, "tags = [\"1\", \"latest\"]\n  platforms = [\"linux/amd64\"]")));
    workspace.apply_and_settle();
    assert_eq!(workspace.state(IMAGE)["digest"], second);

    // Files that are gone say nothing of what is in the registry.
    fs::remove_dir_all(layout.path()).unwrap();
    assert!(workspace.plan().text.contains("taken to be what it should be"));

    // The image itself vanishes.
    assert_eq!(hub.status("DELETE", &format!("/v2/team/app/manifests/{second}")), "202");
    layout.holds(&["amd64"], &[b"two"]);
    assert_eq!(workspace.plan().changes(), [(IMAGE.to_owned(), "create".to_owned())]);
    workspace.apply_and_settle();
    assert_eq!(hub.digest("team/app:1").as_ref(), Some(&second));
    workspace.destroy();
    assert_eq!((hub.digest("team/app:1"), hub.digest("team/app:latest")), (None, None));
}

#[test]
fn destroying_loses_nothing_of_others() {
    let hub = Hub::start();
    let layout = Layout::new(&["amd64", "arm64"], &[b"layer"]);
    let workspace = workspace(&image(&hub, &from(&layout, "tags = [\"ours\"]")));
    workspace.apply_and_settle();
    let digest = hub.digest("team/app:ours").unwrap();
    let copy = "copy --all --quiet --src-tls-verify=false --dest-tls-verify=false HUB/team/app:ours HUB/team/app:theirs";
    hub.skopeo(copy);
    let said = workspace.destroy();
    assert!(said.contains("is kept") && said.contains("theirs"), "{said}");
    assert_eq!((hub.digest("team/app:ours"), hub.digest("team/app:theirs")), (None, Some(digest.clone())));
    hub.skopeo(&format!(
        "copy --all --quiet --src-tls-verify=false HUB/team/app:theirs oci:{}/back",
        layout.path().display()
    ));

    // An image of an index goes only with it: here the index is somebody else's.
    let one = image(&hub, &from(&layout, "platforms = [\"linux/amd64\"]"));
    workspace.write(&one);
    // Nothing is sent for it.
    workspace.apply_and_settle();
    assert!(workspace.destroy().contains("theirs"));
    hub.skopeo("inspect --tls-verify=false HUB/team/app:theirs");

    // With nobody else's tag, the index goes. Its images stay: somebody may have one of them by its digest.
    workspace
        .write(&(image(&hub, &from(&layout, "tags = [\"theirs\"]")) + &one.replace("\"it\"", "\"one\"")));
    workspace.apply_and_settle();
    workspace.write(&one.replace("\"it\"", "\"one\""));
    workspace.apply_and_settle();
    let status = |digest: &str| hub.status("HEAD", &format!("/v2/team/app/manifests/{digest}"));
    assert_eq!(status(&digest), "404");
    assert_eq!(status(workspace.state("swarm_registry_image.one")["digest"].as_str().unwrap()), "200");
    workspace.destroy();
}

/// Terraform makes and destroys at once what only has another name.
#[test]
fn a_new_name_loses_no_image() {
    let hub = Hub::start();
    let layout = Layout::new(&["amd64", "arm64"], &[b"layer"]);
    let all = |key: &str| {
        let tags = "tags = [\"1\", \"latest\"]";
        image(&hub, &from(&layout, &format!("for_each = toset([\"{key}\"])\n  {tags}")))
    };
    let workspace = workspace(&all("a"));
    workspace.apply_and_settle();
    let digest = hub.digest("team/app:1");
    for key in ["b", "c", "d"] {
        workspace.write(&all(key));
        workspace.apply_and_settle();
        assert_eq!(
            (hub.digest("team/app:1"), hub.digest("team/app:latest")),
            (digest.clone(), digest.clone())
        );
    }
    workspace.destroy();
    assert_eq!(hub.digest("team/app:1"), None);
}

#[test]
fn a_registry_that_deletes_nothing_is_told_with_the_way_out() {
    let hub = Hub::with("storage: { }");
    let layout = Layout::new(&["amd64"], &[]);
    let workspace = workspace(&image(&hub, &from(&layout, "tags = [\"1\", \"2\"]")));
    workspace.apply_and_settle();
    let said = workspace.destroy_fails();
    assert!(said.contains("storage = { delete = true, … }") && said.contains("keep_on_destroy"), "{said}");
    workspace.write(&image(&hub, &from(&layout, "tags = [\"1\"]")));
    let said = workspace.apply_fails();
    assert!(said.contains("take the tag `2`") && said.contains("405"), "{said}");
    assert!(hub.digest("team/app:2").is_some(), "it is as it was");
    // So it is, when the image becomes another one in the same change.
    let copy = "copy --quiet --all --src-tls-verify=false --dest-tls-verify=false HUB/team/app:1 HUB/other:1";
    hub.skopeo(copy);
    let source = format!("source = {{ image = \"{}/other:1\" }}\n  tags = [\"1\"]", hub.address);
    workspace.write(&image(&hub, &source));
    assert!(workspace.apply_fails().contains("take the tag `2`"));
    let plan = workspace.plan();
    assert!(plan.differing(IMAGE).contains(&"tags".to_owned()), "{}", plan.text);
    workspace.write(&image(&hub, &from(&layout, "tags = [\"1\", \"2\"]\n  keep_on_destroy = true")));
    workspace.apply_and_settle();
    assert!(workspace.destroy().contains("is kept"));
    assert!(hub.digest("team/app:1").is_some());
}

#[test]
fn an_image_is_copied_from_one_registry_to_another_and_within_one() {
    let (theirs, ours) = (
        Hub::start(),
        Hub::with(
            "storage: { delete: { enabled: true } }\nauth: { htpasswd: { realm: it, path: FOLDER/htpasswd } }",
        ),
    );
    let layout = Layout::new(&["amd64", "arm64", "s390x"], &[b"a layer that all have"]);
    theirs.skopeo(&format!(
        "copy --all --quiet --dest-tls-verify=false oci:{} HUB/base/app:1",
        layout.path().display()
    ));
    let whole = theirs.skopeo("inspect --raw --tls-verify=false HUB/base/app:1");
    let provider = format!(
        "provider \"swarm\" {{\n  registry_auth = [{{ address = \"{}\", username = \"ci\", password = \"let me in\" }}]\n}}\n",
        ours.address
    );
    let source = format!(
        "source = {{ image = \"{}/base/app:1\", registry = {{ url = \"{}\" }} }}",
        theirs.address,
        theirs.url()
    );
    let workspace = workspace(&(provider.clone() + &image(&ours, &format!("{source}\n  tags = [\"1\"]"))));
    assert_eq!(workspace.plan().json["resource_changes"][0]["change"]["after_unknown"]["digest"], true);
    workspace.apply_and_settle();
    let state = workspace.state(IMAGE);
    assert_eq!(state["manifests"].as_object().unwrap().len(), 3);
    assert_eq!(
        state["digest"],
        swarm::registry::client::Digest::of(whole.as_bytes()).as_str(),
        "byte by byte"
    );
    let file = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap();
    assert!(!file.contains("let me in"));

    // Within the registry nothing is sent: layers are taken over.
    let again = format!(
        "resource \"swarm_registry_image\" \"again\" {{\n  registry = {{ url = \"{}\" }}\n  repository = \"other/app\"\n  tags = [\"1\"]\n  platforms = [\"linux/amd64\", \"linux/s390x\"]\n  source = {{ image = \"{}/team/app@${{{IMAGE}.digest}}\" }}\n}}\n",
        ours.url(),
        ours.address
    );
    workspace.write(&(provider + &image(&ours, &format!("{source}\n  tags = [\"1\"]")) + &again));
    workspace.apply_and_settle();
    let some = workspace.state("swarm_registry_image.again");
    assert_eq!(
        some["manifests"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["linux/amd64", "linux/s390x"]
    );
    let log = ours.log();
    let sent = log.lines().filter(|line| line.contains("\"PUT /v2/other/app/blobs/")).count();
    assert!(log.contains("POST /v2/other/app/blobs/uploads/?mount=") && sent == 0, "{log}");
    workspace.destroy();
}

#[test]
fn what_is_wrong_is_told_at_its_attribute() {
    let hub = Hub::with(
        "storage: { delete: { enabled: true } }\nauth: { htpasswd: { realm: it, path: FOLDER/htpasswd } }",
    );
    let open = Hub::start();
    let layout = Layout::new(&["amd64"], &[]);
    let valid = |more: &str| workspace(&image(&open, more));
    for (more, words) in [
        ("tags = [\"1\"]", "set `source`"),
        ("source = {}", "Exactly one of"),
        (&from(&layout, "tags = [\"a b\"]"), "neither a tag"),
        (&from(&layout, "platforms = [\"amd64\"]"), "no platform such as"),
        (&from(&layout, "platforms = [\"linux/arm64\"]"), "not made for linux/arm64, but for linux/amd64"),
        ("source = { oci_layout = \"/proc\" }", "no OCI layout"),
        ("source = { image = \"https://hub/x\" }", "no scheme"),
        ("source = { oci_layout = \"/x\", registry = { url = \"https://hub\" } }", "files are in none"),
    ] {
        let said = valid(more).plan_fails();
        assert!(said.contains(words), "{more}: {said}");
    }
    let said = valid(&format!(
        "source = {{ image = \"{0}/none:1\", registry = {{ url = \"http://{0}\" }} }}",
        open.address
    ))
    .apply_fails();
    assert!(said.contains("has no manifest none:1"), "{said}");
    let locked = |login: &str| {
        let hcl = image(&hub, &from(&layout, ""))
            .replace("\" }\n  repository", &format!("\"{login} }}\n  repository"));
        // Terraform shows the line of the configuration, so the password is not on it.
        let variable = "variable \"password\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\n";
        workspace(&(hcl + variable)).apply_fails()
    };
    let said = locked("");
    assert!(said.contains("asks for a login") && said.contains("registry_auth"), "{said}");
    let said = locked(", username = \"ci\", password = var.password");
    assert!(said.contains("the user or the password is wrong") && !said.contains("hunter2"), "{said}");
    let said = locked(", username = \"ci\"");
    assert!(said.contains("set both or neither"), "{said}");
}

#[test]
fn a_registry_behind_tls_is_reached_by_its_name_wherever_it_is() {
    let made = rcgen::generate_simple_self_signed(["hub.example.com".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("hub.crt"), made.cert.pem()).unwrap();
    fs::write(at("hub.key"), made.signing_key.serialize_pem()).unwrap();
    let files = format!("certificate: {}, key: {}", at("hub.crt"), at("hub.key"));
    let hub = Hub::with_tls(&files);
    let layout = Layout::new(&["amd64"], &[b"layer"]);
    let reached = |how: &str| {
        let connect_to = format!("https://hub.example.com\", connect_to = \"{}\", {how}", hub.address);
        workspace(
            &image(&hub, &from(&layout, "tags = [\"1\"]")).replace(&format!("{}\"", hub.url()), &connect_to),
        )
    };
    let said = reached("insecure = false").apply_fails();
    assert!(said.contains("The certificate of hub.example.com is refused"), "{said}");
    let trusting = reached(&format!("ca = file(\"{}\")", at("hub.crt")));
    trusting.apply_and_settle();
    let reference = trusting.state(IMAGE)["reference"].as_str().unwrap().to_owned();
    assert!(reference.starts_with("hub.example.com/team/app@sha256:"), "{reference}");
    reached("insecure = true").apply_and_settle();
    trusting.destroy();
}

#[test]
fn an_image_that_is_there_is_imported() {
    let hub = Hub::start();
    let layout = Layout::new(&["amd64", "arm64"], &[b"layer"]);
    let copy = format!(
        "copy --all --quiet --preserve-digests --dest-tls-verify=false oci:{} HUB/team/app",
        layout.path().display()
    );
    hub.skopeo(&format!("{copy}:1"));
    hub.skopeo(&format!("{copy}:latest"));
    let digest = hub.digest("team/app:1").unwrap();
    for (id, tags) in [(":1".to_owned(), "\"1\""), (format!("@{digest}"), "\"1\", \"latest\"")] {
        let workspace = workspace(&image(&hub, &format!("tags = [{tags}]")));
        workspace.run(&["import", "-no-color", IMAGE, &format!("{}/team/app{id}", hub.url())]);
        workspace.plan_is_empty();
        assert_eq!(workspace.state(IMAGE)["manifests"].as_object().unwrap().len(), 2);
        // It can get a source, which it has to be.
        workspace.write(&image(&hub, &from(&layout, &format!("tags = [{tags}]"))));
        assert_eq!(workspace.plan().differing(IMAGE), ["source"]);
    }
    let output = workspace(&image(&hub, "")).try_run(&["import", "-no-color", IMAGE, "team/app:1"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("begins with the host"));
}

#[test]
fn data_sources_say_what_is_there() {
    let hub = Hub::start();
    let layout = Layout::new(&["amd64", "arm64"], &[b"layer"]);
    for name in ["team/app:1.9", "team/app:1.10", "team/app:latest", "base:1"] {
        hub.skopeo(&format!(
            "copy --all --quiet --dest-tls-verify=false oci:{} HUB/{name}",
            layout.path().display()
        ));
    }
    let registry = format!("registry = {{ url = \"{}\" }}", hub.url());
    let hcl = format!(
        r#"
data "swarm_registry_catalog" "it" {{
  {registry}
}}
data "swarm_registry_tags" "it" {{
  {registry}
  repository = "team/app"
  order      = "version"
}}
data "swarm_registry_tags" "some" {{
  {registry}
  repository = "team/app"
  filter     = "^1\\.9"
}}
data "swarm_registry_manifest" "it" {{
  {registry}
  repository = "team/app"
  platform   = "linux/arm64"
}}
data "swarm_registry_manifest" "index" {{
  {registry}
  repository = "team/app"
  reference  = data.swarm_registry_manifest.it.digest
}}
"#
    );
    let workspace = workspace(&hcl);
    workspace.apply();
    let state = |name: &str| workspace.state(&format!("data.swarm_registry_{name}"));
    assert_eq!(state("catalog.it")["repositories"], json!(["base", "team/app"]));
    assert_eq!(state("tags.it")["tags"], json!(["latest", "1.9", "1.10"]));
    assert_eq!((&state("tags.it")["latest"], &state("tags.some")["tags"]), (&json!("1.10"), &json!(["1.9"])));
    let (image, index) = (state("manifest.it"), state("manifest.index"));
    assert_eq!(image["digest"], hub.digest("team/app:1.9").unwrap());
    assert_eq!(image["labels"], json!({"made-for": "arm64"}));
    assert_eq!(image["layers"].as_array().unwrap().len(), 2);
    assert_eq!((&index["platforms"], &index["layers"]), (&image["platforms"], &json!([])));
    workspace.write(&hcl.replace("linux/arm64", "linux/s390x"));
    assert!(workspace.plan_fails().contains("and not for `linux/s390x`"));
    workspace.write(&hcl.replace("\"team/app\"", "\"none\""));
    assert!(workspace.plan_fails().contains("has no repository none"));
}
