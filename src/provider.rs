//! The provider: the `provider "swarm"` block, the connection that it makes, and the one list of everything offered.

use crate::{
    actions::{CollectGarbage, SwarmClusterRotate, SwarmServiceRedeploy},
    data_sources::{
        SwarmClusterData, SwarmConfigData, SwarmNetworkData, SwarmNodeData, SwarmNodesData,
        SwarmRegistryCatalogData, SwarmRegistryEndpointData, SwarmRegistryManifestData,
        SwarmRegistryTagsData, SwarmSecretData, SwarmServiceData, SwarmVolumeData,
    },
    docker::{self, Docker, Endpoint, Settings, SshSettings, TlsMaterial, check_address, check_host_key},
    ephemeral::{SwarmJoinToken, SwarmUnlockKey},
    functions::{Htpasswd, ImageReference, RegistryAuth},
    resources::{
        RegistryService, SwarmCluster, SwarmConfig, SwarmNetwork, SwarmNode, SwarmNodeLabel,
        SwarmRegistryGarbageCollection, SwarmRegistryImage, SwarmRegistryRetention, SwarmRegistryTrust,
        SwarmSecret, SwarmService, SwarmVolume,
    },
    terraform::{
        AnyAction, AnyFunction, AnyResource, AnySource, Called, ClientSlot, Config, Diagnostic, Diagnostics,
        Invoked, Managed, Model, Path, Provider, Schema, Sensitive, Sourced, Step, Value,
    },
};
use async_trait::async_trait;
use std::{path::PathBuf, sync::OnceLock};

/// Where `required_providers` finds the provider.
pub const ADDRESS: &str = "localhub/swarm";

/// Every resource type that is offered. A type is known here and nowhere else.
fn resources(docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnyResource>> {
    vec![
        Box::new(Managed::<SwarmCluster>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmNode>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmNodeLabel>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmSecret>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmConfig>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmNetwork>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmVolume>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmService>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmRegistryRetention>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmRegistryImage>::new(ADDRESS, docker)),
        Box::new(
            Managed::<RegistryService>::new(ADDRESS, docker)
                .named("registry_service", &["swarm_registry_service"]),
        ),
        Box::new(
            Managed::<RegistryService>::new(ADDRESS, docker)
                .named("swarm_registry_service", &["registry_service"]),
        ),
        Box::new(Managed::<SwarmRegistryGarbageCollection>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmRegistryTrust>::new(ADDRESS, docker)),
    ]
}

/// Every data source that is offered.
fn data_sources(docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnySource>> {
    vec![
        Box::new(Sourced::<SwarmClusterData>::new(docker)),
        Box::new(Sourced::<SwarmNodeData>::new(docker)),
        Box::new(Sourced::<SwarmNodesData>::new(docker)),
        Box::new(Sourced::<SwarmSecretData>::new(docker)),
        Box::new(Sourced::<SwarmConfigData>::new(docker)),
        Box::new(Sourced::<SwarmNetworkData>::new(docker)),
        Box::new(Sourced::<SwarmServiceData>::new(docker)),
        Box::new(Sourced::<SwarmVolumeData>::new(docker)),
        Box::new(Sourced::<SwarmRegistryCatalogData>::new(docker)),
        Box::new(Sourced::<SwarmRegistryTagsData>::new(docker)),
        Box::new(Sourced::<SwarmRegistryEndpointData>::new(docker)),
        Box::new(Sourced::<SwarmRegistryManifestData>::new(docker)),
    ]
}

/// Every ephemeral resource type that is offered.
fn ephemeral_resources(docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnySource>> {
    vec![Box::new(Sourced::<SwarmJoinToken>::new(docker)), Box::new(Sourced::<SwarmUnlockKey>::new(docker))]
}

/// Every action that is offered.
fn actions(docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnyAction>> {
    vec![
        Box::new(Invoked::<SwarmServiceRedeploy>::new(docker)),
        Box::new(Invoked::<SwarmClusterRotate>::new(docker)),
        Box::new(Invoked::<CollectGarbage>::new(docker)),
    ]
}

/// Every function that is offered.
fn functions() -> Vec<Box<dyn AnyFunction>> {
    vec![
        Box::new(Called::<Htpasswd>::default()),
        Box::new(Called::<ImageReference>::default()),
        Box::new(Called::<RegistryAuth>::default()),
    ]
}

/// Docker Swarm, and the private registries that run on it.
///
/// The provider talks to the Docker Engine of a manager of the swarm, from version 20.10 on. It finds it as the
/// `docker` command does: `host`, `hosts` or `context` here, else `DOCKER_HOST`, `DOCKER_CONTEXT`, the current Docker
/// context, and at last the local socket. Nothing is connected before something is read or changed, so `terraform validate`
/// needs no Engine, and the host may be known only after other resources are made.
///
/// An Engine on TCP is reached through the proxy of `HTTP_PROXY` (`HTTPS_PROXY` where it is behind TLS), but for the hosts
/// in `NO_PROXY`.
#[derive(Debug, Model)]
pub struct ProviderBlock {
    /// Address of the Engine of a manager: `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`.
    #[tf(check = check_address)]
    host: Option<String>,

    /// Addresses of the Engines of several managers of one swarm. The first that can manage it is asked, and the next when
    /// that one is gone. Excludes `host` and `context`.
    #[tf(check = addresses)]
    hosts: Option<Vec<String>>,

    /// Name of a Docker context, used with its certificates. Excludes `host` and `hosts`.
    context: Option<String>,

    /// Certificates for an Engine behind TLS. Without it they are those of `DOCKER_CERT_PATH` or of the context.
    tls: Option<Tls>,

    /// How to log in to an `ssh://` host. Without it, it is done as the `ssh` command does, with its configuration and its
    /// agent.
    ssh: Option<Ssh>,

    /// Credentials for registries, with which the nodes pull images. Without them they are those of Docker's
    /// configuration on this machine, its credential helpers included.
    registry_auth: Option<Vec<Registry>>,
}

/// Certificates for an Engine behind TLS.
#[derive(Debug, Model)]
pub struct Tls {
    /// Certificates as PEM text, by one of which the Engine's certificate must be signed. Without it those of the system.
    ca: Option<String>,

    /// Folder with `ca.pem`, `cert.pem` and `key.pem`, instead of their text. Excludes `ca`, `certificate` and
    /// `private_key`.
    cert_path: Option<String>,

    /// The client's certificate as PEM text.
    certificate: Option<String>,

    /// The client's private key as PEM text.
    private_key: Option<Sensitive<String>>,

    /// Whether the Engine's certificate is not verified: anybody between here and there can then be the Engine.
    insecure_skip_verify: Option<bool>,
}

/// How to log in to an `ssh://` host.
#[derive(Debug, Model)]
pub struct Ssh {
    /// Private key as PEM text. It is in no state, and in a file only while logging in. Excludes `private_key_file`.
    private_key: Option<Sensitive<String>>,

    /// File with the private key.
    private_key_file: Option<String>,

    /// What the private key is encrypted with.
    passphrase: Option<Sensitive<String>>,

    /// File with the keys of known hosts, instead of the user's own. Excludes `host_key`.
    known_hosts_file: Option<String>,

    /// Public key of the host, such as `ssh-ed25519 AAAA…`: no other is trusted.
    #[tf(check = check_host_key)]
    host_key: Option<String>,

    /// Host or hosts on the way, as `ssh -J` has them: `[user@]host[:port]`, several separated by commas. Their keys are
    /// looked up in known_hosts.
    jump_host: Option<String>,

    /// More options of the `ssh` command, such as `["-o", "ServerAliveInterval=5"]`.
    options: Option<Vec<String>>,
}

/// Credentials for one registry: a user and a password, or an identity token.
#[derive(Debug, Model)]
pub struct Registry {
    /// Host of the registry, with its port if it has one: `hub.docker.local`, `localhost:5000`; `docker.io` is Docker Hub.
    address: String,

    /// Name of the user.
    username: Option<String>,

    /// Password of the user.
    password: Option<Sensitive<String>>,

    /// Identity token, as some registries give one instead of a password.
    identity_token: Option<Sensitive<String>>,
}

fn addresses(hosts: &[String]) -> Result<(), String> {
    if hosts.is_empty() {
        return Err("at least one address is wanted".to_owned());
    }
    hosts.iter().try_for_each(|host| check_address(host))
}

/// What cannot be set together.
const EXCLUSIVE: &[(&str, &str, &str)] = &[
    ("host", "hosts", "Two connections"),
    ("host", "context", "Two connections"),
    ("hosts", "context", "Two connections"),
    ("tls.cert_path", "tls.ca", "Two sources of certificates"),
    ("tls.cert_path", "tls.certificate", "Two sources of certificates"),
    ("tls.cert_path", "tls.private_key", "Two sources of certificates"),
    ("ssh.private_key", "ssh.private_key_file", "Two private keys"),
    ("ssh.known_hosts_file", "ssh.host_key", "Two ways to know a host"),
];

/// The provider as Terraform runs it.
pub struct Swarm {
    schema: OnceLock<Schema>,
    docker: ClientSlot<Docker>,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnySource>>,
    ephemeral_resources: Vec<Box<dyn AnySource>>,
    actions: Vec<Box<dyn AnyAction>>,
    functions: Vec<Box<dyn AnyFunction>>,
}

impl Default for Swarm {
    fn default() -> Self {
        let docker = ClientSlot::default();
        Swarm {
            schema: OnceLock::new(),
            resources: resources(&docker),
            data_sources: data_sources(&docker),
            ephemeral_resources: ephemeral_resources(&docker),
            actions: actions(&docker),
            functions: functions(),
            docker,
        }
    }
}

#[async_trait]
impl Provider for Swarm {
    fn address(&self) -> &'static str {
        ADDRESS
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema {
            version: 0,
            docs: ProviderBlock::DOCS,
            attributes: ProviderBlock::attributes(),
        })
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Box<dyn AnySource>] {
        &self.data_sources
    }

    fn ephemeral_resources(&self) -> &[Box<dyn AnySource>] {
        &self.ephemeral_resources
    }

    fn actions(&self) -> &[Box<dyn AnyAction>] {
        &self.actions
    }

    fn functions(&self) -> &[Box<dyn AnyFunction>] {
        &self.functions
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        let mut found = self.schema().validate(&config.0);
        for (one, other, summary) in EXCLUSIVE {
            // What is not known yet may turn out to be null.
            if [one, other].iter().all(|path| config.is_set(path) && config.is_known(path)) {
                let detail = format!("Only one of `{one}` and `{other}` can be set.");
                found.push(Diagnostic::error(*summary, detail).at(*other));
            }
        }
        let both_known = config.is_known("tls.certificate") && config.is_known("tls.private_key");
        if both_known && config.is_set("tls.certificate") != config.is_set("tls.private_key") {
            found.push(
                Diagnostic::error(
                    "Half a certificate",
                    "A client's certificate needs its private key, and the key its certificate: set both or neither.",
                )
                .at("tls"),
            );
        }
        let Value::List(registries) = config.get("registry_auth") else { return found };
        for (index, registry) in registries.iter().enumerate() {
            let [username, password, token] =
                ["username", "password", "identity_token"].map(|name| !registry.get(name).is_null());
            if registry.is_wholly_known() && !token && !(username && password) {
                found.push(
                    Diagnostic::error(
                        "Half a login",
                        "A registry is logged in to with `username` and `password`, or with `identity_token`.",
                    )
                    .at(Path::of("registry_auth").then(Step::Index(index))),
                );
            }
        }
        found
    }

    async fn configure(&self, config: &Config, terraform_version: &str) -> Diagnostics {
        tracing::debug!(terraform_version, "configure");
        // What the connection depends on may be made in the same apply: then there is nothing to connect to yet.
        if !Value::from(config.0.clone()).is_wholly_known() {
            self.docker.set(None);
            return vec![];
        }
        let settings = match ProviderBlock::decode(config.0.clone()) {
            Ok(block) => block.settings(),
            Err(error) => return vec![error],
        };
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let env = |name: &str| std::env::var(name).ok();
        match Endpoint::resolve(&settings, &env, home.as_deref()).and_then(|endpoint| Docker::new(&endpoint))
        {
            Ok(docker) => {
                self.docker.set(Some(docker));
                vec![]
            }
            Err(error) => vec![Diagnostic::error("No Docker Engine can be chosen", format!("{error}."))],
        }
    }

    fn stop(&self) {
        if let Some(docker) = self.docker.get() {
            docker.stop();
        }
    }
}

impl ProviderBlock {
    fn settings(self) -> Settings {
        let mut settings = Settings {
            hosts: self.hosts.unwrap_or_default(),
            context: self.context,
            ssh: self.ssh.map(Ssh::settings).unwrap_or_default(),
            registry_auth: self.registry_auth.into_iter().flatten().map(Registry::credentials).collect(),
            ..Settings::default()
        };
        settings.hosts.extend(self.host);
        if let Some(Tls { ca, cert_path, certificate, private_key, insecure_skip_verify }) = self.tls {
            settings.skip_tls_verify = insecure_skip_verify.unwrap_or_default();
            settings.cert_path = cert_path.map(Into::into);
            settings.tls = TlsMaterial {
                ca,
                cert: certificate,
                key: private_key.map(|key| key.expose().clone().into()),
            };
        }
        settings
    }
}

impl Ssh {
    fn settings(self) -> SshSettings {
        let secret = |text: Option<Sensitive<String>>| text.map(|text| text.expose().clone().into());
        SshSettings {
            private_key: secret(self.private_key),
            private_key_file: self.private_key_file.map(Into::into),
            passphrase: secret(self.passphrase),
            known_hosts_file: self.known_hosts_file.map(Into::into),
            host_key: self.host_key,
            jump_host: self.jump_host,
            options: self.options,
        }
    }
}

impl Registry {
    fn credentials(self) -> docker::RegistryAuth {
        let secret = |text: Option<Sensitive<String>>| text.map(|text| text.expose().clone());
        docker::RegistryAuth {
            username: self.username.unwrap_or_default(),
            password: secret(self.password).unwrap_or_default(),
            server: self.address,
            identity_token: secret(self.identity_token),
        }
    }
}
