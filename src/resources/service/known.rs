//! What a specification refers to by ID, and a person by name.

use super::{Network, Object, Parts, Reference, Resolved, references::credentials_config};
use crate::docker::{self, BlobKind, Docker, ServiceSpec};
use crate::resources::failure::Doing;
use crate::terraform::{Diagnostic, Field, Plan, Private, Result};
use std::collections::BTreeMap;

/// The secrets, configs and networks that there are, as far as a service may refer to them.
pub struct Known {
    /// Secrets.
    pub secrets: Vec<Object>,
    /// Configs.
    pub configs: Vec<Object>,
    /// Networks.
    pub networks: Vec<docker::Network>,
}

impl Known {
    /// Lists what is to be written; of what the service does not refer to, nothing is listed.
    ///
    /// # Errors
    /// The lists cannot be read.
    pub async fn to_write(parts: &Parts, docker: &Docker) -> Result<Self> {
        let mut known = Known { secrets: vec![], configs: vec![], networks: vec![] };
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
            let wanted: Vec<&str> = parts.networks.iter().map(|own| own.network.as_str()).collect();
            let networks = docker.networks_of_the_swarm(&wanted).await;
            known.networks = networks.doing(|| "list the networks".to_owned())?;
        }
        Ok(known)
    }

    /// Lists what is needed to read a specification: the names of its networks. Secrets and configs tell theirs.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn to_read(spec: &ServiceSpec, docker: &Docker) -> Result<Self> {
        let mut known = Known { secrets: vec![], configs: vec![], networks: vec![] };
        let attached = spec.task_template.iter().flat_map(|task| task.networks.iter().flatten());
        let attached: Vec<&str> = attached.filter_map(|network| network.target.as_deref()).collect();
        if !attached.is_empty() {
            let networks = docker.networks_of_the_swarm(&attached).await;
            known.networks = networks.doing(|| "list the networks".to_owned())?;
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

/// T18: what of `secrets` and `configs` is not there, in the words of the write that would be refused.
pub async fn missing_references(plan: &Plan, docker: &Docker) -> Vec<Diagnostic> {
    let mut found = vec![];
    for (path, list) in [("secrets", BlobKind::Secret), ("configs", BlobKind::Config)] {
        let references: Vec<Reference> = plan.known(path).unwrap_or_default();
        if references.is_empty() {
            continue;
        }
        if let Ok(blobs) = docker.blobs(list).await {
            let known: Vec<Object> =
                blobs.iter().map(|own| Object { id: own.id.clone(), name: own.name.clone() }).collect();
            found.extend(resolve(path, &references, &known).err());
        }
    }
    found
}

/// The objects that references at `path` mean.
///
/// # Errors
/// One of them means none; the diagnostic has its path.
pub fn resolve(path: &str, references: &[Reference], known: &[Object]) -> Result<Vec<Resolved>> {
    let kind = path.trim_end_matches('s');
    let resolve = |(index, reference): (usize, &Reference)| {
        reference
            .resolve(known)
            .ok_or_else(|| missing(kind, &reference.source).at(format!("{path}[{index}].source").as_str()))
    };
    references.iter().enumerate().map(resolve).collect()
}

fn missing(kind: &str, source: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no {kind} `{source}` (T18)"),
        format!("Neither an ID nor a name of a {kind} of the swarm is that."),
    )
}

/// Where a service names the config that holds credentials of a managed service account.
const CREDENTIALS: &str = "privileges.credential_spec.config";

/// The names of what a service refers to, by the attribute that refers to it and the ID.
const NAMES: &str = "names";

type Names = BTreeMap<String, BTreeMap<String, String>>;

/// Keeps what a service calls what it refers to, so that a plan can tell an ID and a name of one object for what they
/// are. They change with the service only.
pub fn remember_names(spec: &ServiceSpec, known: &Known, private: &mut Private) {
    let by_id = |references: Vec<Resolved>| {
        references.into_iter().map(|found| (found.object.id, found.object.name)).collect()
    };
    let attached = spec.task_template.iter().flat_map(|task| task.networks.iter().flatten());
    let attached: Vec<&str> = attached.filter_map(|network| network.target.as_deref()).collect();
    let networks = known.networks.iter().filter(|network| attached.contains(&network.id.as_str()));
    let mut configs: BTreeMap<String, String> = by_id(Reference::configs(spec));
    configs.extend(credentials_config(spec).map(|config| (config.id, config.name)));
    let mut names = Names::from([
        ("secrets".to_owned(), by_id(Reference::secrets(spec))),
        ("configs".to_owned(), configs),
        ("networks".to_owned(), networks.map(|network| (network.id.clone(), network.name.clone())).collect()),
    ]);
    names.retain(|_, names| !names.is_empty());
    if names.is_empty() {
        private.remove(NAMES);
    } else {
        private.set(NAMES, names);
    }
}

/// A reference by name where the state has the ID, or the other way round, is no difference; nor is a file's name that is
/// its object's own.
pub fn settle_references(plan: &mut Plan) {
    let mut names: Names = plan.private.get(NAMES).unwrap_or_default();
    fn id(names: &BTreeMap<String, String>, source: &str) -> String {
        names.iter().find(|(_, name)| *name == source).map_or(source.to_owned(), |(id, _)| id.clone())
    }
    let configs = names.get("configs").cloned().unwrap_or_default();
    let prior = plan.prior.as_ref().and_then(|prior| prior.known::<String>(CREDENTIALS));
    if let (Some(wanted), Some(held)) = (plan.known::<String>(CREDENTIALS), prior)
        && id(&configs, &wanted) == id(&configs, &held)
    {
        plan.set(CREDENTIALS, held);
    }
    for path in ["secrets", "configs"] {
        let names = names.remove(path).unwrap_or_default();
        settle(plan, path, |own: &Reference| {
            let source = id(&names, &own.source);
            let target = own.target.clone().or_else(|| names.get(&source).cloned());
            Reference { source, target, ..own.clone() }
        });
    }
    let names = names.remove("networks").unwrap_or_default();
    settle(plan, "networks", |own: &Network| Network { network: id(&names, &own.network), ..own.clone() });
}

/// Plans what is held where that is the same in `canonical` terms.
fn settle<T: Field + Ord + Clone>(plan: &mut Plan, path: &str, canonical: impl Fn(&T) -> T) {
    let Some(wanted) = plan.known::<Vec<T>>(path) else { return };
    let Some(held) = plan.prior.as_ref().and_then(|prior| prior.known::<Vec<T>>(path)) else { return };
    let sorted = |list: &[T]| {
        let mut list: Vec<T> = list.iter().map(&canonical).collect();
        list.sort();
        list
    };
    if wanted != held && sorted(&wanted) == sorted(&held) {
        plan.set(path, held);
    }
}
