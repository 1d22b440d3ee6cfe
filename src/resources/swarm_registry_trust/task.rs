//! The global service whose tasks keep the CA on the nodes: written, and read again.

use super::SwarmRegistryTrust;
use crate::docker::Service;
use crate::registry::certificate::authority;
use crate::resources::service::{
    Deployment, Healthcheck, Known, Mount, Parts, Placement, Rollout, Scale, Wanted, is_met, read_env,
};
use crate::terraform::{Duration, Number};
use std::collections::{BTreeMap, BTreeSet};

/// The label by which such a service is known; its value is the host.
pub(super) const LABEL: &str = "io.localhub.swarm.registry-trust";

/// The longest CA: what the kernel takes as one variable of an environment, with room to spare.
pub(super) const CA_LIMIT: usize = 100_000;

/// What a task does: put the file there, keep it, take it away.
pub(super) const KEEP: &str = include_str!("keep.sh");

/// Whether the file is there, for the Engine's health check: a task counts as running only when it is.
const IS_THERE: &str = r#"[ "$(cat "$FILE")" = "$CA" ]"#;

/// Where the tasks see the node's folder.
const HOST: &str = "/host";

/// Where an Engine looks for the CAs of registries.
const CERTIFICATES: &str = "/host/etc/docker/certs.d/";

/// Engines on Windows look elsewhere.
const LINUX: &str = "node.platform.os==linux";

/// Whether a service is one of these.
pub(super) fn is_trust(service: &Service) -> bool {
    service.spec.labels.as_ref().is_some_and(|labels| labels.contains_key(LABEL))
}

impl SwarmRegistryTrust {
    /// The service that keeps the CA on the nodes.
    pub(super) fn wanted(&self) -> Wanted {
        let parts = Parts {
            labels: Some(BTreeMap::from([(LABEL.to_owned(), self.host.clone())])),
            command: Some(vec!["/bin/sh".to_owned()]),
            args: Some(vec!["-c".to_owned(), KEEP.to_owned()]),
            env: self.env(),
            read_only: true,
            cap_drop: BTreeSet::from(["ALL".to_owned()]),
            mounts: vec![Mount::plain("bind", Some(self.mount.clone()), format!("{HOST}{}", self.mount))],
            healthcheck: Some(Healthcheck {
                command: Some(vec!["CMD-SHELL".to_owned(), IS_THERE.to_owned()]),
                interval: Some(Duration::from_secs(5)),
                timeout: Some(Duration::from_secs(10)),
                retries: Some(3),
                start_period: None,
                start_interval: None,
            }),
            placement: Placement {
                constraints: self.placement.constraints.iter().cloned().chain([LINUX.to_owned()]).collect(),
                ..Placement::default()
            },
            // The next task has put its file there before the last one goes; and nodes do not wait for one another.
            update: Some(Rollout {
                order: "start-first".to_owned(),
                parallelism: 0,
                monitor: Duration::from_secs(1),
                max_failure_ratio: Number::from(0_i64),
                ..Rollout::engine_default()
            }),
            ..Parts::none()
        };
        Wanted {
            name: self.name.clone(),
            image: self.image.clone(),
            scale: Scale::Global,
            parts,
            deployment: Deployment::default(),
            owned: vec![],
        }
    }

    /// What the tasks are told. The Engine fills in templates there, of which a certificate has none.
    fn env(&self) -> BTreeMap<String, String> {
        let file = format!("{CERTIFICATES}{}/{}", self.host, self.file);
        let env = [
            ("CA", authority::bundle(&self.ca).unwrap_or_default()),
            ("FILE", file),
            ("OVERWRITE", if self.overwrite { "yes" } else { "no" }.to_owned()),
            ("SERVICE", self.name.clone()),
            ("TASK", "{{.Task.ID}}".to_owned()),
        ];
        env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Reads a service into the attributes. What is found beside them, and would be written, is what `intact` says.
    pub(super) fn take(&mut self, service: &Service, known: &Known) {
        let spec = &service.spec;
        self.id = service.id.clone().into();
        self.name = service.name().to_owned();
        let image = spec.image().unwrap_or_default();
        if !is_met(&self.image, image) {
            self.image = image.to_owned();
        }
        let env = read_env(spec);
        let file = env.get("FILE").and_then(|file| file.strip_prefix(CERTIFICATES)?.split_once('/'));
        if let Some((host, file)) = file {
            self.host = host.to_owned();
            self.file = file.to_owned();
        }
        if let Some(ca) = env.get("CA")
            && authority::bundle(&self.ca).as_ref() != Ok(ca)
        {
            self.ca = ca.clone();
        }
        if let Some(overwrite) = env.get("OVERWRITE") {
            self.overwrite = overwrite == "yes";
        }
        let mounts = Mount::read(spec);
        if let Some(source) = mounts.first().and_then(|mount| mount.source.clone()) {
            self.mount = source;
        }
        let mut constraints = Placement::read(spec, false).constraints;
        if !self.placement.constraints.contains(LINUX) {
            constraints.remove(LINUX);
        }
        self.placement.constraints = constraints;
        let wanted = self.wanted();
        let mut written = spec.clone();
        let refused = wanted.write(&mut written, Some(&wanted), known).is_err();
        self.intact = (!refused && written == *spec).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::ServiceSpec;
    use crate::resources::{service::container_mut, swarm_registry_trust as trust};
    use crate::terraform::Computed;

    fn resource() -> SwarmRegistryTrust {
        let made = rcgen::generate_simple_self_signed(vec!["hub.docker.local".to_owned()]).unwrap();
        SwarmRegistryTrust {
            host: "hub.docker.local:5000".to_owned(),
            ca: format!("# ours\n{}", made.cert.pem()),
            file: "hub.crt".to_owned(),
            overwrite: true,
            mount: "/etc".to_owned(),
            name: "trust".to_owned(),
            image: "busybox:1".to_owned(),
            placement: trust::Placement { constraints: BTreeSet::from(["node.role==worker".to_owned()]) },
            timeouts: None,
            id: Computed::default(),
            intact: Computed::default(),
        }
    }

    fn nothing() -> Known {
        Known { secrets: vec![], configs: vec![], networks: vec![] }
    }

    fn service(resource: &SwarmRegistryTrust) -> Service {
        let mut spec = ServiceSpec::default();
        resource.wanted().write(&mut spec, None, &nothing()).unwrap();
        Service { spec, ..Service::default() }
    }

    fn taken(service: &Service) -> SwarmRegistryTrust {
        let mut resource = SwarmRegistryTrust::of(service, &nothing()).unwrap();
        resource.take(service, &nothing());
        resource
    }

    #[test]
    fn what_is_written_is_read_again() {
        let wanted = resource();
        let found = taken(&service(&wanted));
        assert_eq!(found.ca, authority::bundle(&wanted.ca).unwrap());
        assert_eq!((&found.host, &found.file, &found.mount), (&wanted.host, &wanted.file, &wanted.mount));
        assert_eq!((&found.placement, found.overwrite), (&wanted.placement, true));
        assert_eq!(found.intact, true.into());
        let mut kept = resource();
        kept.ca.clone_from(&wanted.ca);
        kept.take(&service(&wanted), &nothing());
        assert_eq!(kept.ca, wanted.ca, "another spelling is no difference");
    }

    #[test]
    fn what_somebody_changed_shows() {
        let edits: [fn(&mut ServiceSpec); 6] = [
            |spec| container_mut(spec).command = Some(vec!["sleep".to_owned(), "1000".to_owned()]),
            |spec| container_mut(spec).healthcheck = None,
            |spec| container_mut(spec).mounts = None,
            |spec| container_mut(spec).env.get_or_insert_default().push("A=b".to_owned()),
            |spec| spec.update_config.get_or_insert_default().order = Some("stop-first".to_owned()),
            |spec| container_mut(spec).read_only = Some(false),
        ];
        for edit in edits {
            let mut service = service(&resource());
            edit(&mut service.spec);
            assert_eq!(taken(&service).intact, false.into(), "{:?}", service.spec);
        }
    }

    #[test]
    fn what_is_nobody_s_business_does_not_show() {
        let mut service = service(&resource());
        service.spec.labels.get_or_insert_default().insert("team".to_owned(), "hub".to_owned());
        assert_eq!(taken(&service).intact, true.into());
        service.spec.labels = None;
        assert!(SwarmRegistryTrust::of(&service, &nothing()).is_none());
    }
}
