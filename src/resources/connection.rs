//! The Engine that a resource acts on, where it is not the provider's: a host that is to become a node.

use crate::docker::{Docker, Settings, SshSettings, check_address, check_host_key};
use crate::terraform::{Config, Diagnostic, Diagnostics, Model, Result};

/// The Engine of one host. What it leaves out is as in the provider block.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Connection {
    /// Address of the Engine: `ssh://user@host`, `tcp://host:2376` or `unix:///var/run/docker.sock`.
    #[tf(check = check_address)]
    pub host: String,

    /// Folder with the certificates for an Engine behind TLS, `ca.pem`, `cert.pem` and `key.pem`, as `DOCKER_CERT_PATH`
    /// names one. Without it they are those of the provider block.
    pub cert_path: Option<String>,

    /// How to log in to an `ssh://` host.
    pub ssh: Option<SshConnection>,
}

/// How to log in to an `ssh://` host. No key is among it, since it is kept in the state.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct SshConnection {
    /// File with the private key. Without it, it is the key of the provider block, or what ssh finds by itself, an agent
    /// among it.
    pub private_key_file: Option<String>,

    /// File with the keys of known hosts, instead of the user's own. Excludes `host_key`.
    pub known_hosts_file: Option<String>,

    /// Public key of the host, such as `ssh-ed25519 AAAA…`: no other is trusted.
    #[tf(check = check_host_key)]
    pub host_key: Option<String>,

    /// Host or hosts on the way, as `ssh -J` has them: `[user@]host[:port]`, several separated by commas. Their keys are
    /// looked up in known_hosts.
    pub jump_host: Option<String>,

    /// More options of the `ssh` command, such as `["-o", "ServerAliveInterval=5"]`.
    pub options: Option<Vec<String>>,
}

impl Connection {
    /// The Engine at an address, all else as in the provider block.
    pub fn to(host: &str) -> Self {
        Connection { host: host.to_owned(), cert_path: None, ssh: None }
    }

    /// What is wrong with an `engine` beyond single values, of which parts may be unknown.
    pub fn validate(config: &Config) -> Diagnostics {
        if !config.is_set("engine.ssh.host_key") || !config.is_set("engine.ssh.known_hosts_file") {
            return vec![];
        }
        // What is not known yet may turn out to be null.
        if !config.is_known("engine.ssh.host_key") || !config.is_known("engine.ssh.known_hosts_file") {
            return vec![];
        }
        vec![
            Diagnostic::error(
                "Two ways to know a host",
                "Only one of `host_key` and `known_hosts_file` can be set: a key that is given is the only one trusted.",
            )
            .at("engine.ssh.host_key"),
        ]
    }

    /// The Engine of the one host on which something is: that of an `engine`, else the provider's, if it is one.
    ///
    /// # Errors
    /// The settings mean nothing, or there is no `engine` and the provider has several managers.
    pub fn of_one_host(connection: Option<&Self>, provider: &Docker) -> Result<Docker> {
        match connection {
            Some(connection) => connection.open(provider),
            None if provider.is_one_of_several() => Err(Diagnostic::error(
                "It is not said on which host",
                "The provider has several managers, any of which may be asked, and this is on one of them only. Set \
                 `engine` to that host.",
            )
            .at("engine")),
            None => Ok(provider.clone()),
        }
    }

    /// The Engine there; all resources that name the same settings share its connections.
    ///
    /// # Errors
    /// The settings mean nothing.
    pub fn open(&self, provider: &Docker) -> Result<Docker> {
        let ssh = self.ssh.clone().map(|ssh| SshSettings {
            private_key_file: ssh.private_key_file.map(Into::into),
            known_hosts_file: ssh.known_hosts_file.map(Into::into),
            host_key: ssh.host_key,
            jump_host: ssh.jump_host,
            options: ssh.options,
            ..SshSettings::default()
        });
        let settings = Settings {
            hosts: vec![self.host.clone()],
            cert_path: self.cert_path.as_ref().map(Into::into),
            ssh: ssh.unwrap_or_default(),
            ..Settings::default()
        };
        provider.elsewhere(&settings).map_err(|error| {
            Diagnostic::error(format!("Cannot connect to {}", self.host), format!("{error}.")).at("engine")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::Endpoint;
    use crate::terraform::{Object, Value};

    fn provider() -> Docker {
        let ssh = SshSettings { jump_host: Some("bastion".into()), ..SshSettings::default() };
        let hosts = vec!["tcp://manager:2375".to_owned()];
        let settings = Settings { hosts, ssh, ..Settings::default() };
        Docker::new(&Endpoint::resolve(&settings, &|_| None, None).unwrap()).unwrap()
    }

    #[test]
    fn the_same_settings_are_one_engine() {
        let provider = provider();
        let host = Connection::to("ssh://root@worker").open(&provider).unwrap();
        assert!(host.is(&Connection::to("ssh://root@worker").open(&provider).unwrap()));
        assert!(!host.is(&Connection::to("ssh://root@other").open(&provider).unwrap()));
        let ssh = SshConnection {
            private_key_file: Some("id".into()),
            known_hosts_file: None,
            host_key: None,
            jump_host: None,
            options: None,
        };
        let other = Connection { ssh: Some(ssh), ..Connection::to("ssh://root@worker") };
        assert!(!host.is(&other.open(&provider).unwrap()));
        assert_eq!(host.host(), "ssh://root@worker");
    }

    #[test]
    fn what_is_on_one_host_is_not_asked_of_several_managers() {
        let hosts = vec!["tcp://a:2375".to_owned(), "tcp://b:2375".to_owned()];
        let settings = Settings { hosts, ..Settings::default() };
        let several = Docker::new(&Endpoint::resolve(&settings, &|_| None, None).unwrap()).unwrap();
        let error = Connection::of_one_host(None, &several).unwrap_err();
        assert!(error.detail.contains("Set `engine`"), "{error:?}");
        let there = Connection::of_one_host(Some(&Connection::to("tcp://a:2375")), &several).unwrap();
        assert_eq!(there.host(), "tcp://a:2375");
        assert!(Connection::of_one_host(None, &provider()).is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_told_at_its_attribute() {
        let provider = provider();
        let missing =
            Connection { cert_path: Some("/nonexistent".into()), ..Connection::to("tcp://worker:2376") };
        let error = missing.open(&provider).unwrap_err();
        assert!(error.detail.contains("cert_path") && error.detail.contains("/nonexistent"), "{error:?}");
        let checked = |host_key: Value, known_hosts_file: Value| {
            let map = |pairs: Vec<(&str, Value)>| {
                Value::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            };
            let ssh = map(vec![("host_key", host_key), ("known_hosts_file", known_hosts_file)]);
            let Value::Map(config) = map(vec![("engine", map(vec![("ssh", ssh)]))]) else {
                return vec![];
            };
            Connection::validate(&Config(Object(config)))
        };
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(checked(text("k"), text("f")).len(), 1);
        assert_eq!(checked(text("k"), Value::Null), []);
        assert_eq!(checked(text("k"), Value::UNKNOWN), []);
    }
}
