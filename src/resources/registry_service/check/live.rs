//! What the swarm says of a registry, beside what it says of every service.

use super::{diagnostic, look::Look, storage};
use crate::{
    docker::{Docker, Node, Role},
    registry::{
        Finding,
        checks::{self, Mount},
    },
    resources::{
        failure::Doing,
        registry_service::{
            RegistryService, owned,
            settings::{Content, Settings},
        },
        service::{Eligible, Placement, for_now},
    },
    terraform::{Diagnostic, Diagnostics, Plan, Result},
};

/// What may be put right by the same apply, and is a warning yet: S5, S16, P18 and T18.
pub(in super::super) async fn planned(plan: &Plan, docker: &Docker) -> Diagnostics {
    let mut found = vec![];
    // Where the swarm cannot be asked, the checks of every service have said so.
    if let (Ok(nodes), Some(placement)) = (docker.nodes().await, plan.known::<Placement>("placement")) {
        let eligible = Eligible::among(nodes.iter(), &placement);
        let look = Look(plan.planned());
        let findings = checks::spread_over(&eligible.names(), &storage::storage_use(look))
            .into_iter()
            .chain(checks::managers(&as_rules_see_them(&nodes, &eligible)));
        found.extend(findings.map(|finding| diagnostic(&finding)));
        found.extend(bound(look, &eligible, docker).await.map(|finding| for_now(diagnostic(&finding))));
    }
    if let Some(settings) = Settings::planned(plan)
        && let Ok(Some(missing)) = missing_secret(&settings, docker).await
    {
        found.push(for_now(missing));
    }
    found
}

impl RegistryService {
    /// Refuses what would keep the registry from starting now, before anything is made: S16 and T18.
    ///
    /// # Errors
    /// The first that was found.
    pub(in super::super) async fn refuse(&self, docker: &Docker) -> Result<()> {
        if let Some(missing) = missing_secret(&self.settings, docker).await? {
            return Err(missing);
        }
        let Some(folder) =
            self.settings.storage.as_ref().and_then(|own| own.filesystem.as_ref()?.bind.clone())
        else {
            return Ok(());
        };
        let nodes = docker.nodes().await.doing(|| "list the nodes".to_owned())?;
        let eligible = Eligible::among(nodes.iter(), &self.service.placement);
        let found = without_folder(&folder, &eligible, docker).await;
        // Where there are other nodes, Swarm tries them.
        found.filter(|_| eligible.nodes.len() == 1).map_or(Ok(()), |finding| Err(diagnostic(&finding)))
    }
}

fn as_rules_see_them(nodes: &[Node], eligible: &Eligible<'_>) -> Vec<checks::Node> {
    let see = |node: &Node| checks::Node {
        is_manager: node.spec.role == Role::Manager,
        is_eligible: eligible.nodes.iter().any(|eligible| eligible.id == node.id),
        takes_tasks: node.takes_tasks(),
    };
    nodes.iter().map(see).collect()
}

/// S16 for what is planned.
async fn bound(look: Look<'_>, eligible: &Eligible<'_>, docker: &Docker) -> Option<Finding> {
    match storage::storage_use(look).filesystem?.mount {
        Mount::Bind(folder) => without_folder(folder, eligible, docker).await,
        _ => None,
    }
}

/// S16, if the node that the provider talks to can run the registry, and does not have the folder.
async fn without_folder(folder: &str, eligible: &Eligible<'_>, docker: &Docker) -> Option<Finding> {
    let own = docker.info().await.ok()?.swarm.node_id;
    let node = eligible.nodes.iter().find(|node| node.id == own)?;
    let is_there = docker.has_path(folder).await.ok()?;
    (!is_there).then(|| checks::no_folder(folder, node.hostname()))
}

/// T18 for the secrets that attributes of the configuration file refer to; those in `secrets` are looked up with the service.
async fn missing_secret(settings: &Settings, docker: &Docker) -> Result<Option<Diagnostic>> {
    let files = if settings.are_rendered() { settings.files() } else { vec![] };
    let foreign: Vec<(&str, &str)> = files
        .iter()
        .filter_map(|file| match &file.content {
            Content::Foreign(source) => Some((file.attribute, source.as_str())),
            _ => None,
        })
        .collect();
    if foreign.is_empty() {
        return Ok(None);
    }
    let secrets = docker.secrets().await.doing(|| "list the secrets".to_owned())?;
    let is_there = |source: &str| secrets.iter().any(|secret| secret.id == source || secret.name == source);
    let missing = foreign.into_iter().find(|(_, source)| !is_there(source));
    Ok(missing.map(|(attribute, source)| owned::no_such_secret(attribute, source)))
}
