//! A service that there is, read into attributes.

use super::{
    Dns, ENGINE_GRACE, Healthcheck, Known, Logging, Mount, Network, Parts, Placement, Privileges, Publish,
    Reference, Resolved, Resources, Restart, Rollout, Scale, Ulimit, container, foreign, read_capabilities,
    read_env, read_hosts,
};
use crate::docker::{ContainerSpec, Service, ServiceSpec};
use crate::terraform::Duration;

impl Parts {
    /// Reads a service. What the resource leaves to others it does not look at, unless it is `all` to be read, as for an
    /// import. `secrets` are those of the specification that are not the resource's own.
    pub fn take(&mut self, service: &Service, secrets: &[Resolved], known: &Known, all: bool) {
        let spec = &service.spec;
        let labels = foreign(spec.labels.as_ref());
        if self.labels.is_some() || (all && !labels.is_empty()) {
            self.labels = Some(labels);
        }
        self.take_process(container(spec).cloned().unwrap_or_default(), all);
        self.env = read_env(spec);
        self.take_container(spec, all);
        self.take_scheduling(spec, known, all);
        self.secrets = Reference::read(secrets, &self.secrets);
        self.configs = Reference::read(&Reference::configs(spec), &self.configs);
        if Scale::read(service).is_job() {
            (self.update, self.rollback) = (None, None);
        } else {
            self.update = Some(Rollout::read(spec.update_config.as_ref()));
            self.rollback = Some(Rollout::read(spec.rollback_config.as_ref()));
        }
    }

    fn take_process(&mut self, container: ContainerSpec, all: bool) {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let words = |words: Option<Vec<String>>| words.filter(|words| !words.is_empty());
        self.container_labels = foreign(container.labels.as_ref());
        take_open(&mut self.command, words(container.command), all);
        take_open(&mut self.args, words(container.args), all);
        take_open(&mut self.hostname, text(container.hostname), all);
        take_open(&mut self.dir, text(container.dir), all);
        take_open(&mut self.user, text(container.user), all);
        take_open(&mut self.stop_signal, text(container.stop_signal), all);
        // The `docker` command says no where nothing was said to it.
        take_open(&mut self.init, container.init.filter(|init| *init || !all), all);
        self.groups = container.groups.unwrap_or_default().into_iter().collect();
        self.tty = container.tty.unwrap_or_default();
        self.stdin = container.open_stdin.unwrap_or_default();
        self.read_only = container.read_only.unwrap_or_default();
        self.oom_score_adj = container.oom_score_adj.unwrap_or_default();
        self.isolation = text(container.isolation).unwrap_or_else(|| "default".to_owned());
        self.stop_grace_period = Duration::from_nanos(container.stop_grace_period.unwrap_or(ENGINE_GRACE));
        self.sysctls = container.sysctls.unwrap_or_default();
    }

    fn take_container(&mut self, spec: &ServiceSpec, all: bool) {
        self.hosts = read_hosts(spec);
        (self.cap_add, self.cap_drop) = read_capabilities(spec);
        self.ulimits = Ulimit::read(spec);
        self.mounts = Mount::read(spec);
        take_open(&mut self.dns, Dns::read(spec), all);
        take_open(&mut self.healthcheck, Healthcheck::read(spec), all);
        let privileges = Privileges::read(spec, self.privileges.as_ref());
        take_open(&mut self.privileges, privileges, all);
    }

    fn take_scheduling(&mut self, spec: &ServiceSpec, known: &Known, all: bool) {
        self.publish = Publish::read(spec);
        let endpoint_mode = spec.endpoint_spec.as_ref().and_then(|endpoint| endpoint.mode.clone());
        self.endpoint_mode = endpoint_mode.unwrap_or_else(|| "vip".to_owned());
        self.networks = Network::read(spec, &known.networks, &self.networks);
        self.placement = Placement::read(spec, self.placement.platforms.is_some());
        self.restart = Restart::read(spec);
        take_open(&mut self.resources, Resources::read(spec), all);
        take_open(&mut self.logging, Logging::read(spec), all);
    }
}

/// Reads what may be left open: where it is, it is not looked at.
fn take_open<T>(own: &mut Option<T>, found: Option<T>, all: bool) {
    if own.is_some() || all {
        *own = found;
    }
}
