//! The registry as a service: its settings rendered into one, and found again in one.

use super::{
    RegistryService,
    owned::{Role, mounted_config},
    settings::Filesystem,
};
use crate::{
    docker::{Service, ServiceSpec},
    registry::{Dialect, configuration},
    resources::service::{Known, Mount, Reference, Resolved, Scale, Wanted, digest, is_met},
    terraform::Private,
};

impl RegistryService {
    /// Whether the provider renders the configuration file.
    pub(super) fn is_rendered(&self) -> bool {
        self.storage.is_some()
    }

    /// The service that the registry is to be, with the secrets that were made for it.
    pub(super) fn wanted(&self, owned: Vec<Resolved>) -> Wanted {
        let mut parts = self.service.clone();
        for (name, value) in self.dialect_environment() {
            parts.env.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
        }
        if self.is_rendered() {
            parts.args = Some(configuration::arguments().map(str::to_owned).to_vec());
        }
        let filesystem = self.storage.as_ref().and_then(|storage| storage.filesystem.as_ref());
        parts.mounts.extend(filesystem.and_then(storage_mount));
        Wanted {
            name: self.name.clone(),
            image: self.image.clone(),
            scale: Scale::of(&self.mode, self.replicas, None),
            parts,
            deployment: self.deployment.clone(),
            owned,
        }
    }

    /// Reads a service into the attributes. What the resource leaves to others it does not look at, unless it is
    /// `all` to be read, as for an import.
    pub(super) fn take(&mut self, service: &Service, known: &Known, private: &Private, all: bool) {
        let spec = &service.spec;
        self.id = service.id.clone().into();
        self.name = service.name().to_owned();
        let image = spec.image().unwrap_or_default();
        self.image_digest = digest(image).into();
        if all || !is_met(&self.image, image) {
            self.image = image.to_owned();
        }
        let scale = Scale::read(service);
        self.mode = scale.mode().to_owned();
        if let Scale::Replicated(replicas) = scale
            && (self.replicas.is_some() || all)
        {
            self.replicas = replicas;
        }
        let mut secrets = Reference::secrets(spec);
        let config = mounted_config(private, &secrets);
        if self.is_rendered() {
            secrets.retain(|secret| !secret.file.target.as_deref().is_some_and(Role::is_target));
        }
        let had_args = self.service.args.is_some();
        self.service.take(service, &secrets, known, all);
        self.take_env();
        self.take_mounts();
        self.take_configuration(spec, config);
        if self.is_rendered() && !had_args {
            self.service.args = None;
        }
    }

    /// What the dialect needs beside the configuration file is the provider's, and no difference.
    fn take_env(&mut self) {
        for (name, value) in self.dialect_environment() {
            if self.service.env.get(*name).is_some_and(|found| found == value) {
                self.service.env.remove(*name);
            }
        }
    }

    /// The mount at the storage's folder is the storage's; all others are the user's.
    fn take_mounts(&mut self) {
        let mounts = &mut self.service.mounts;
        if let Some(filesystem) = self.storage.as_mut().and_then(|storage| storage.filesystem.as_mut()) {
            let at = mounts.iter().position(|mount| mount.target == filesystem.root_directory);
            let mount = at.map(|at| mounts.remove(at));
            let source = |kind: &str| {
                mount.as_ref().filter(|mount| mount.r#type == kind).and_then(|mount| mount.source.clone())
            };
            filesystem.volume = source("volume");
            filesystem.bind = source("bind");
        }
    }

    /// The configuration's secret is in charge only if the registry is started with it.
    fn take_configuration(&mut self, spec: &ServiceSpec, config: Option<String>) {
        if !self.is_rendered() {
            self.config_secret = String::new().into();
            self.config_preview = String::new().into();
            return;
        }
        let container = spec.task_template.as_ref().and_then(|task| task.container_spec.as_ref());
        let args = container.and_then(|container| container.args.as_deref());
        let is_served = args.is_some_and(|args| args == configuration::arguments());
        self.config_secret = config.filter(|_| is_served).unwrap_or_default().into();
    }

    fn dialect_environment(&self) -> &'static [(&'static str, &'static str)] {
        let dialect = self.distribution.as_ref().and_then(|dialect| dialect.parse::<Dialect>().ok());
        dialect.filter(|_| self.is_rendered()).map_or(&[], Dialect::environment)
    }
}

/// The mount under the images; none where nothing is mounted, which a check has warned about.
fn storage_mount(filesystem: &Filesystem) -> Option<Mount> {
    let (kind, source) = match (&filesystem.volume, &filesystem.bind) {
        (Some(volume), _) => ("volume", volume),
        (None, Some(folder)) => ("bind", folder),
        (None, None) => return None,
    };
    Some(Mount::plain(kind, Some(source.clone()), filesystem.root_directory.clone()))
}
