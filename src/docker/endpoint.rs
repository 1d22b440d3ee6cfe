//! Where the Engine is, and which setting said so.

#[cfg(test)]
mod tests;

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
