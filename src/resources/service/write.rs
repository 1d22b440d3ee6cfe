//! A service as it is wanted, written into the Engine's specification.

use super::{
    Deployment, Dns, Healthcheck, Known, Logging, Mount, Network, Parts, Privileges, Publish, Reference,
    Resolved, Resources, Rollout, Scale, Ulimit, container, container_mut, image, resolve,
    write_capabilities, write_env, write_hosts,
};
use crate::docker::ServiceSpec;
use crate::resources::generation::OWN_LABELS;
use crate::terraform::{Duration, Result};
use std::collections::{BTreeMap, BTreeSet};

/// A service as it is wanted, with all that its resource makes of it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// How many tasks it has.
    pub scale: Scale,
    /// All else.
    pub parts: Parts,
    /// What is done beside writing that.
    pub deployment: Deployment,
    /// Secrets that the resource has made for it, beside those of its parts.
    pub owned: Vec<Resolved>,
}

impl Wanted {
    /// Writes it into a specification: only what means something else than what is there, and of what is left open
    /// only what was set before.
    ///
    /// # Errors
    /// It refers to something that is not there; the diagnostic has the path.
    pub fn write(&self, spec: &mut ServiceSpec, prior: Option<&Self>, known: &Known) -> Result<()> {
        let had = prior.map(|prior| &prior.parts);
        spec.name.get_or_insert_with(|| self.name.clone());
        self.scale.write(spec);
        let found = container(spec).and_then(|own| own.image.as_deref());
        if let Some(image) = image::to_write(&self.image, prior.map(|prior| prior.image.as_str()), found) {
            container_mut(spec).image = Some(image.to_owned());
        }
        self.parts.write_labels(spec, had);
        self.parts.write_process(spec, had);
        self.parts.write_container(spec, had, known)?;
        self.write_references(spec, known)?;
        self.parts.write_scheduling(spec, had, known);
        if !self.scale.is_job() {
            let rollouts = [
                (&self.parts.update, &mut spec.update_config),
                (&self.parts.rollback, &mut spec.rollback_config),
            ];
            for (wanted, config) in rollouts {
                wanted.clone().unwrap_or_else(Rollout::engine_default).write(config);
            }
        }
        let force = &self.deployment.force_update;
        if force.is_some() && prior.is_some_and(|prior| prior.deployment.force_update != *force) {
            // The counter is the Engine's, and others raise it too: lowering it would restart the tasks as well.
            let counter = &mut spec.task_template.get_or_insert_default().force_update;
            *counter = Some(counter.unwrap_or_default().saturating_add(1));
        }
        Ok(())
    }

    fn write_references(&self, spec: &mut ServiceSpec, known: &Known) -> Result<()> {
        let mut secrets = resolve("secrets", &self.parts.secrets, &known.secrets)?;
        secrets.extend(self.owned.iter().cloned());
        Reference::write_secrets(&secrets, spec);
        let configs = resolve("configs", &self.parts.configs, &known.configs)?;
        let credentials = self.parts.credentials_config().map(|source| known.config(source)).transpose();
        let credentials = credentials.map_err(|error| error.at("privileges.credential_spec.config"))?;
        Reference::write_configs(&configs, credentials, spec);
        Ok(())
    }
}

impl Parts {
    /// The config that holds credentials of a managed service account, if one does.
    pub fn credentials_config(&self) -> Option<&str> {
        self.privileges.as_ref()?.config()
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

    /// What runs in the container, and how.
    fn write_process(&self, spec: &mut ServiceSpec, prior: Option<&Self>) {
        write_env(&self.env, spec);
        let container = container_mut(spec);
        macro_rules! write {
            (open $($own:ident: $engine:ident),*) => {$(
                let had = prior.is_some_and(|prior| prior.$own.is_some());
                write_open(&self.$own, had, &mut container.$engine);
            )*};
            (flag $($own:ident: $engine:ident),*) => {$(
                if container.$engine.unwrap_or_default() != self.$own {
                    container.$engine = Some(self.$own);
                }
            )*};
        }
        write!(open command: command, args: args, hostname: hostname, dir: dir, user: user, init: init);
        write!(open stop_signal: stop_signal);
        write!(flag tty: tty, stdin: open_stdin, read_only: read_only, oom_score_adj: oom_score_adj);
        if container.groups.iter().flatten().cloned().collect::<BTreeSet<_>>() != self.groups {
            container.groups = Some(self.groups.iter().cloned().collect());
        }
        if container.isolation.as_deref().unwrap_or("default") != self.isolation {
            container.isolation = Some(self.isolation.clone());
        }
        let grace = container.stop_grace_period.unwrap_or(super::ENGINE_GRACE);
        if Duration::from_nanos(grace) != self.stop_grace_period {
            container.stop_grace_period = Some(self.stop_grace_period.nanos());
        }
        if container.sysctls.clone().unwrap_or_default() != self.sysctls {
            container.sysctls = Some(self.sysctls.clone());
        }
    }

    /// What surrounds it there.
    fn write_container(&self, spec: &mut ServiceSpec, prior: Option<&Self>, known: &Known) -> Result<()> {
        write_hosts(&self.hosts, spec);
        write_capabilities(&self.cap_add, &self.cap_drop, spec);
        Ulimit::write(&self.ulimits, spec);
        Mount::write(&self.mounts, spec);
        if self.dns.is_some() || prior.is_some_and(|prior| prior.dns.is_some()) {
            Dns::write(self.dns.as_ref(), spec);
        }
        if self.healthcheck.is_some() || prior.is_some_and(|prior| prior.healthcheck.is_some()) {
            Healthcheck::write(self.healthcheck.as_ref(), spec);
        }
        if self.privileges.is_some() || prior.is_some_and(|prior| prior.privileges.is_some()) {
            Privileges::write(self.privileges.as_ref(), spec, known)?;
        }
        Ok(())
    }

    /// Where the tasks run, and how they are reached.
    fn write_scheduling(&self, spec: &mut ServiceSpec, prior: Option<&Self>, known: &Known) {
        Publish::write(&self.publish, spec);
        let endpoint_mode = spec.endpoint_spec.as_ref().and_then(|endpoint| endpoint.mode.as_deref());
        if endpoint_mode.unwrap_or("vip") != self.endpoint_mode {
            spec.endpoint_spec.get_or_insert_default().mode = Some(self.endpoint_mode.clone());
        }
        Network::write(&self.networks, spec, &known.networks);
        self.placement.write(prior.map(|prior| &prior.placement), spec);
        self.restart.write(spec);
        if self.resources.is_some() || prior.is_some_and(|prior| prior.resources.is_some()) {
            Resources::write(self.resources.as_ref(), spec);
        }
        if self.logging.is_some() || prior.is_some_and(|prior| prior.logging.is_some()) {
            Logging::write(self.logging.as_ref(), spec);
        }
    }
}

/// Writes what may be left open: where it is, it is only taken back if it was set before.
fn write_open<T: Clone + PartialEq>(wanted: &Option<T>, had: bool, field: &mut Option<T>) {
    if (wanted.is_some() || had) && field != wanted {
        field.clone_from(wanted);
    }
}

/// The labels that are not the provider's own.
pub fn foreign(labels: Option<&BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let labels = labels.into_iter().flatten().filter(|(key, _)| !key.starts_with(OWN_LABELS));
    labels.map(|(key, value)| (key.clone(), value.clone())).collect()
}
