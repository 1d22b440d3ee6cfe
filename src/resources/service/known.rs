//! What a specification refers to by ID, and a person by name.

use super::{Object, Parts, Reference, Resolved, container};
use crate::docker::{self, Docker, ServiceSpec};
use crate::resources::failure::Doing;
use crate::terraform::{Diagnostic, Plan, Private, Result};
use std::{collections::BTreeMap, sync::Arc};

/// The secrets, configs and networks that there are, as far as a service may refer to them.
pub struct Known {
    /// Secrets.
    pub secrets: Vec<Object>,
    /// Configs.
    pub configs: Vec<Object>,
    /// Networks.
    pub networks: Arc<[docker::Network]>,
}

impl Known {
    /// Lists what is to be written; of what the service does not refer to, nothing is listed.
    ///
    /// # Errors
    /// The lists cannot be read.
    pub async fn to_write(parts: &Parts, docker: &Docker) -> Result<Self> {
        let mut known = Known { secrets: vec![], configs: vec![], networks: Arc::from([]) };
        if !parts.secrets.is_empty() {
            let secrets = docker.secrets().await.doing(|| "list the secrets".to_owned())?;
            known.secrets =
                secrets.iter().map(|own| Object { id: own.id.clone(), name: own.name.clone() }).collect();
        }
        if !parts.configs.is_empty() || parts.credentials_config().is_some() {
            let configs = docker.configs().await.doing(|| "list the configs".to_owned())?;
            known.configs =
                configs.iter().map(|own| Object { id: own.id.clone(), name: own.name.clone() }).collect();
        }
        if !parts.networks.is_empty() {
            known.networks = docker.networks().await.doing(|| "list the networks".to_owned())?;
        }
        Ok(known)
    }

    /// Lists what is needed to read a specification: the names of its networks. Secrets and configs tell theirs.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn to_read(spec: &ServiceSpec, docker: &Docker) -> Result<Self> {
        let mut known = Known { secrets: vec![], configs: vec![], networks: Arc::from([]) };
        let attached = spec.task_template.as_ref().and_then(|task| task.networks.as_ref());
        if attached.is_some_and(|networks| !networks.is_empty()) {
            known.networks = docker.networks().await.doing(|| "list the networks".to_owned())?;
        }
        Ok(known)
    }

    /// The config of that ID or name.
    ///
    /// # Errors
    /// There is none.
    pub fn config(&self, source: &str) -> Result<Object> {
        let named = |object: &&Object| object.id == source || object.name == source;
        self.configs.iter().find(named).cloned().ok_or_else(|| missing("config", source))
    }
}

/// The objects that references at `path` mean.
///
/// # Errors
/// One of them means none; the diagnostic has its path.
pub fn resolve(path: &str, references: &[Reference], known: &[Object]) -> Result<Vec<Resolved>> {
    let kind = path.trim_end_matches('s');
    let resolve = |(index, reference): (usize, &Reference)| {
        reference.resolve(known).ok_or_else(|| {
            missing(kind, &reference.source).at(format!("{path}[{index}].source").as_str())
        })
    };
    references.iter().enumerate().map(resolve).collect()
}

fn missing(kind: &str, source: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no {kind} `{source}`"),
        format!("Neither an ID nor a name of a {kind} of the swarm is that."),
    )
}

/// The names of the secrets and configs that a service refers to, by ID.
const NAMES: &str = "names";

/// Keeps what a service calls its secrets and configs, so that a plan can tell an ID and a name of one object for what
/// they are. They change with the service only.
pub fn remember_names(spec: &ServiceSpec, private: &mut Private) {
    let mut names: BTreeMap<String, String> = Reference::secrets(spec)
        .into_iter()
        .chain(Reference::configs(spec))
        .map(|found| (found.object.id, found.object.name))
        .collect();
    let configs = container(spec).into_iter().flat_map(|container| container.configs.iter().flatten());
    names.extend(configs.filter_map(|config| config.config_id.clone().zip(config.config_name.clone())));
    if names.is_empty() {
        private.remove(NAMES);
    } else {
        private.set(NAMES, names);
    }
}

/// A reference by name where the state has the ID, or the other way round, is no difference.
pub fn settle_references(plan: &mut Plan) {
    let names: BTreeMap<String, String> = plan.private.get(NAMES).unwrap_or_default();
    for path in ["secrets", "configs"] {
        let Some(wanted) = plan.known::<Vec<Reference>>(path) else { continue };
        let Some(held) = plan.prior.as_ref().and_then(|prior| prior.known::<Vec<Reference>>(path)) else {
            continue;
        };
        let id = |source: &str| {
            names.iter().find(|(_, name)| *name == source).map_or(source.to_owned(), |(id, _)| id.clone())
        };
        let by_id = |references: &[Reference]| {
            let by_id = |own: &Reference| Reference { source: id(&own.source), ..own.clone() };
            let mut references: Vec<Reference> = references.iter().map(by_id).collect();
            references.sort();
            references
        };
        if wanted != held && by_id(&wanted) == by_id(&held) {
            plan.set(path, held);
        }
    }
}
