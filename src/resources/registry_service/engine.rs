//! The registry as a service: its settings rendered into one, and found again in one.

use super::{
    RegistryService,
    owned::mounted_config,
    settings::{Content, Role, Storage},
};
use crate::{
    docker::{Service, ServiceSpec},
    registry::configuration,
    resources::service::{Known, Reference, Resolved, Scale, Wanted, digest, is_met},
    terraform::Private,
};

impl RegistryService {
    /// The service that the registry is to be, with the secrets that were made for it.
    pub(super) fn wanted(&self, owned: Vec<Resolved>) -> Wanted {
        let mut parts = self.service.clone();
        for (name, value) in self.needed_env(&owned) {
            parts.env.entry(name).or_insert(value);
        }
        if self.settings.are_rendered() {
            parts.args = Some(configuration::arguments().map(str::to_owned).to_vec());
        }
        parts.mounts.extend(self.settings.storage.as_ref().and_then(Storage::mount));
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
        let needed = self.needed_env(&secrets);
        let config = mounted_config(private, &secrets).filter(|_| self.mounts_foreign(&secrets));
        if self.settings.are_rendered() {
            secrets.retain(|secret| !secret.file.target.as_deref().is_some_and(Role::is_target));
        }
        let had_args = self.service.args.is_some();
        self.service.take(service, &secrets, known, all);
        let has_all = needed.iter().all(|(name, _)| self.service.env.contains_key(name));
        self.take_env(&needed);
        if let Some(storage) = &mut self.settings.storage {
            storage.take_mount(&mut self.service.mounts);
        }
        self.take_configuration(spec, config.filter(|_| has_all));
        if self.settings.are_rendered() && !had_args {
            self.service.args = None;
        }
    }

    /// The variables that the registry needs: those of its dialect, and those by which it finds files that are mounted.
    fn needed_env(&self, mounted: &[Resolved]) -> Vec<(String, String)> {
        let mut needed = self.settings.environment();
        if self.settings.are_rendered() {
            let roles = mounted.iter().filter_map(|secret| Role::of_target(secret.file.target.as_deref()?));
            let files = roles.filter_map(Role::environment);
            needed.extend(files.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        needed
    }

    /// Whether the secrets of somebody else that the settings name are mounted where the registry looks for them.
    fn mounts_foreign(&self, mounted: &[Resolved]) -> bool {
        let is_mounted = |role: Role, source: &String| {
            mounted.iter().any(|secret| {
                secret.file.target.as_deref() == Some(role.target())
                    && [&secret.object.id, &secret.object.name].contains(&source)
            })
        };
        self.settings.files(None).iter().all(|file| match &file.content {
            Content::Foreign(source) => is_mounted(file.role, source),
            _ => true,
        })
    }

    /// What the registry needs beside the configuration file is the provider's, and no difference.
    fn take_env(&mut self, needed: &[(String, String)]) {
        for (name, value) in needed {
            if self.service.env.get(name) == Some(value) {
                self.service.env.remove(name);
            }
        }
    }

    /// The configuration's secret is in charge only if the registry is started with it.
    fn take_configuration(&mut self, spec: &ServiceSpec, config: Option<String>) {
        if !self.settings.are_rendered() {
            self.config_secret = String::new().into();
            self.config_preview = String::new().into();
            return;
        }
        let container = spec.task_template.as_ref().and_then(|task| task.container_spec.as_ref());
        let args = container.and_then(|container| container.args.as_deref());
        let is_served = args.is_some_and(|args| args == configuration::arguments());
        self.config_secret = config.filter(|_| is_served).unwrap_or_default().into();
    }
}
