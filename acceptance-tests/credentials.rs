//! Private registries: the credentials go with every service that is made or changed.

use crate::{
    registry_service::{Registry, free_port},
    terraform::Workspace,
    testbed::{self, Testbed, eventually, succeeded},
};
use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Output},
};

/// A registry of this machine that wants a login, and what `docker` needs to push to it.
struct PrivateRegistry {
    process: Child,
    folder: tempfile::TempDir,
    address: String,
}

impl PrivateRegistry {
    fn start(testbed: &Testbed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = testbed.address("hubmgr");
        let machine = format!("{}.1", host.rsplit_once('.').unwrap().0);
        let address = format!("{machine}:{}", free_port());
        let users = BTreeMap::from([("puller".to_owned(), "let me in".into())]);
        let file = swarm::registry::htpasswd::make(&users, b"key", 4).unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("htpasswd"), file.expose()).unwrap();
        fs::write(
            at("config.yml"),
            format!(
                "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: '{address}' }}\nauth: {{ htpasswd: {{ realm: it, path: {} }} }}\n",
                at("images").display(),
                at("htpasswd").display()
            ),
        )
        .unwrap();
        let log = fs::File::create(at("log")).unwrap();
        let process = Command::new(testbed::registry())
            .arg("serve")
            .arg(at("config.yml"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let registry = PrivateRegistry { process, folder, address };
        eventually("the registry listens", || TcpStream::connect(&registry.address).ok());
        registry
    }

    /// `docker ARGS…` on the manager, with a configuration of its own.
    fn docker(&self, testbed: &Testbed, args: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command
            .env("DOCKER_HOST", testbed.docker_host())
            .env("DOCKER_CONFIG", self.folder.path().join("docker"));
        command.args(args).output().unwrap()
    }

    /// An image of this name, which only those can pull who log in.
    fn push(&self, testbed: &Testbed, name: &str) -> String {
        let image = format!("{}/{name}", self.address);
        for args in [
            vec!["login", "--username", "puller", "--password", "let me in", &self.address],
            vec!["tag", "registry:2", &image],
            vec!["push", &image],
            vec!["rmi", &image],
        ] {
            succeeded(&format!("docker {args:?}"), &self.docker(testbed, &args));
        }
        image
    }
}

impl Drop for PrivateRegistry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_worker_pulls_a_private_image_with_the_credentials_that_are_sent() {
    let testbed = Testbed::shared();
    let private = PrivateRegistry::start(testbed);
    let (first, second) =
        (private.push(testbed, "team/registry:2"), private.push(testbed, "team/registry:2.8.2"));
    let registry = Registry::new("private");
    let service =
        |image: &str| registry.hcl(&format!("image = \"{image}\"\ntimeouts = {{ create = \"25s\" }}"));
    let mut workspace = Workspace::new(testbed, &service(&first));
    let empty = workspace.path().join("docker");
    fs::create_dir(&empty).unwrap();
    workspace.set("DOCKER_CONFIG", &empty.display().to_string());
    let said = workspace.apply_fails();
    assert!(said.contains("No such image") || said.contains("no basic auth"), "{said}");
    workspace.destroy();

    let block = format!(
        "provider \"swarm\" {{\n  registry_auth = [{{ address = \"{}\", username = \"puller\", password = \"let me in\" }}]\n}}\n",
        private.address
    );
    workspace.write(&format!("{block}{}", service(&first)));
    workspace.apply_and_settle();

    // A helper of Docker's, for the update.
    let helper = empty.join("docker-credential-acceptance");
    fs::write(&helper, "#!/bin/sh\necho '{\"Username\": \"puller\", \"Secret\": \"let me in\"}'\n").unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!("{{\"credHelpers\": {{\"{}\": \"acceptance\"}}}}", private.address);
    fs::write(empty.join("config.json"), config).unwrap();
    workspace.set("PATH", &format!("{}:{}", empty.display(), std::env::var("PATH").unwrap()));
    workspace.write(&service(&second));
    workspace.apply_and_settle();
    let state = fs::read_to_string(workspace.path().join("terraform.tfstate")).unwrap();
    assert!(!state.contains("let me in"));
}
