//! The guide "From docker service create to HCL", and that on backups, word by word: their commands and configurations are what is run here.

use crate::{
    client::{Access, Image},
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded},
};
use std::{fs, path::Path, process::Command};

const GUIDE: &str = include_str!("../docs/guides/docker-service-create.md");
const BACKUP: &str = include_str!("../docs/guides/backup.md");

/// The blocks of a guide that are written in a language.
fn blocks(guide: &'static str, language: &str) -> Vec<&'static str> {
    let fenced = guide.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// Runs commands of the guide as somebody who is logged in on that host.
fn run_on(testbed: &Testbed, host: &str, commands: &str, folder: &Path) {
    let mut shell = Command::new("sh");
    shell.env("DOCKER_HOST", format!("unix://{}", testbed.socket(host).display())).current_dir(folder);
    succeeded(commands, &shell.args(["-euc", commands]).output().unwrap());
}

/// The way to the registry's task, past the published port, which carries nothing on a kernel without IPVS.
fn access(testbed: &Testbed) -> Access {
    let host = "hubworker01";
    let filter = "label=com.docker.swarm.service.name=registry";
    let format = "{{range $id, $at := .Containers}}{{$id}} {{$at.IPv4Address}}\n{{end}}";
    let address = eventually("the task of the registry", || {
        let container = testbed.docker_on(host, &["ps", "--quiet", "--filter", filter]);
        if container.is_empty() || container.contains('\n') {
            return None;
        }
        let bridge = testbed.docker_on(host, &["network", "inspect", "docker_gwbridge", "--format", format]);
        let own = bridge.lines().find(|line| line.starts_with(&container))?;
        Some(own.split([' ', '/']).nth(1)?.to_owned())
    });
    let network = Some(testbed.network(host));
    Access { registry: format!("{address}:443"), certificates: None, credentials: None, network }
}

#[test]
fn a_registry_of_docker_s_commands_is_adopted_and_keeps_every_image_when_it_moves() {
    let testbed = Testbed::start(&[], &["hubmgr", "hubworker01"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
    fs::create_dir(folder.join("certs")).unwrap();
    fs::write(folder.join("certs/localhub.crt"), made.cert.pem()).unwrap();
    fs::write(folder.join("certs/localhub.key"), made.signing_key.serialize_pem()).unwrap();
    let ([create, copy], [adopted, moved, discard]) = (
        blocks(GUIDE, "shell")[..2].try_into().unwrap(),
        blocks(GUIDE, "terraform")[..3].try_into().unwrap(),
    );
    run_on(&testbed, "hubmgr", create, folder);

    // The second image takes the tag from the first, which nothing but its digest leads to then.
    let hub = access(&testbed);
    let pushed: Vec<(&str, String)> = [("app:1", 12 << 20), ("app:1", 1 << 10), ("team/tool:2", 3 << 20)]
        .into_iter()
        .map(|(name, size)| {
            let image = Image::random(folder.join("image"), &[size, 100]);
            eventually("a push", || image.push(&hub, name).ok());
            (name.split(':').next().unwrap(), image.forget())
        })
        .collect();

    let inspect = |format: &str| testbed.docker(&["service", "inspect", "registry", "--format", format]);
    let before = inspect("{{json .Spec}}");
    let workspace = Workspace::new(&testbed, adopted);
    let plan = workspace.plan();
    assert!(plan.text.contains("4 to import, 0 to add, 0 to change, 0 to destroy"), "{}", plan.text);
    assert!(plan.text.contains("Nothing is mounted on /var/lib/registry"), "{}", plan.text);
    workspace.apply_and_settle();
    assert_eq!(inspect("{{json .Spec}}"), before, "nothing was changed");

    // Whatever would restart the task is refused, and what does not is not.
    let with = |hcl: &str, more: &str| hcl.replace("  replicas = 1\n", &format!("  replicas = 1\n{more}\n"));
    for hcl in [
        moved.to_owned(),
        with(adopted, "  resources = { limits = { memory = \"512MiB\" } }"),
        adopted.replace("replicas = 1", "replicas = 0"),
        adopted.replace("port = 443", "port = 8443"),
    ] {
        workspace.write(&hcl);
        let said = workspace.plan_fails();
        assert!(said.contains("The registry's images would be lost"), "{said}");
        assert!(
            said.contains("From docker service create to HCL") && said.contains("discard_images"),
            "{said}"
        );
    }
    workspace.write(&adopted.replace("replicas = 1", "replicas = 3"));
    let said = workspace.plan_fails();
    assert!(said.contains("share no images") && said.contains("set `storage`"), "{said}");
    workspace.write(&with(adopted, "  labels = { team = \"hub\" }"));
    workspace.apply_and_settle();

    run_on(&testbed, "hubworker01", copy, folder);
    workspace.write(&with(moved, discard));
    let plan = workspace.plan();
    assert!(plan.text.contains("The images in the running task will be gone"), "{}", plan.text);
    workspace.apply_and_settle();
    let hub = access(&testbed);
    for (name, digest) in &pushed {
        let name = format!("{name}@sha256:{digest}");
        assert_eq!(hub.pull(&name, &folder.join("pulled")).as_ref(), Ok(digest), "{name}");
    }
    assert_eq!(
        hub.pull("app:1", &folder.join("pulled")).as_ref(),
        Ok(&pushed[1].1),
        "the tag is where it was"
    );

    // From here on nothing is lost by any change, so that nothing needs the leave for it.
    let task =
        || testbed.docker(&["service", "ps", "--quiet", "--filter", "desired-state=running", "registry"]);
    let running = task();
    workspace.write(moved);
    workspace.apply_and_settle();
    assert_eq!(task(), running, "the task was left alone");
    workspace.write(&with(moved, "  resources = { limits = { memory = \"512MiB\" } }"));
    workspace.apply_and_settle();
    assert_eq!(access(&testbed).pull("app:1", &folder.join("pulled")).as_ref(), Ok(&pushed[1].1));

    // A copy of the volume, made as the guide on backups says, is a whole registry too.
    run_on(&testbed, "hubworker01", blocks(BACKUP, "shell")[0], folder);
    workspace.write(&moved.replace("volume = \"registry\"", "bind = \"/backup\""));
    workspace.apply_and_settle();
    let hub = access(&testbed);
    for (name, digest) in &pushed {
        let name = format!("{name}@sha256:{digest}");
        assert_eq!(hub.pull(&name, &folder.join("pulled")).as_ref(), Ok(digest), "{name} of the backup");
    }
    workspace.destroy();
}
