//! Every way to an Engine: TLS, SSH, a Docker context, and what is said where the way is barred.

use crate::{
    registry_service::{Registry, free_port},
    terraform::Workspace,
    testbed::{self, Testbed, eventually, succeeded, unique},
};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

fn secret() -> String {
    format!(
        "resource \"swarm_secret\" \"it\" {{\n  name = \"{}\"\n  data_wo = \"x\"\n}}\n",
        unique("connected")
    )
}

/// Applies over a connection and destroys again.
fn works(workspace: &Workspace) {
    workspace.apply_and_settle();
    workspace.destroy();
}

#[test]
fn tls_with_certificates_from_the_environment_the_provider_block_and_a_context() {
    let testbed = Testbed::start(&["--tls"], &["secured"]);
    let (host, certificates) = (format!("tcp://{}:2376", testbed.address("secured")), testbed.file("tls"));
    let mut workspace = Workspace::new(&testbed, &secret());
    workspace.set("DOCKER_HOST", &host);
    let said = workspace.apply_fails();
    assert!(said.contains(&host) && said.contains("Give the CA certificate"), "{said}");

    workspace.set("DOCKER_TLS_VERIFY", "1");
    workspace.set("DOCKER_CERT_PATH", &certificates.display().to_string());
    works(&workspace);

    // The certificates of the provider block go before any others.
    workspace.set("DOCKER_CERT_PATH", "");
    workspace.set("DOCKER_TLS_VERIFY", "");
    let file = |name: &str| certificates.join(name).display().to_string();
    let block = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{\n    ca = file(\"{}\")\n    certificate = file(\"{}\")\n    private_key = file(\"{}\")\n  }}\n}}\n",
        file("ca.pem"),
        file("cert.pem"),
        file("key.pem")
    );
    workspace.write(&format!("{block}{}", secret()));
    works(&workspace);

    let folder = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{ cert_path = \"{}\" }}\n}}\n",
        certificates.display()
    );
    workspace.write(&format!("{folder}{}", secret()));
    works(&workspace);

    // A client without a certificate is told so.
    let no_client = format!(
        "provider \"swarm\" {{\n  host = \"{host}\"\n  tls = {{ ca = file(\"{}\") }}\n}}\n",
        file("ca.pem")
    );
    workspace.write(&format!("{no_client}{}", secret()));
    let said = workspace.apply_fails();
    assert!(said.contains("certificate"), "{said}");

    let config = workspace.path().join("docker-config");
    let output = Command::new("docker")
        .env("DOCKER_CONFIG", &config)
        .args(["context", "create", "secured", "--docker"])
        .arg(format!("host={host},ca={},cert={},key={}", file("ca.pem"), file("cert.pem"), file("key.pem")))
        .output()
        .unwrap();
    succeeded("docker context create", &output);
    workspace.write(&format!("provider \"swarm\" {{\n  context = \"secured\"\n}}\n{}", secret()));
    workspace.set("DOCKER_CONFIG", &config.display().to_string());
    works(&workspace);
}

#[test]
fn ssh_and_an_ssh_that_is_refused() {
    let testbed = Testbed::start(&["--ssh"], &["reached"]);
    let mut workspace = Workspace::new(&testbed, &secret());
    workspace.set("DOCKER_HOST", &format!("ssh://root@{}", testbed.address("reached")));
    // The ssh of this machine knows neither the host's key nor one of its users.
    let said = workspace.apply_fails();
    assert!(said.contains("ssh") && said.contains(&testbed.address("reached")), "{said}");

    let path = format!("{}:{}", testbed.file("ssh/bin").display(), std::env::var("PATH").unwrap());
    workspace.set("PATH", &path);
    works(&workspace);
}

/// A provider block with these hosts, in order.
fn managers(testbed: &Testbed, hosts: &[&str]) -> String {
    let addresses: Vec<_> =
        hosts.iter().map(|host| format!("\"tcp://{}:2375\"", testbed.address(host))).collect();
    format!("provider \"swarm\" {{\n  hosts = [{}]\n}}\n", addresses.join(", "))
}

/// `docker ARGS…` on any host, which must succeed.
fn docker_on(testbed: &Testbed, host: &str, args: &[&str]) -> String {
    let socket = format!("unix://{}", testbed.socket(host).display());
    let output = Command::new("docker").env("DOCKER_HOST", socket).args(args).output().unwrap();
    succeeded(&format!("docker {} on {host}", args.join(" ")), &output)
}

#[test]
fn a_manager_that_is_dead_costs_a_moment_and_one_that_dies_during_an_apply_loses_nothing() {
    let testbed = Testbed::start(&["--managers", "3"], &["one", "two", "three"]);
    let many = format!(
        "{}resource \"swarm_secret\" \"many\" {{\n  count = 40\n  name = \"many-${{count.index}}\"\n  data_wo = \"x\"\n}}\n",
        managers(&testbed, &["one", "two", "three"])
    );
    let workspace =
        Workspace::new(&testbed, &format!("{}{}", managers(&testbed, &["one", "two", "three"]), secret()));
    workspace.apply_and_settle();

    // One that hangs takes connections and never answers.
    testbed.run("pause", &["one"]);
    let started = Instant::now();
    workspace.plan_is_empty();
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    testbed.run("resume", &["one"]);
    workspace.destroy();

    workspace.write(&many);
    let child = workspace.spawn(&["apply", "-auto-approve", "-no-color", "-parallelism=2"]);
    let made = || docker_on(&testbed, "two", &["secret", "ls", "--quiet"]).lines().count();
    eventually("some secrets are made", || (made() > 3).then_some(()));
    testbed.run("kill", &["one"]);
    let output = child.wait_with_output().unwrap();
    succeeded("the apply whose manager died", &output);
    assert_eq!(made(), 40, "nothing is lost, and nothing is there twice");

    // The first is dead from the start now: that costs one short attempt for the whole of a command.
    let started = Instant::now();
    workspace.plan_is_empty();
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    workspace.destroy();
    assert_eq!(made(), 0);
}

#[test]
fn a_host_in_no_swarm_and_a_worker_are_passed_over() {
    let testbed = Testbed::start(&["--no-swarm"], &["bare", "made", "worker"]);
    let hosts = managers(&testbed, &["bare", "worker", "made"]);
    let workspace = Workspace::new(&testbed, &format!("{hosts}{}", secret()));
    let said = workspace.apply_fails();
    for host in ["bare", "made", "worker"] {
        assert!(
            said.contains(&format!("- tcp://{}:2375: it is in no swarm", testbed.address(host))),
            "{said}"
        );
    }
    let address = testbed.address("made");
    docker_on(&testbed, "made", &["swarm", "init", "--advertise-addr", &address]);
    let token = docker_on(&testbed, "made", &["swarm", "join-token", "--quiet", "worker"]);
    docker_on(&testbed, "worker", &["swarm", "join", "--token", token.trim(), &format!("{address}:2377")]);
    works(&workspace);
}

/// A provider block that logs in to a host by ssh, with these settings.
fn by_ssh(address: &str, settings: &str) -> String {
    format!("provider \"swarm\" {{\n  host = \"ssh://root@{address}\"\n  ssh = {{\n{settings}\n  }}\n}}\n")
}

/// An agent of ssh with one key.
struct Agent(Child);

impl Agent {
    fn start(socket: &Path, key: &Path) -> Self {
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(socket).stdout(Stdio::null());
        let agent = Agent(agent.spawn().unwrap());
        eventually("the agent listens", || socket.exists().then_some(()));
        let added = Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", socket).output().unwrap();
        succeeded("ssh-add", &added);
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn ssh_with_a_key_a_passphrase_a_pinned_host_and_a_jump_host() {
    let testbed = Testbed::start(&["--ssh"], &["first", "second"]);
    let address = testbed.address("first");
    let path = |name: &str| testbed.file(name).display().to_string();
    let mut workspace = Workspace::new(&testbed, "");
    let temporary = workspace.path().join("t");
    fs::create_dir(&temporary).unwrap();
    workspace.set("TMPDIR", &temporary.display().to_string());

    let text = format!("private_key = file(\"{}\")", path("ssh/id"));
    let own = fs::read_to_string(testbed.file("ssh/host.pub")).unwrap();
    let pinned = format!("host_key = \"{}\"", own.trim());
    workspace.write(&format!("{}{}", by_ssh(&address, &format!("{text}\n{pinned}")), secret()));
    works(&workspace);
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "something was left behind: {left:?}");

    // Another key than that of the host.
    let other = workspace.path().join("other");
    let keygen =
        |args: &[&str]| succeeded("ssh-keygen", &Command::new("ssh-keygen").args(args).output().unwrap());
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", other.to_str().unwrap()]);
    let wrong = fs::read_to_string(other.with_extension("pub")).unwrap();
    workspace.write(&format!(
        "{}{}",
        by_ssh(&address, &format!("{text}\nhost_key = \"{}\"", wrong.trim())),
        secret()
    ));
    let said = workspace.apply_fails();
    assert!(said.contains("does not trust the host") && said.contains("SHA256:"), "{said}");

    // A key that the host does not know.
    workspace.write(&format!(
        "{}{}",
        by_ssh(&address, &format!("private_key_file = \"{}\"\n{pinned}", other.display())),
        secret()
    ));
    let said = workspace.apply_fails();
    assert!(said.contains("ssh cannot log in") && said.contains("Permission denied"), "{said}");

    // The right one, encrypted.
    let encrypted = workspace.path().join("encrypted");
    fs::copy(testbed.file("ssh/id"), &encrypted).unwrap();
    fs::set_permissions(&encrypted, fs::Permissions::from_mode(0o600)).unwrap();
    keygen(&["-q", "-p", "-P", "", "-N", "open sesame", "-f", encrypted.to_str().unwrap()]);
    let file = format!("private_key_file = \"{}\"", encrypted.display());
    let known = format!("known_hosts_file = \"{}\"", path("ssh/known_hosts"));
    workspace.write(&format!(
        "{}{}",
        by_ssh(&address, &format!("{file}\n{known}\npassphrase = \"open sesame\"")),
        secret()
    ));
    works(&workspace);
    workspace.write(&format!(
        "{}{}",
        by_ssh(&address, &format!("{file}\n{known}\npassphrase = \"wrong\"")),
        secret()
    ));
    let said = workspace.apply_fails();
    assert!(said.contains("ssh cannot") && said.contains("passphrase") && !said.contains("sesame"), "{said}");

    // An agent is asked as ssh does it.
    let socket = temporary.join("agent");
    let agent = Agent::start(&socket, &testbed.file("ssh/id"));
    workspace.write(&format!("{}{}", by_ssh(&address, &known), secret()));
    workspace.set("SSH_AUTH_SOCK", &socket.display().to_string());
    works(&workspace);
    drop(agent);

    // Only the jump host knows the other by its name.
    let jump = format!("{text}\n{known}\njump_host = \"root@{address}\"");
    workspace.write(&format!("{}{}", by_ssh("first", &jump), secret()));
    works(&workspace);
    workspace.write(&format!("{}{}", by_ssh("second", &jump), secret()));
    let said = workspace.apply_fails();
    assert!(said.contains("worker"), "{said}");
    let lost = jump.replace(&path("ssh/known_hosts"), "/dev/null");
    workspace.write(&format!("{}{}", by_ssh("first", &lost), secret()));
    let said = workspace.apply_fails();
    assert!(said.contains("does not trust the host"), "{said}");
}

#[test]
fn settings_that_exclude_each_other_are_told_when_validating() {
    let workspace = Workspace::without_engine(Path::new("terraform"), "");
    for (settings, said) in [
        ("host = \"tcp://a\"\n  hosts = [\"tcp://b\"]", "`host` and `hosts`"),
        ("hosts = [\"tcp://a\", \"b\"]", "has no scheme"),
        ("hosts = []", "At least one address"),
        ("tls = { cert_path = \"x\", ca = \"y\" }", "`tls.cert_path` and `tls.ca`"),
        (
            "ssh = { private_key = \"x\", private_key_file = \"y\" }",
            "`ssh.private_key` and `ssh.private_key_file`",
        ),
        ("ssh = { host_key = \"SHA256:abc\" }", "must be a public key"),
        ("registry_auth = [{ address = \"hub\", username = \"u\" }]", "password"),
    ] {
        workspace.write(&format!("provider \"swarm\" {{\n  {settings}\n}}\n{}", secret()));
        let output = workspace.try_run(&["validate", "-no-color"]);
        let text = String::from_utf8_lossy(&output.stderr).replace(['│', '\n'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!output.status.success() && text.contains(said), "{settings}: {text}");
    }
}

#[test]
fn what_is_not_known_yet_excludes_nothing() {
    let workspace = Workspace::without_engine(Path::new("terraform"), "");
    let settings = "host = var.a\n  hosts = var.b\n  ssh = { private_key = var.a, private_key_file = var.a, host_key = var.a, known_hosts_file = var.a }";
    let variables = "variable \"a\" {}\nvariable \"b\" {\n  type = list(string)\n}\n";
    workspace.write(&format!("{variables}provider \"swarm\" {{\n  {settings}\n}}\n{}", secret()));
    workspace.run(&["validate", "-no-color"]);
}

/// A proxy of HTTP, which tunnels and passes on, and remembers what it was asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || serve(client, &asked));
            }
        });
        proxy
    }

    /// Whoever may use it says so.
    fn url(&self) -> String {
        format!("http://me:secret@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// One connection to the proxy. A connection to an Engine takes its first request's head in the form for servers; those
/// after it are for the same Engine, so they go through in the form for proxies, which a server has to understand as well.
fn serve(client: TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut client = client;
    // `me:secret` in base64.
    if !head.to_lowercase().contains(&"proxy-authorization: basic bWU6c2VjcmV0".to_lowercase()) {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    let line = head.lines().next()?.to_owned();
    let target = line.split(' ').nth(1)?;
    asked.lock().unwrap().push(line.clone());
    let authority = target.strip_prefix("http://").unwrap_or(target).split('/').next()?;
    let mut server = TcpStream::connect(authority).ok()?;
    if line.starts_with("CONNECT") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        server.write_all(head.as_bytes()).ok()?;
    }
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    server.write_all(reader.buffer()).ok()?;
    std::io::copy(reader.get_mut(), &mut server).ok()?;
    server.shutdown(std::net::Shutdown::Write).ok()?;
    back.join().ok()?.ok()?;
    Some(())
}

#[test]
fn dockers_proxy_variables_are_for_tcp_alone_and_no_proxy_stands() {
    let testbed = Testbed::start(&["--tls"], &["proxied"]);
    let plain = Testbed::start(&[], &["plain"]);
    let proxy = Proxy::start();
    let tcp = format!("tcp://{}:2375", plain.address("plain"));
    let mut workspace = Workspace::new(&plain, &secret());
    workspace.set("HTTP_PROXY", &proxy.url());
    workspace.set("https_proxy", &proxy.url());
    works(&workspace);
    assert_eq!(proxy.asked(), [""; 0], "a local socket has no proxy");

    workspace.set("DOCKER_HOST", &tcp);
    works(&workspace);
    let asked = proxy.asked();
    let whole = format!("GET http://{}:2375/", plain.address("plain"));
    assert!(!asked.is_empty() && asked.iter().any(|line| line.starts_with(&whole)), "{asked:?}");

    workspace.set("NO_PROXY", "10.213.0.0/16");
    works(&workspace);
    assert_eq!(proxy.asked(), [""; 0]);

    workspace.set("NO_PROXY", "");
    workspace.set("HTTP_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    let said = workspace.apply_fails();
    assert!(said.contains("proxy") && said.contains("407"), "{said}");

    workspace.set("HTTP_PROXY", "");
    let host = format!("{}:2376", testbed.address("proxied"));
    workspace.set("DOCKER_HOST", &format!("tcp://{host}"));
    workspace.set("DOCKER_TLS_VERIFY", "1");
    workspace.set("DOCKER_CERT_PATH", &testbed.file("tls").display().to_string());
    works(&workspace);
    let asked = proxy.asked();
    let tunnel = format!("CONNECT {host} HTTP/1.1");
    assert!(!asked.is_empty() && asked.iter().all(|line| *line == tunnel), "{asked:?}");
}

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
