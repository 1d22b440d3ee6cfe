//! The provider: the `provider "swarm"` block, the connection that it makes, and the one list of everything offered.

use crate::{
    docker::{Docker, Endpoint, Settings, TlsMaterial},
    functions::{ImageReference, RegistryAuth},
    resources::{RegistryService, SwarmNodeLabel, SwarmSecret},
    terraform::{
        AnyFunction, AnyResource, AnySource, Called, ClientSlot, Config, Diagnostic, Diagnostics, Managed,
        Model, Provider, Schema, Sensitive,
    },
};
use async_trait::async_trait;
use std::{path::PathBuf, sync::OnceLock};

/// Where `required_providers` finds the provider.
pub const ADDRESS: &str = "localhub/swarm";

/// Every resource type that is offered. A type is known here and nowhere else.
fn resources(docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnyResource>> {
    vec![
        Box::new(Managed::<SwarmNodeLabel>::new(ADDRESS, docker)),
        Box::new(Managed::<SwarmSecret>::new(ADDRESS, docker)),
        Box::new(
            Managed::<RegistryService>::new(ADDRESS, docker)
                .named("registry_service", &["swarm_registry_service"]),
        ),
        Box::new(
            Managed::<RegistryService>::new(ADDRESS, docker)
                .named("swarm_registry_service", &["registry_service"]),
        ),
    ]
}

/// Every data source that is offered.
fn data_sources(_docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnySource>> {
    vec![]
}

/// Every ephemeral resource type that is offered.
fn ephemeral_resources(_docker: &ClientSlot<Docker>) -> Vec<Box<dyn AnySource>> {
    vec![]
}

/// Every function that is offered.
fn functions() -> Vec<Box<dyn AnyFunction>> {
    vec![Box::new(Called::<ImageReference>::default()), Box::new(Called::<RegistryAuth>::default())]
}

/// Docker Swarm, and the private registries that run on it.
///
/// The provider talks to the Docker Engine of a manager of the swarm, from version 20.10 on. It finds it as the
/// `docker` command does: `host` or `context` here, else `DOCKER_HOST`, `DOCKER_CONTEXT`, the current Docker context, and
/// at last the local socket. Nothing is connected before something is read or changed, so `terraform validate` needs no
/// Engine, and the host may be known only after other resources are made.
#[derive(Debug, Model)]
pub struct ProviderBlock {
    /// Address of the Engine of a manager: `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`.
    host: Option<String>,

    /// Name of a Docker context, used with its certificates. Excludes `host`.
    context: Option<String>,

    /// Certificates for an Engine behind TLS. Without it they are those of `DOCKER_CERT_PATH` or of the context.
    tls: Option<Tls>,

    /// More options of the `ssh` command, such as `["-i", "~/.ssh/deploy"]`, for an `ssh://` host.
    ssh_options: Option<Vec<String>>,
}

/// Certificates for an Engine behind TLS.
#[derive(Debug, Model)]
pub struct Tls {
    /// Certificates as PEM text, by one of which the Engine's certificate must be signed. Without it those of the system.
    ca: Option<String>,

    /// The client's certificate as PEM text.
    certificate: Option<String>,

    /// The client's private key as PEM text.
    private_key: Option<Sensitive<String>>,

    /// Whether the Engine's certificate is not verified: anybody between here and there can then be the Engine.
    insecure_skip_verify: Option<bool>,
}

/// The provider as Terraform runs it.
pub struct Swarm {
    schema: OnceLock<Schema>,
    docker: ClientSlot<Docker>,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnySource>>,
    ephemeral_resources: Vec<Box<dyn AnySource>>,
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

    fn functions(&self) -> &[Box<dyn AnyFunction>] {
        &self.functions
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        let mut found = vec![];
        if config.is_set("host") && config.is_set("context") {
            found.push(
                Diagnostic::error("Two connections", "Only one of `host` and `context` can be set.")
                    .at("context"),
            );
        }
        if config.is_set("tls.certificate") != config.is_set("tls.private_key") {
            found.push(
                Diagnostic::error(
                    "Half a certificate",
                    "A client's certificate needs its private key, and the key its certificate: set both or neither.",
                )
                .at("tls"),
            );
        }
        found
    }

    async fn configure(&self, config: &Config, terraform_version: &str) -> Diagnostics {
        tracing::debug!(terraform_version, "configure");
        // What the connection depends on may be made in the same apply: then there is nothing to connect to yet.
        if !crate::terraform::Value::from(config.0.clone()).is_wholly_known() {
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
            hosts: self.host.into_iter().collect(),
            context: self.context,
            ssh_options: self.ssh_options.unwrap_or_default(),
            ..Settings::default()
        };
        if let Some(Tls { ca, certificate, private_key, insecure_skip_verify }) = self.tls {
            settings.skip_tls_verify = insecure_skip_verify.unwrap_or_default();
            settings.tls = TlsMaterial {
                ca,
                cert: certificate,
                key: private_key.map(|key| key.expose().clone().into()),
            };
        }
        settings
    }
}
