//! Engines behind ssh: keys, agents, pinned hosts, jump hosts.

use crate::{
    connections::{secret, works},
    terraform::Workspace,
    testbed::{Testbed, eventually, succeeded},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

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
