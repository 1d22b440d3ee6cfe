//! `swarm_registry_trust`: the nodes of the swarm trust a registry whose certificate an authority of one's own has signed.

#[cfg(test)]
mod keep_tests;
mod task;

use super::service::{self, Known};
use crate::docker::{Docker, Service};
use crate::registry::{certificate::authority, image::is_host};
use crate::resources::{
    failure::{Doing, ready},
    names::service_name,
};
use crate::terraform::{
    Computed, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Timeouts, Value,
};
use std::{collections::BTreeSet, time::SystemTime};

/// Makes the nodes of the swarm trust a registry: its CA lies on each of them where the Docker Engine looks for it, in
/// `/etc/docker/certs.d/HOST/ca.crt`. No Engine is restarted.
///
/// It is a global service whose tasks keep the file in place. So a node that joins later gets it too, a file that somebody
/// deleted or edited comes back within seconds, and an apply waits until the file is on every node. A change of the CA
/// replaces the file: there is no moment without one. A file that was there before is not touched unless `overwrite` says
/// so, and the apply ends with an error that names the node.
///
/// A task that stops takes its file away, and the folders that are empty then: at a destroy, on a node that `placement` leaves
/// out from now on, on one that is drained, and while an Engine is shut down.
///
/// It is for the Engines of the nodes only. What pulls and pushes from elsewhere needs the CA in its own way. Nodes that keep
/// their users apart (`userns-remap`), and a security module that forbids containers to write to `mount`, are in its way.
///
/// ~> The tasks may write to the folder `mount` of every node. Use an image that you trust, best with its digest.
#[derive(Debug, Model)]
pub struct SwarmRegistryTrust {
    /// Host of the registry, as images name it, with its port if it has one: `hub.docker.local`, `localhost:5000`.
    #[tf(check = host)]
    host: String,

    /// The CA as PEM text: the certificates by one of which the registry's must be signed. A certificate that signed itself
    /// is its own CA. Text around the certificates is left out.
    #[tf(check = ca, same = same_ca)]
    ca: String,

    /// Name of the file. It ends in `.crt`: Docker reads all such files of the folder, so another name stands beside a
    /// `ca.crt` of somebody else.
    #[tf(default = "ca.crt", check = file)]
    file: String,

    /// Whether another file of that name, which this resource did not make, is replaced.
    #[tf(default = false)]
    overwrite: bool,

    /// Folder of the nodes that is mounted into the tasks, and has to be there: `/etc/docker`, in which `certs.d` is made where
    /// it is missing; `/etc/docker/certs.d`, which lets the tasks write nowhere else; or `/etc`, for nodes without a folder
    /// `/etc/docker`.
    #[tf(default = "/etc/docker", check = mount)]
    mount: String,

    /// Name of the service, unique in the swarm. By default it follows from `host`, such as `trust-hub-docker-local`.
    #[tf(replace, derived, check = service_name)]
    name: String,

    /// The image of the tasks: any with a shell, such as `busybox` or `registry`. The nodes must be able to pull it before they
    /// trust the registry.
    #[tf(default = "busybox:1", check = service::image_reference, same = service::same_image)]
    image: String,

    /// Which nodes are meant. Without it all that run Linux.
    #[tf(default = Placement::default())]
    placement: Placement,

    /// How long the operations may take: 5 minutes each, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the service.
    id: Computed<String>,

    /// Whether the service is as it was made. Where somebody has changed in it what has no attribute here, the next plan shows
    /// it as `false`, and mends it.
    intact: Computed<bool>,
}

/// Which nodes are meant.
#[derive(Clone, Debug, Default, PartialEq, Model)]
pub struct Placement {
    /// What a node must satisfy, such as `node.role!=manager` or `node.labels.zone==inner`.
    #[tf(default = BTreeSet::new(), check = service::constraints)]
    pub constraints: BTreeSet<String>,
}

/// How long an operation may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(5);

impl Resource for SwarmRegistryTrust {
    const TYPE: &'static str = "swarm_registry_trust";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn plan(plan: &mut Plan) -> Result<()> {
        if let Some(host) = plan.known::<String>("host") {
            plan.derive("name", name_of(&host));
        }
        plan.set("intact", true);
        if service::is_unsettled(&plan.private) {
            // A rollout was cut off: an update is planned that carries it on, and this is how it shows.
            plan.set_unknown("intact");
        }
        Ok(())
    }

    async fn check(plan: &Plan, docker: &Docker) -> Diagnostics {
        let ca = plan.known::<String>("ca").unwrap_or_default();
        let mut found: Diagnostics = authority::inspect(&ca, "ca", SystemTime::now())
            .into_iter()
            .map(|finding| {
                Diagnostic::warning(format!("Doubtful `ca` ({})", finding.code), finding.message).at("ca")
            })
            .collect();
        if let Ok(planned) = Self::decode(plan.planned().0.clone()) {
            found.extend(planned.wanted().check(docker).await);
        }
        found
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let wanted = self.wanted();
        wanted.refuse(true, &context.client).await?;
        self.id = wanted.create(&context.client).await?.into();
        self.intact = true.into();
        self.settle(true, &Timeouts::create_or(self.timeouts.as_ref(), LIMIT), context).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let found = service::read(self.id.get()?, &self.name, context).await?;
        let Some((service, known)) = found else { return Ok(None) };
        self.take(&service, &known);
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        self.id = prior.id.clone();
        let wanted = self.wanted();
        wanted.refuse(true, &context.client).await?;
        let written = wanted.update(self.id.get()?, &prior.wanted(), context).await?;
        self.intact = true.into();
        self.settle(written, &Timeouts::update_or(self.timeouts.as_ref(), LIMIT), context).await?;
        wanted.settled(context).await;
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), LIMIT);
        service::remove(self.id.get()?, &self.name, &limit, &context.client).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let Some((service, known)) = service::find(id, context).await? else { return Ok(None) };
        Self::of(&service, &known).map(Some).ok_or_else(|| {
            Diagnostic::error(
                format!("Service `{}` is no `{}`", service.name(), Self::TYPE),
                format!("A service of such a resource has the label `{}`.", task::LABEL),
            )
        })
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the trusted registries".to_owned()).await?;
        let services = context.client.services_now().await.doing(|| "list the services".to_owned())?;
        let mut listed = vec![];
        for service in services.iter().filter(|service| task::is_trust(service)) {
            let known = Known::to_read(&service.spec, &context.client).await?;
            listed.extend(Self::of(service, &known));
        }
        Ok(listed)
    }
}

impl SwarmRegistryTrust {
    /// The service of such a resource, whole; none where it is another service.
    fn of(service: &Service, known: &Known) -> Option<Self> {
        let mut imported = SwarmRegistryTrust {
            host: String::new(),
            ca: String::new(),
            file: String::new(),
            overwrite: false,
            mount: "/etc/docker".to_owned(),
            name: String::new(),
            image: service.spec.image().unwrap_or_default().to_owned(),
            placement: Placement::default(),
            timeouts: None,
            id: Computed::default(),
            intact: Computed::default(),
        };
        task::is_trust(service).then(|| imported.take(service, known))?;
        Some(imported)
    }

    /// Waits until the file is on every node.
    async fn settle(&self, written: bool, limit: &Duration, context: &Context<Docker>) -> Result<()> {
        let settled = self.wanted().settle(self.id.get()?, written, limit, &context.client).await;
        settled.map_err(|mut failure| {
            if failure.detail.contains("source path") {
                failure.detail.push_str(&format!(
                    "\nA node has no folder `{}`. Make it there, or set `mount = \"/etc\"`.",
                    self.mount
                ));
                return failure.at("mount");
            }
            failure
        })
    }
}

/// The name of the service for a host, where nobody says another.
fn name_of(host: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = "trust-".chars().chain(host.chars().map(letter)).take(63).collect();
    name.trim_end_matches('-').to_owned()
}

fn host(host: &str) -> Result<(), String> {
    if is_host(host) {
        return Ok(());
    }
    Err("the host of the registry with its port is wanted, such as `hub.docker.local` or `localhost:5000`, without \
         `https://` and without a path"
        .to_owned())
}

fn ca(text: &str) -> Result<(), String> {
    let bundle = authority::bundle(text)?;
    if bundle.len() > task::CA_LIMIT {
        return Err(format!(
            "The certificates have more than {} bytes, which no task could be told.",
            task::CA_LIMIT
        ));
    }
    Ok(())
}

/// Another text around the same certificates is no difference.
fn same_ca(a: &Value, b: &Value) -> bool {
    let bundle = |value: &Value| authority::bundle(value.as_str()?).ok();
    bundle(a).is_some_and(|a| bundle(b) == Some(a))
}

fn file(name: &str) -> Result<(), String> {
    if name.ends_with(".crt")
        && !name.starts_with('.')
        && !name.contains(['/', '\0', '{'])
        && name.len() <= 100
    {
        Ok(())
    } else {
        Err("a name that ends in `.crt`, does not begin with a dot and has no slash in it".to_owned())
    }
}

fn mount(folder: &str) -> Result<(), String> {
    service::one_of(folder, &["/etc", "/etc/docker", "/etc/docker/certs.d"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_the_host() {
        assert_eq!(name_of("hub.docker.local"), "trust-hub-docker-local");
        assert_eq!(name_of("hub.docker.local:5000"), "trust-hub-docker-local-5000");
        for host in ["[::1]:5000", "[fe80::]", &format!("{}.local", "a".repeat(80))] {
            assert_eq!(service_name(&name_of(host)), Ok(()), "{host}");
        }
    }

    #[test]
    fn a_file_is_one_that_docker_reads() {
        for name in ["ca.crt", "hub ca.crt"] {
            assert!(file(name).is_ok(), "{name}");
        }
        for name in ["ca.pem", ".crt", ".ca.crt", "../ca.crt", "a/ca.crt", "{{.Task.ID}}.crt", ""] {
            assert!(file(name).is_err(), "{name}");
        }
    }
}
