//! Where the Engine is, and which setting said so.

use super::call::RegistryAuth;
use super::credentials::Sources;
use super::proxy::Proxies;
use super::ssh_files::SshSettings;
use super::{context, tls::TlsMaterial};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The default socket of the Docker Engine.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What a user says about the connection; empty where nothing is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Addresses of managers of one swarm, the next of which is tried when one is gone.
    pub hosts: Vec<String>,
    /// Name of a Docker context.
    pub context: Option<String>,
    /// A folder with `ca.pem`, `cert.pem` and `key.pem`, instead of the one of the environment or a context.
    pub cert_path: Option<PathBuf>,
    /// Certificates and key for TLS, as PEM text; they go before those from the environment or a context.
    pub tls: TlsMaterial,
    /// Whether the Engine's certificate is not to be verified.
    pub skip_tls_verify: bool,
    /// How a host is logged in to.
    pub ssh: SshSettings,
    /// Credentials for registries, which go before those of Docker's configuration.
    pub registry_auth: Vec<RegistryAuth>,
}

/// One address of an Engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp { host: String, port: u16, tls: bool },
    Ssh(SshAddress),
}

/// `ssh://[user@]host[:port][/path/of/socket]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SshAddress {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    pub socket: Option<String>,
}

/// Where the Engine is, how to talk to it, and which setting said so. Making one does no network I/O.
#[derive(Clone)]
pub struct Endpoint {
    pub(super) addresses: Vec<Address>,
    pub(super) names: Vec<String>,
    pub(super) origin: String,
    pub(super) tls: TlsMaterial,
    pub(super) skip_tls_verify: bool,
    pub(super) ssh: SshSettings,
    pub(super) proxies: Proxies,
    pub(super) credentials: Sources,
    /// Where the certificates lie for another host with TLS, if no other ones are given.
    certificates: Option<PathBuf>,
    /// Whether the environment or the settings want TLS for `tcp://`.
    wants_tls: bool,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("hosts", &self.names).field("origin", &self.origin).finish()
    }
}

/// A setting of the connection that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct EndpointError {
    /// Which setting it is, such as `DOCKER_HOST` or ``context `prod` ``.
    pub origin: String,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

impl EndpointError {
    pub(super) fn new(origin: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { origin: origin.into(), problem: problem.into() }
    }
}

impl Endpoint {
    /// Finds the Engine as the `docker` command does, but for explicit settings, which go first:
    /// `hosts`, `context`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of the Docker
    /// configuration, and then the default socket.
    ///
    /// `env` looks up an environment variable and `home` is the home directory. `DOCKER_CONFIG`,
    /// `DOCKER_CERT_PATH` and `DOCKER_TLS_VERIFY` are understood as the `docker` command does.
    ///
    /// # Errors
    /// When a setting has no meaning, a context is not there, or a certificate cannot be read.
    pub fn resolve(
        settings: &Settings,
        env: &dyn Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<Self, EndpointError> {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let config = env("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(home?.join(".docker")));
        let mut found = if !settings.hosts.is_empty() {
            let origin =
                if settings.hosts.len() == 1 { "the provider's `host`" } else { "the provider's `hosts`" };
            let found = Self::at(&settings.hosts, origin, wants_tls(&env, settings))?;
            found.with_environment(&env, config.as_deref())?
        } else if let Some(name) = &settings.context {
            context::load(config.as_deref(), name, "the provider's `context`")?
        } else if let Some(host) = env("DOCKER_HOST") {
            let found = Self::at(&[host], "DOCKER_HOST", wants_tls(&env, settings))?;
            found.with_environment(&env, config.as_deref())?
        } else if let Some(name) = env("DOCKER_CONTEXT") {
            context::load(config.as_deref(), &name, "DOCKER_CONTEXT")?
        } else if let Some(name) = context::current(config.as_deref())? {
            context::load(config.as_deref(), &name, "the current Docker context")?
        } else {
            Self::at(&[format!("unix://{DEFAULT_SOCKET}")], "the default socket", false)?
        };
        found.proxies = Proxies::from_environment(&env);
        found.credentials = Sources::new(settings.registry_auth.clone(), config.clone(), env("PATH"));
        found.certificates = env("DOCKER_CERT_PATH").map(PathBuf::from).or(config);
        found.wants_tls = wants_tls(&env, settings);
        found.override_with(settings)?;
        Ok(found)
    }

    /// Another Engine, such as that of a host that is to join the swarm. What `settings` leave out is as it is here.
    pub(super) fn elsewhere(&self, settings: &Settings) -> Result<Self, EndpointError> {
        let wants_tls = self.wants_tls || !self.tls.is_empty() || settings.cert_path.is_some();
        let mut found = Self::at(&settings.hosts, "`connection.host`", wants_tls)?;
        (found.proxies, found.credentials) = (self.proxies.clone(), self.credentials.clone());
        found.tls = self.tls.clone();
        found.skip_tls_verify = self.skip_tls_verify;
        let folder = self.certificates.as_deref().filter(|_| found.uses_tls() && found.tls.is_empty());
        if let Some(folder) = folder {
            found.tls = TlsMaterial::read(folder)
                .map_err(|problem| EndpointError::new("DOCKER_CERT_PATH", problem))?;
        }
        found.override_with(settings)?;
        found.ssh = settings.ssh.over(&self.ssh);
        Ok(found)
    }

    /// Makes an endpoint of addresses such as `unix:///run/docker.sock`, `tcp://host:2376` and `ssh://user@host`.
    pub(super) fn at(hosts: &[String], origin: &str, tls: bool) -> Result<Self, EndpointError> {
        let addresses = hosts
            .iter()
            .map(|host| Address::parse(host, tls).map_err(|problem| EndpointError::new(origin, problem)));
        Ok(Self {
            addresses: addresses.collect::<Result<_, _>>()?,
            names: hosts.to_vec(),
            origin: origin.to_owned(),
            tls: TlsMaterial::default(),
            skip_tls_verify: false,
            ssh: SshSettings::default(),
            proxies: Proxies::default(),
            credentials: Sources::default(),
            certificates: None,
            wants_tls: tls,
        })
    }

    /// `DOCKER_TLS_VERIFY`, set to anything, asks for verified TLS; `DOCKER_CERT_PATH` says where the files are.
    fn with_environment(
        mut self,
        env: &dyn Fn(&str) -> Option<String>,
        config: Option<&Path>,
    ) -> Result<Self, EndpointError> {
        let folder = env("DOCKER_CERT_PATH").map(PathBuf::from);
        if self.uses_tls()
            && let Some(folder) = folder.as_deref().or(config)
        {
            self.tls = TlsMaterial::read(folder)
                .map_err(|problem| EndpointError::new("DOCKER_CERT_PATH", problem))?;
        }
        Ok(self)
    }

    fn uses_tls(&self) -> bool {
        self.addresses.iter().any(|address| matches!(address, Address::Tcp { tls: true, .. }))
    }

    /// Lays what the user says over what was found.
    fn override_with(&mut self, settings: &Settings) -> Result<(), EndpointError> {
        if let Some(folder) = &settings.cert_path {
            let unusable = |problem: String| EndpointError::new("`cert_path`", problem);
            self.tls = TlsMaterial::read(folder).map_err(unusable)?;
            if self.tls.is_empty() {
                let problem =
                    format!("there is none of ca.pem, cert.pem and key.pem in {}", folder.display());
                return Err(unusable(problem));
            }
        }
        let TlsMaterial { ca, cert, key } = settings.tls.clone();
        if ca.is_some() {
            self.tls.ca = ca;
        }
        if cert.is_some() || key.is_some() {
            (self.tls.cert, self.tls.key) = (cert, key);
        }
        self.skip_tls_verify |= settings.skip_tls_verify;
        self.ssh.clone_from(&settings.ssh);
        if !self.tls.is_empty() || self.skip_tls_verify {
            for address in &mut self.addresses {
                if let Address::Tcp { tls, .. } = address {
                    *tls = true;
                }
            }
        }
        Ok(())
    }

    /// The addresses as they were given, joined.
    pub fn host(&self) -> String {
        self.names.join(", ")
    }

    /// Which setting named the Engine, such as `DOCKER_HOST`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

fn wants_tls(env: &dyn Fn(&str) -> Option<String>, settings: &Settings) -> bool {
    env("DOCKER_TLS_VERIFY").is_some()
        || env("DOCKER_CERT_PATH").is_some()
        || !settings.tls.is_empty()
        || settings.skip_tls_verify
        || settings.cert_path.is_some()
}

/// Whether a text is an address of an Engine; the error says what it must look like.
///
/// # Errors
/// It is none.
pub fn check_address(text: &str) -> Result<(), String> {
    Address::parse(text, false).map(drop)
}

impl Address {
    /// `tls` says whether `tcp://` is to be TLS; `https://` always is, and port 2376 is by convention.
    pub(super) fn parse(text: &str, tls: bool) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            format!("`{text}` has no scheme. Write unix:///path, tcp://host:port or ssh://user@host")
        })?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(rest.into())),
            "unix" => Err(format!("`{text}` needs an absolute path, such as unix://{DEFAULT_SOCKET}")),
            "tcp" | "http" | "https" => {
                let rest = rest.trim_end_matches('/');
                if rest.contains(['/', '@']) {
                    return Err(format!("`{text}` must be a host and a port only"));
                }
                let (host, port) =
                    host_and_port(rest).ok_or_else(|| format!("`{text}` is no host and port"))?;
                let tls = scheme == "https" || (scheme == "tcp" && (tls || port == Some(2376)));
                Ok(Self::Tcp { host, port: port.unwrap_or(if tls { 2376 } else { 2375 }), tls })
            }
            "ssh" => SshAddress::parse(rest).map(Self::Ssh).ok_or_else(|| {
                format!("`{text}` is not of the form ssh://[user@]host[:port][/path/of/socket]")
            }),
            _ => Err(format!("the scheme of `{text}` is not supported. Use unix, tcp or ssh")),
        }
    }
}

impl SshAddress {
    fn parse(rest: &str) -> Option<Self> {
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let (host, port) = host_and_port(host)?;
        // A user with a colon holds a password, which ssh does not take from a command line.
        if user.is_some_and(|user| user.is_empty() || user.contains(':') || user.starts_with('-')) {
            return None;
        }
        let socket = path.trim_end_matches('/');
        Some(Self {
            user: user.map(str::to_owned),
            host,
            port,
            socket: (!socket.is_empty()).then(|| socket.to_owned()),
        })
    }
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`.
pub(super) fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return None,
        }
    } else {
        match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => return None,
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let named = !host.is_empty() && !host.starts_with('-') && !host.contains(char::is_whitespace);
    let port = port.map(str::parse::<u16>).transpose().ok()?;
    (named && port != Some(0)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, tls: bool) -> Address {
        Address::Tcp { host: host.into(), port, tls }
    }

    #[test]
    fn addresses_are_understood_as_the_docker_command_does() {
        let parse = |text: &str| Address::parse(text, false).unwrap();
        assert_eq!(parse("unix:///run/d.sock"), Address::Unix("/run/d.sock".into()));
        assert_eq!(parse("tcp://10.0.0.1"), tcp("10.0.0.1", 2375, false));
        assert_eq!(parse("tcp://h:2376"), tcp("h", 2376, true));
        assert_eq!(parse("tcp://[::1]:99/"), tcp("::1", 99, false));
        assert_eq!(Address::parse("tcp://h", true).unwrap(), tcp("h", 2376, true));
        assert_eq!(
            parse("ssh://u@h:22/run/d.sock"),
            Address::Ssh(SshAddress {
                user: Some("u".into()),
                host: "h".into(),
                port: Some(22),
                socket: Some("/run/d.sock".into())
            })
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_form() {
        for text in [
            "host:2375",
            "unix://run",
            "tcp://",
            "tcp://h:0",
            "tcp://h:99999",
            "tcp://::1",
            "npipe:////./pipe",
            "ssh://",
            "ssh://u:p@h",
            "ssh://-oProxyCommand=x",
            "ssh://-x@h",
        ] {
            assert!(Address::parse(text, false).is_err(), "{text}");
        }
    }

    fn resolve(settings: &Settings, env: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
        let env: Vec<(String, String)> =
            env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let lookup =
            move |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        Endpoint::resolve(settings, &lookup, None)
    }

    #[test]
    fn the_more_explicit_setting_wins_and_is_remembered() {
        let explicit = Settings { hosts: vec!["tcp://a:1".into()], ..Settings::default() };
        let env = [("DOCKER_HOST", "tcp://b:2"), ("DOCKER_CONTEXT", "c")];
        let found = resolve(&explicit, &env).unwrap();
        assert_eq!((found.host().as_str(), found.origin()), ("tcp://a:1", "the provider's `host`"));
        let found = resolve(&Settings::default(), &env).unwrap();
        assert_eq!((found.host().as_str(), found.origin()), ("tcp://b:2", "DOCKER_HOST"));
        let found = resolve(&Settings::default(), &[("DOCKER_HOST", "")]).unwrap();
        assert_eq!(found.origin(), "the default socket");
        let error = resolve(&Settings::default(), &[("DOCKER_HOST", "b:2")]).unwrap_err();
        assert!(error.to_string().starts_with("DOCKER_HOST: `b:2` has no scheme"), "{error}");
    }

    #[test]
    fn tls_files_come_from_the_folder_that_the_environment_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "CA").unwrap();
        let path = folder.path().to_str().unwrap();
        let env = [("DOCKER_HOST", "tcp://b:9"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path)];
        let found = resolve(&Settings::default(), &env).unwrap();
        assert_eq!(found.tls.ca.as_deref(), Some("CA"));
        assert_eq!(found.addresses, [tcp("b", 9, true)]);
        let tls = TlsMaterial { ca: Some("MINE".into()), ..TlsMaterial::default() };
        let found = resolve(&Settings { tls, ..Settings::default() }, &env).unwrap();
        assert_eq!(found.tls.ca.as_deref(), Some("MINE"));
    }

    #[test]
    fn another_host_has_what_the_provider_has_but_for_its_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "CA").unwrap();
        let ssh = SshSettings { jump_host: Some("j".into()), ..SshSettings::default() };
        let env = [
            ("DOCKER_HOST", "ssh://u@m"),
            ("DOCKER_CERT_PATH", folder.path().to_str().unwrap()),
            ("HTTPS_PROXY", "p"),
        ];
        let provider = resolve(&Settings { ssh, ..Settings::default() }, &env).unwrap();
        let at = |host: &str| Settings { hosts: vec![host.into()], ..Settings::default() };
        let other = provider.elsewhere(&at("tcp://w:9")).unwrap();
        assert_eq!((other.addresses, other.tls.ca.as_deref()), (vec![tcp("w", 9, true)], Some("CA")));
        assert!(other.proxies.to("w", 9, true).unwrap().is_some());
        let other = provider.elsewhere(&at("ssh://w")).unwrap();
        assert_eq!(other.ssh.jump_host.as_deref(), Some("j"));
        let own = tempfile::tempdir().unwrap();
        std::fs::write(own.path().join("ca.pem"), "OWN").unwrap();
        let cert_path = Some(own.path().into());
        let other = provider.elsewhere(&Settings { cert_path, ..at("tcp://w:9") }).unwrap();
        assert_eq!(other.tls.ca.as_deref(), Some("OWN"));
    }
}
