//! Registries that keep their images in real stores, and what happens to them by hand.

use crate::{
    client::{Access, Image},
    registry_service::Registry,
    storage::Bucket,
    terraform::Workspace,
    testbed::{Testbed, unique},
};

const IT: &str = "registry_service.it";

/// A registry of which an apply waits until it serves.
struct Hub {
    registry: Registry,
    address: String,
}

impl Hub {
    fn new(prefix: &str) -> Self {
        let registry = Registry::new(prefix);
        let address = format!("{}:{}", Testbed::shared().address("hubworker01"), registry.port);
        Hub { registry, address }
    }

    fn hcl(&self, storage: &str, more: &str) -> String {
        let quick = "update = { monitor = \"10ms\", delay = \"0s\" }";
        let wait_for = format!("wait_for = {{ url = \"http://{}\" }}", self.address);
        self.registry.with(&format!("storage = {storage}"), &format!("{quick}\n  {wait_for}\n  {more}"))
    }

    fn access(&self) -> Access {
        Access { registry: self.address.clone(), certificates: None, credentials: None, network: None }
    }

    /// Pushes an image and pulls it.
    fn keeps_images(&self) {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::random(folder.path().join("pushed"), &[100_000]);
        image.push(&self.access(), "team/app:1").unwrap();
        assert_eq!(self.access().pull("team/app:1", &folder.path().join("pulled")).unwrap(), image.digest());
    }
}

/// What a service mounts as a file of that name.
fn mounted(testbed: &Testbed, service: &str, file: &str) -> Option<String> {
    let format = "{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.File.Name}} {{.SecretName}}\n{{end}}";
    let secrets = testbed.docker(&["service", "inspect", service, "--format", format]);
    secrets.lines().find_map(|line| line.strip_prefix(file)?.strip_prefix(' ').map(str::to_owned))
}

/// The bucket as the attributes tell it.
fn s3(bucket: &Bucket, version: u8) -> String {
    let Bucket { name, endpoint, region, access_key, secret_key } = bucket;
    format!(
        "{{\n    s3 = {{\n      bucket = \"{name}\"\n      region = \"{region}\"\n      region_endpoint = \"{endpoint}\"\n      access_key = \"{access_key}\"\n      secret_key_wo = \"{secret_key}\"\n      credentials_wo_version = {version}\n    }}\n  }}"
    )
}

#[test]
fn a_bucket_has_the_images_and_its_keys_change_apart_from_the_configuration() {
    let testbed = Testbed::shared();
    let hub = Hub::new("bucket");
    let name = hub.registry.name.clone();
    let bucket = testbed.bucket(&unique("hub"));
    let workspace = Workspace::new(testbed, &hub.hcl(&s3(&bucket, 1), ""));
    workspace.apply_and_settle();
    hub.keeps_images();
    assert!(testbed.objects(&bucket).iter().any(|object| object.contains("team/app")));
    let state = workspace.state(IT);
    assert_eq!(state["storage"]["redirect"], false, "only those within the testbed reach the store");
    assert!(!state.to_string().contains(&bucket.secret_key), "a write-only key is in the state");
    let spec = testbed.docker(&["service", "inspect", &name]);
    assert!(!spec.contains(&bucket.secret_key) && !spec.contains(&bucket.access_key));

    // Keys that somebody else keeps: another secret under the same path, and the same configuration.
    let credentials = || mounted(testbed, &name, "registry-aws-credentials").unwrap();
    let first = credentials();
    let by_hand = |change: &[&str]| {
        let update = ["service", "update", "--quiet", "--detach", "--no-resolve-image"];
        testbed.docker(&[&update, change, &[name.as_str()]].concat());
    };
    let foreign = unique("keys");
    let file = tempfile::NamedTempFile::new().unwrap();
    let Bucket { access_key, secret_key, .. } = &bucket;
    let keys = format!("[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n");
    std::fs::write(file.path(), keys).unwrap();
    testbed.docker(&["secret", "create", &foreign, &file.path().display().to_string()]);
    let own = s3(&bucket, 1);
    let given = &own[own.find("access_key").unwrap()..own.find("    }").unwrap()];
    workspace.write(&hub.hcl(&own.replace(given, &format!("credentials_secret = \"{foreign}\"\n")), ""));
    assert_eq!(workspace.plan().differing(IT), ["storage"]);
    workspace.apply_and_settle();
    assert_eq!(credentials(), foreign);
    assert_eq!(workspace.state(IT)["config_secret"], state["config_secret"]);
    hub.keeps_images();
    let target = |secret: &str| format!("source={secret},target=registry-aws-credentials");
    by_hand(&["--secret-rm", &foreign, "--secret-add", &target(&first)]);
    assert_eq!(workspace.plan().differing(IT), ["config_secret"]);
    workspace.apply_and_settle();
    assert_eq!(credentials(), foreign);
    workspace.write(&hub.hcl(&s3(&bucket, 2), ""));
    workspace.apply_and_settle();
    assert_eq!(credentials(), first, "the same keys are the same generation");
    testbed.docker(&["secret", "rm", &foreign]);

    // What the registry finds its keys by is gone by hand, which shows.
    by_hand(&["--env-rm", "AWS_SHARED_CREDENTIALS_FILE"]);
    let plan = workspace.plan();
    assert_eq!(plan.differing(IT), ["config_secret"], "{}", plan.text);
    workspace.apply_and_settle();
    hub.keeps_images();
}

#[test]
fn a_container_of_swift_has_the_images() {
    let testbed = Testbed::shared();
    let hub = Hub::new("swift");
    let bucket = testbed.bucket(&unique("swift"));
    let Bucket { endpoint, access_key, secret_key, .. } = &bucket;
    let container = &hub.registry.name;
    let storage = format!(
        "{{\n    swift = {{\n      username = \"{access_key}\"\n      password_wo = \"{secret_key}\"\n      auth_url = \"{endpoint}/auth/v1.0\"\n      auth_version = 1\n      container = \"{container}\"\n      prefix = \"hub\"\n    }}\n    redirect = false\n  }}"
    );
    let workspace = Workspace::new(testbed, &hub.hcl(&storage, ""));
    workspace.apply_and_settle();
    hub.keeps_images();
    assert!(!workspace.state(IT).to_string().contains(secret_key.as_str()));
}

#[test]
fn memory_has_the_images_as_long_as_the_task_runs() {
    let hub = Hub::new("memory");
    let workspace =
        Workspace::new(Testbed::shared(), &hub.hcl("{ in_memory = {} }", "cache = { none = {} }"));
    workspace.apply_and_settle();
    hub.keeps_images();
    let tmpfs = "{ filesystem = { tmpfs = { size = \"64MiB\" } } }";
    workspace.write(&hub.hcl(tmpfs, "cache = { in_memory = {} }"));
    workspace.apply_and_settle();
    hub.keeps_images();
}

#[test]
fn a_cache_has_what_another_registry_has() {
    let testbed = Testbed::shared();
    let (origin, cache) = (Hub::new("origin"), Hub::new("cache"));
    let volume = "{ filesystem = { volume = \"VOLUME\" } }";
    let hcl = |proxy: &str| {
        let after = format!("depends_on = [registry_service.it]\n  {proxy}");
        let cache = cache.hcl(volume, &after).replace("\"it\"", "\"cache\"");
        format!("{}{cache}", origin.hcl(volume, ""))
    };
    let proxy = format!("proxy = {{ remote_url = \"http://{}\" }}", origin.address);
    let workspace = Workspace::new(testbed, &hcl(&proxy));
    workspace.apply_and_settle();

    let folder = tempfile::tempdir().unwrap();
    let image = Image::random(folder.path().join("pushed"), &[100_000]);
    image.push(&origin.access(), "team/app:1").unwrap();
    assert_eq!(cache.access().pull("team/app:1", &folder.path().join("pulled")).unwrap(), image.digest());
    assert!(image.push(&cache.access(), "team/app:2").is_err(), "nothing can be pushed to a cache");

    workspace.write(&hcl(""));
    workspace.apply_and_settle();
    cache.keeps_images();
}

#[test]
fn a_cache_that_keeps_its_schedule_in_files_is_replaced_before_the_next_one_starts() {
    let registry = Registry::new("order");
    let hcl = |more: &str| {
        let hcl = registry.hcl(&format!("publish = []\n  {more}"));
        hcl.replace("replicas = 1", "replicas = 0")
    };
    let workspace =
        Workspace::new(Testbed::shared(), &hcl("proxy = { remote_url = \"https://registry.example.com\" }"));
    workspace.apply_and_settle();
    assert_eq!(workspace.state(IT)["update"]["order"], "stop-first");
    workspace.write(&hcl(""));
    workspace.apply_and_settle();
    assert_eq!(workspace.state(IT)["update"]["order"], "start-first");
}

#[test]
fn what_is_mounted_by_hand_shows_as_what_it_is() {
    let testbed = Testbed::shared();
    let registry = Registry::new("mounted");
    let nfs = "storage = { filesystem = { nfs = { server = \"nas\", path = \"/hub\" } } }";
    let hcl = registry.with(nfs, "").replace("replicas = 1", "replicas = 0");
    let workspace = Workspace::new(testbed, &hcl);
    workspace.apply_and_settle();
    let spec = testbed.docker(&["service", "inspect", &registry.name]);
    assert!(spec.contains("addr=nas,nfsvers=4,hard,actimeo=0,lookupcache=none"), "{spec}");
    let target = "dst=/var/lib/registry";
    for (mount, differing) in [
        (
            format!("type=tmpfs,tmpfs-size=1m,{target}"),
            vec!["storage.filesystem.nfs.options", "storage.filesystem.tmpfs.size"],
        ),
        (format!("type=bind,src=/tmp,{target}"), vec!["storage.filesystem.bind"]),
        (format!("type=volume,src=other,{target}"), vec!["storage.filesystem.volume"]),
        (format!("type=volume,src=other,ro,{target}"), vec!["mounts"]),
    ] {
        testbed.docker(&[
            "service",
            "update",
            "--quiet",
            "--detach",
            "--no-resolve-image",
            "--mount-add",
            &mount,
            &registry.name,
        ]);
        let plan = workspace.plan();
        let paths = plan.differing_paths(IT);
        assert!(differing.iter().all(|path| paths.iter().any(|found| found == path)), "{mount}: {paths:?}");
        let of_the_mount = |path: &String| path.starts_with("storage.filesystem.") || path == "mounts";
        assert!(paths.iter().all(of_the_mount), "{mount}: {paths:?}");
        workspace.apply_and_settle();
        assert!(testbed.docker(&["service", "inspect", &registry.name]).contains("addr=nas"));
    }
    // Whoever mounts something there as one of `mounts` has it there.
    let own = "mounts = [{ source = \"own\", target = \"/var/lib/registry\" }]";
    let hcl = registry.with("storage = { filesystem = {} }", own).replace("replicas = 1", "replicas = 0");
    workspace.write(&hcl);
    workspace.apply_and_settle();
}
