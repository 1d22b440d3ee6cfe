//! The service in the Engine's terms: written from the attributes, and read back into them.

use super::{
    RegistryService,
    owned::{Role, mounted_config},
    settings::Filesystem,
};
use crate::{
    docker::{self, Docker, Mode, Replicated, Service, ServiceSpec},
    registry::{Dialect, configuration, image::Reference as Image},
    resources::{
        failure::Doing,
        generation::OWN_LABELS,
        service::{
            Healthcheck, Logging, Mount, Network, Object, Placement, Publish, Reference, Resolved, Resources, Restart,
            Rollout, container, container_mut, read_env, write_env,
        },
    },
    terraform::{Diagnostic, Duration, Private, Result},
};
use std::{collections::BTreeMap, sync::Arc};

/// What a specification refers to.
pub(super) struct Known {
    pub secrets: Vec<Object>,
    pub configs: Vec<Object>,
    pub networks: Arc<[docker::Network]>,
}

impl Known {
    /// Lists what the resource, or the specification that is read, refers to; what it does not is not listed.
    pub async fn of(service: &RegistryService, found: Option<&ServiceSpec>, docker: &Docker) -> Result<Self> {
        let attached = found.and_then(|spec| spec.task_template.as_ref()?.networks.as_ref());
        let mut known = Known { secrets: vec![], configs: vec![], networks: Arc::from([]) };
        if !service.secrets.is_empty() && found.is_none() {
            let secrets = docker.secrets().await.doing(|| "list the secrets".to_owned())?;
            known.secrets =
                secrets.iter().map(|own| Object { id: own.id.clone(), name: own.name.clone() }).collect();
        }
        if !service.configs.is_empty() && found.is_none() {
            let configs = docker.configs().await.doing(|| "list the configs".to_owned())?;
            known.configs =
                configs.iter().map(|own| Object { id: own.id.clone(), name: own.name.clone() }).collect();
        }
        if !service.networks.is_empty() || attached.is_some_and(|networks| !networks.is_empty()) {
            known.networks = docker.networks().await.doing(|| "list the networks".to_owned())?;
        }
        Ok(known)
    }
}

impl RegistryService {
    /// Whether the provider renders the configuration file.
    pub(super) fn is_rendered(&self) -> bool {
        self.storage.is_some()
    }

    /// Writes the attributes into a specification: only what means something else than what is there, and of what
    /// the resource leaves open only what it had set before.
    pub(super) fn write(
        &self,
        spec: &mut ServiceSpec,
        prior: Option<&Self>,
        owned: &[Resolved],
        known: &Known,
    ) -> Result<()> {
        spec.name.get_or_insert_with(|| self.name.clone());
        self.write_labels(spec, prior);
        self.write_mode(spec);
        self.write_container(spec, prior);
        self.write_references(spec, owned, known)?;
        Publish::write(&self.publish, spec);
        let endpoint_mode = spec.endpoint_spec.as_ref().and_then(|endpoint| endpoint.mode.as_deref()).unwrap_or("vip");
        if endpoint_mode != self.endpoint_mode {
            spec.endpoint_spec.get_or_insert_default().mode = Some(self.endpoint_mode.clone());
        }
        Network::write(&self.networks, spec, &known.networks);
        self.placement.write(spec);
        self.restart.write(spec);
        self.update.write(&mut spec.update_config);
        self.rollback.write(&mut spec.rollback_config);
        if self.resources.is_some() || prior.is_some_and(|prior| prior.resources.is_some()) {
            Resources::write(self.resources.as_ref(), spec);
        }
        if self.logging.is_some() || prior.is_some_and(|prior| prior.logging.is_some()) {
            Logging::write(self.logging.as_ref(), spec);
        }
        if self.healthcheck.is_some() || prior.is_some_and(|prior| prior.healthcheck.is_some()) {
            Healthcheck::write(self.healthcheck.as_ref(), spec);
        }
        Ok(())
    }

    fn write_labels(&self, spec: &mut ServiceSpec, prior: Option<&Self>) {
        let had = prior.and_then(|prior| prior.labels.clone()).unwrap_or_default();
        if self.labels.is_some() || !had.is_empty() {
            let labels = spec.labels.get_or_insert_default();
            labels.retain(|key, _| !had.contains_key(key));
            labels.extend(self.labels.clone().unwrap_or_default());
        }
        if foreign(container(spec).and_then(|container| container.labels.as_ref())) != self.container_labels {
            let labels = container_mut(spec).labels.get_or_insert_default();
            labels.retain(|key, _| key.starts_with(OWN_LABELS));
            labels.extend(self.container_labels.clone());
        }
    }

    fn write_mode(&self, spec: &mut ServiceSpec) {
        let mode = spec.mode.get_or_insert_default();
        if self.mode == "global" {
            mode.global.get_or_insert_default();
            return;
        }
        let replicated = mode.replicated.get_or_insert_default();
        match self.replicas {
            Some(replicas) => replicated.replicas = u64::try_from(replicas).ok(),
            // Whoever scales it has the number from here on.
            None => replicated.replicas = replicated.replicas.or(Some(1)),
        }
    }

    fn write_container(&self, spec: &mut ServiceSpec, prior: Option<&Self>) {
        if container(spec).and_then(|container| container.image.as_deref()).is_none_or(|image| !self.asks_for(image)) {
            container_mut(spec).image = Some(self.image.clone());
        }
        write_env(&self.environment(), spec);
        let args = self.arguments();
        let had = container(spec).and_then(|container| container.args.clone()).unwrap_or_default();
        if args.as_ref().is_some_and(|args| *args != had) {
            container_mut(spec).args = args;
        } else if args.is_none() && prior.is_some_and(|prior| prior.arguments().is_some()) {
            container_mut(spec).args = None;
        }
        if self.user.is_some() || prior.is_some_and(|prior| prior.user.is_some()) {
            container_mut(spec).user.clone_from(&self.user);
        }
        let grace = container(spec).and_then(|container| container.stop_grace_period);
        if Duration::from_nanos(grace.unwrap_or(ENGINE_GRACE)) != self.stop_grace_period {
            container_mut(spec).stop_grace_period = Some(self.stop_grace_period.nanos());
        }
        let mut mounts = self.mounts.clone();
        mounts.extend(self.storage.as_ref().and_then(|storage| storage.filesystem.as_ref()).and_then(storage_mount));
        Mount::write(&mounts, spec);
    }

    fn write_references(&self, spec: &mut ServiceSpec, owned: &[Resolved], known: &Known) -> Result<()> {
        let mut secrets = resolve("secrets", &self.secrets, &known.secrets)?;
        secrets.extend(owned.iter().cloned());
        Reference::write_secrets(&secrets, spec);
        Reference::write_configs(&resolve("configs", &self.configs, &known.configs)?, spec);
        Ok(())
    }

    /// Reads a service into the attributes. What the resource leaves to others it does not look at, unless it is
    /// `all` to be read, as for an import.
    pub(super) fn take(&mut self, service: &Service, known: &Known, private: &Private, all: bool) {
        let spec = &service.spec;
        let container = container(spec).cloned().unwrap_or_default();
        self.id = service.id.clone().into();
        self.name = service.name().to_owned();
        let image = container.image.clone().unwrap_or_default();
        self.image_digest = image.parse::<Image>().ok().and_then(|image| image.digest().map(str::to_owned)).into();
        if !self.asks_for(&image) || self.image.is_empty() {
            self.image = image;
        }
        self.take_mode(spec.mode.as_ref(), all);
        let labels = foreign(spec.labels.as_ref());
        if self.labels.is_some() || (all && !labels.is_empty()) {
            self.labels = Some(labels);
        }
        self.container_labels = foreign(container.labels.as_ref());
        self.take_env(spec);
        if (self.user.is_some() || all) && container.user != self.user {
            self.user = container.user.filter(|user| !user.is_empty());
        }
        self.publish = Publish::read(spec);
        self.endpoint_mode =
            spec.endpoint_spec.as_ref().and_then(|endpoint| endpoint.mode.clone()).unwrap_or_else(|| "vip".to_owned());
        self.networks = Network::read(spec, &known.networks, &self.networks);
        self.placement = Placement::read(spec);
        self.restart = Restart::read(spec);
        self.update = Rollout::read(spec.update_config.as_ref());
        self.rollback = Rollout::read(spec.rollback_config.as_ref());
        if self.resources.is_some() || all {
            self.resources = Resources::read(spec);
        }
        if self.logging.is_some() || all {
            self.logging = Logging::read(spec);
        }
        if self.healthcheck.is_some() || all {
            self.healthcheck = Healthcheck::read(spec);
        }
        self.stop_grace_period = Duration::from_nanos(container.stop_grace_period.unwrap_or(ENGINE_GRACE));
        self.take_mounts(spec);
        self.take_references(spec, private, container.args, all);
    }

    fn take_mode(&mut self, mode: Option<&Mode>, all: bool) {
        let Some(mode) = mode else { return };
        if mode.global.is_some() {
            self.mode = "global".to_owned();
        } else if let Some(Replicated { replicas, .. }) = &mode.replicated {
            self.mode = "replicated".to_owned();
            if self.replicas.is_some() || all {
                self.replicas = i64::try_from(replicas.unwrap_or(1)).ok();
            }
        }
    }

    /// What the dialect needs beside the configuration file is the provider's, and no difference.
    fn take_env(&mut self, spec: &ServiceSpec) {
        let mut env = read_env(spec);
        for (name, value) in self.dialect_environment() {
            if !self.env.contains_key(*name) && env.get(*name).is_some_and(|found| found == value) {
                env.remove(*name);
            }
        }
        self.env = env;
    }

    /// The mount at the storage's folder is the storage's; all others are the user's.
    fn take_mounts(&mut self, spec: &ServiceSpec) {
        let mut mounts = Mount::read(spec);
        if let Some(filesystem) = self.storage.as_mut().and_then(|storage| storage.filesystem.as_mut()) {
            let at = mounts.iter().position(|mount| mount.target == filesystem.root_directory);
            let mount = at.map(|at| mounts.remove(at));
            let source = |kind: &str| mount.as_ref().filter(|mount| mount.r#type == kind).and_then(|mount| mount.source.clone());
            filesystem.volume = source("volume");
            filesystem.bind = source("bind");
        }
        self.mounts = mounts;
    }

    fn take_references(&mut self, spec: &ServiceSpec, private: &Private, args: Option<Vec<String>>, all: bool) {
        let mut secrets = Reference::secrets(spec);
        if self.is_rendered() {
            let is_served = args.as_deref().is_some_and(|args| args == configuration::arguments());
            let config = mounted_config(private, &secrets).filter(|_| is_served);
            self.config_secret = config.unwrap_or_default().into();
            secrets.retain(|secret| !secret.file.target.as_deref().is_some_and(Role::is_target));
        } else {
            self.config_secret = String::new().into();
            self.config_preview = String::new().into();
            if self.args.is_some() || all {
                self.args = args.filter(|args| !args.is_empty());
            }
        }
        self.secrets = Reference::read(&secrets, &self.secrets);
        self.configs = Reference::read(&Reference::configs(spec), &self.configs);
    }

    /// Whether an image that is there is what is asked for: a digest that Docker added is no difference.
    fn asks_for(&self, image: &str) -> bool {
        match (self.image.parse::<Image>(), image.parse::<Image>()) {
            (Ok(wanted), Ok(found)) => wanted.is_met_by(&found),
            _ => self.image == image,
        }
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let own = self.dialect_environment().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        own.chain(self.env.clone()).collect()
    }

    fn dialect_environment(&self) -> &'static [(&'static str, &'static str)] {
        let dialect = self.distribution.as_ref().and_then(|dialect| dialect.parse::<Dialect>().ok());
        dialect.filter(|_| self.is_rendered()).map_or(&[], Dialect::environment)
    }

    fn arguments(&self) -> Option<Vec<String>> {
        if self.is_rendered() {
            return Some(configuration::arguments().map(str::to_owned).to_vec());
        }
        self.args.clone()
    }
}

/// The grace of a service that says nothing (Engine API, `StopGracePeriod`).
const ENGINE_GRACE: i64 = 10_000_000_000;

/// The mount under the images; none where nothing is mounted, which a check has warned about.
fn storage_mount(filesystem: &Filesystem) -> Option<Mount> {
    let (kind, source) = match (&filesystem.volume, &filesystem.bind) {
        (Some(volume), _) => ("volume", volume),
        (None, Some(folder)) => ("bind", folder),
        (None, None) => return None,
    };
    Some(Mount {
        r#type: kind.to_owned(),
        source: Some(source.clone()),
        target: filesystem.root_directory.clone(),
        read_only: false,
        volume: None,
        bind_propagation: None,
        tmpfs_size: None,
    })
}

fn foreign(labels: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let labels = labels.into_iter().flatten().filter(|(key, _)| !key.starts_with(OWN_LABELS));
    labels.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn resolve(path: &str, references: &[Reference], known: &[Object]) -> Result<Vec<Resolved>> {
    let resolve = |(index, reference): (usize, &Reference)| {
        reference.resolve(known).ok_or_else(|| {
            Diagnostic::error(
                format!("There is no such object: `{}`", reference.source),
                "Neither an ID nor a name of one in the swarm is that.",
            )
            .at(format!("{path}[{index}].source").as_str())
        })
    };
    references.iter().enumerate().map(resolve).collect()
}
