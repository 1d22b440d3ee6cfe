//! How a host is logged in to by ssh, and the private folder of a connection with what ssh can only be told by files.
//!
//! Neither a key nor a passphrase is ever on a command line, which all users of a machine can read: the key is a file
//! that is removed as soon as the login is done, and the passphrase comes from the environment of ssh alone, by a
//! program that ssh asks (`SSH_ASKPASS`).

use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where the program that ssh asks finds the passphrase.
const PASSPHRASE: &str = "TERRAFORM_PROVIDER_SWARM_PASSPHRASE";

/// How a host is logged in to; what is left out is as for the `ssh` command.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SshSettings {
    /// The private key, as the text of its file.
    pub private_key: Option<Zeroizing<String>>,
    /// The file with the private key.
    pub private_key_file: Option<PathBuf>,
    /// What the private key is encrypted with.
    pub passphrase: Option<Zeroizing<String>>,
    /// The file with the keys of the hosts, instead of the user's.
    pub known_hosts_file: Option<PathBuf>,
    /// The key of the host, such as `ssh-ed25519 AAAA…`; any other is refused.
    pub host_key: Option<String>,
    /// The host or hosts on the way, as `ssh -J` has them.
    pub jump_host: Option<String>,
    /// More arguments for `ssh`, before all others.
    pub options: Option<Vec<String>>,
}

impl fmt::Debug for SshSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshSettings")
            .field("private_key_file", &self.private_key_file)
            .field("known_hosts_file", &self.known_hosts_file)
            .field("host_key", &self.host_key)
            .field("jump_host", &self.jump_host)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl SshSettings {
    /// These, with what they leave out taken from `others`. A key is one thing, whether text or file, and so is what a
    /// host is known by.
    pub(super) fn over(&self, others: &Self) -> Self {
        let mine = self.clone();
        let key = if mine.private_key.is_some() || mine.private_key_file.is_some() { self } else { others };
        let host = if mine.host_key.is_some() || mine.known_hosts_file.is_some() { self } else { others };
        Self {
            private_key: key.private_key.clone(),
            private_key_file: key.private_key_file.clone(),
            passphrase: mine.passphrase.or_else(|| others.passphrase.clone()),
            known_hosts_file: host.known_hosts_file.clone(),
            host_key: host.host_key.clone(),
            jump_host: mine.jump_host.or_else(|| others.jump_host.clone()),
            options: mine.options.or_else(|| others.options.clone()),
        }
    }
}

/// Whether a text is the public key of a host; the error says what it must look like.
///
/// # Errors
/// It is none.
pub fn check_host_key(text: &str) -> Result<(), String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let known = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| kind.starts_with(start));
    let blob = words.next().and_then(|key| STANDARD.decode(key).ok());
    // The key says its kind once more, after four bytes of its length.
    if known && blob.is_some_and(|blob| blob.get(4..4 + kind.len()) == Some(kind.as_bytes())) {
        return Ok(());
    }
    Err("it must be a public key such as `ssh-ed25519 AAAA…`, as in /etc/ssh/ssh_host_ed25519_key.pub on the host, or as `ssh-keyscan HOST` prints it after the host's name".to_owned())
}

/// The private folder of a connection. It goes with this.
pub(super) struct Files {
    folder: PathBuf,
    key: Option<PathBuf>,
    known_hosts: Option<PathBuf>,
    askpass: Option<(PathBuf, Zeroizing<String>)>,
    config: Option<PathBuf>,
}

impl Files {
    pub(super) fn new(settings: &SshSettings) -> io::Result<Self> {
        let mut files = Self {
            folder: private_folder()?,
            key: settings.private_key_file.clone(),
            known_hosts: None,
            askpass: None,
            config: None,
        };
        if let Some(text) = &settings.private_key {
            // OpenSSH takes no key without a line break at its end.
            let text = Zeroizing::new(text.replace("\r\n", "\n").trim().to_owned() + "\n");
            files.key = Some(files.write("key", 0o600, &text)?);
        }
        if let Some(key) = &settings.host_key {
            files.known_hosts = Some(files.write("known_hosts", 0o600, &format!("* {}\n", key.trim()))?);
        }
        if let Some(passphrase) = &settings.passphrase {
            let program =
                files.write("askpass", 0o700, &format!("#!/bin/sh\nprintf '%s\\n' \"${PASSPHRASE}\"\n"))?;
            files.askpass = Some((program, passphrase.clone()));
        }
        if settings.jump_host.is_some() {
            // ssh hands no options on to the ssh that it starts for a jump host, but the name of its configuration.
            let mut lines = String::from("Host *\n");
            let mut quoted = |name: &str, path: &Path| {
                lines.push_str(&format!("{name} \"{}\"\n", path.display()));
            };
            if let Some(key) = &files.key {
                quoted("IdentityFile", key);
            }
            if let Some(file) = &settings.known_hosts_file {
                quoted("UserKnownHostsFile", file);
            }
            for (name, value) in files.login_options() {
                lines.push_str(&format!("{name} {value}\n"));
            }
            lines.push_str("Match all\nInclude ~/.ssh/config\nInclude /etc/ssh/ssh_config\n");
            files.config = Some(files.write("config", 0o600, &lines)?);
        }
        Ok(files)
    }

    /// The control socket of the connection.
    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// The arguments of a login.
    pub(super) fn arguments(&self, settings: &SshSettings) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend(["-F".into(), config.into()]);
        }
        // With ssh the first that is said stands, but for -F.
        arguments.extend(settings.options.iter().flatten().map(OsString::from));
        if let Some(key) = &self.key {
            arguments.extend(["-i".into(), key.into()]);
        }
        let mut option = |name: &str, value: &str| {
            arguments.extend(["-o".into(), format!("{name}={value}").into()]);
        };
        if let Some(pinned) = &self.known_hosts {
            option("UserKnownHostsFile", &format!("\"{}\"", pinned.display()));
            option("GlobalKnownHostsFile", "/dev/null");
            option("StrictHostKeyChecking", "yes");
            option("UpdateHostKeys", "no");
        } else if let Some(file) = &settings.known_hosts_file {
            option("UserKnownHostsFile", &format!("\"{}\"", file.display()));
        }
        for (name, value) in self.login_options() {
            option(name, value);
        }
        if let Some(jump) = &settings.jump_host {
            arguments.extend(["-J".into(), jump.into()]);
        }
        arguments
    }

    /// Nobody is there to answer a question: what could be asked is refused instead, but for the passphrase.
    fn login_options(&self) -> Vec<(&'static str, &'static str)> {
        let mut options = Vec::new();
        if self.key.is_some() {
            // Else ssh offers the keys of the agent first, and a server lets nobody try many.
            options.push(("IdentitiesOnly", "yes"));
        }
        if self.askpass.is_some() {
            options.extend([
                ("BatchMode", "no"),
                ("StrictHostKeyChecking", "yes"),
                ("NumberOfPasswordPrompts", "1"),
                ("PasswordAuthentication", "no"),
                ("KbdInteractiveAuthentication", "no"),
            ]);
        } else {
            options.push(("BatchMode", "yes"));
        }
        options
    }

    /// The environment of a login.
    pub(super) fn environment(&self) -> Vec<(&'static str, OsString)> {
        let Some((program, passphrase)) = &self.askpass else { return Vec::new() };
        vec![
            ("SSH_ASKPASS", program.into()),
            ("SSH_ASKPASS_REQUIRE", "force".into()),
            // OpenSSH before 8.4 asks a program only where there is a display.
            ("DISPLAY", ":".into()),
            (PASSPHRASE, passphrase.as_str().into()),
        ]
    }

    /// Removes what is of no more use after the login, the key above all: the rest of this process may be killed.
    pub(super) fn logged_in(&self) {
        for name in ["key", "askpass", "config", "known_hosts"] {
            if let Err(error) = fs::remove_file(self.folder.join(name))
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::debug!(%error, name, "removing a file of the ssh connection");
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::debug!(%error, "removing the folder of the ssh connection");
        }
    }
}

/// A folder that only this user can enter, with a path short enough for a Unix socket (about 100 bytes).
fn private_folder() -> io::Result<PathBuf> {
    let unique = std::process::id().to_string() + "-" + &super::pace::random().to_string();
    let base = std::env::temp_dir();
    let base = if base.as_os_str().len() > 40 { PathBuf::from("/tmp") } else { base };
    let folder = base.join(format!("tf-swarm-{unique}"));
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn secret(text: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn keys_and_passphrases_are_in_private_files_and_never_in_arguments() {
        let settings = SshSettings {
            private_key: secret("-----BEGIN\r\nKEY"),
            passphrase: secret("sesame"),
            jump_host: Some("j".into()),
            ..SshSettings::default()
        };
        let files = Files::new(&settings).unwrap();
        let folder = files.folder.clone();
        let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(""), mode("key"), mode("askpass"), mode("config")), (0o700, 0o600, 0o700, 0o600));
        assert_eq!(fs::read_to_string(folder.join("key")).unwrap(), "-----BEGIN\nKEY\n");
        let seen = format!("{:?} {settings:?}", files.arguments(&settings));
        assert!(!seen.contains("KEY") && !seen.contains("sesame"), "{seen}");
        assert!(!fs::read_to_string(folder.join("askpass")).unwrap().contains("sesame"));
        files.logged_in();
        assert!(!folder.join("key").exists() && folder.exists());
        drop(files);
        assert!(!folder.exists());
    }

    #[test]
    fn a_pinned_key_is_the_only_one_that_is_trusted() {
        let settings = SshSettings { host_key: Some("ssh-ed25519 AAAA\n".into()), ..SshSettings::default() };
        let files = Files::new(&settings).unwrap();
        assert_eq!(fs::read_to_string(files.folder.join("known_hosts")).unwrap(), "* ssh-ed25519 AAAA\n");
        let seen = format!("{:?}", files.arguments(&settings));
        assert!(seen.contains("StrictHostKeyChecking=yes") && seen.contains("/dev/null"), "{seen}");
    }

    #[test]
    fn what_is_left_out_is_the_providers() {
        let provider = SshSettings {
            private_key: secret("k"),
            passphrase: secret("p"),
            known_hosts_file: Some("known".into()),
            jump_host: Some("j".into()),
            ..SshSettings::default()
        };
        assert_eq!(SshSettings::default().over(&provider), provider);
        let own = SshSettings {
            private_key_file: Some("id".into()),
            host_key: Some("ssh-rsa A".into()),
            ..SshSettings::default()
        };
        let both = own.over(&provider);
        assert_eq!((both.private_key, both.private_key_file), (None, Some("id".into())));
        assert_eq!((both.known_hosts_file, both.host_key.as_deref()), (None, Some("ssh-rsa A")));
        assert_eq!((both.passphrase, both.jump_host.as_deref()), (secret("p"), Some("j")));
    }

    #[test]
    fn a_host_key_is_checked_for_its_form() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1wqkHrKPhUVkHzTJdD0HyNGYuJb2bVPn3Yj7w9d9aZ";
        assert_eq!(check_host_key(key), Ok(()));
        assert_eq!(check_host_key(&format!("{key} root@host\n")), Ok(()));
        for wrong in
            ["", "SHA256:abc", "host ssh-ed25519 AAAA", "ssh-ed25519", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"]
        {
            assert!(check_host_key(wrong).is_err(), "{wrong}");
        }
    }
}
