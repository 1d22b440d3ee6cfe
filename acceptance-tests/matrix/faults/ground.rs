//! Where a trial takes place: a swarm whose Engine is asked, or a registry.

use super::{
    inventory::{self, Inventory},
    operation::Stage,
    proxy::Proxy,
    subjects::RETENTION,
};
use crate::{
    client::{Access, Image},
    hub::{Hub, Layout},
    terraform::Workspace,
    testbed::{Testbed, unique},
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A registry on loopback, and three images that somebody else puts into it, each built a day after the other.
pub struct Registry {
    hub: Hub,
    dated: [Image; 3],
    /// Where those are.
    _folder: TempDir,
}

impl Registry {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dated = [1, 2, 3].map(|day| {
            let created = format!("2026-01-0{day}T10:00:00Z");
            Image::built(folder.path().join(day.to_string()), &created, &[100])
        });
        Registry { hub: Hub::start(), dated, _folder: folder }
    }

    /// Pushes the dated images into a repository, under the numbers of their days.
    fn stock(&self, repository: &str) {
        let access = Access {
            registry: self.hub.address.clone(),
            certificates: None,
            credentials: None,
            network: None,
        };
        for (image, day) in self.dated.iter().zip(1..) {
            image.push(&access, &format!("{repository}:{day}")).unwrap();
        }
    }
}

/// Two images for the provider to put into a registry: ONE, and TWO which replaces it.
pub struct Images([Layout; 2]);

impl Images {
    pub fn new() -> Self {
        Images([Self::content(), Self::content()].map(|layer| Layout::new(&["amd64"], &[layer.as_bytes()])))
    }

    /// A layer that nobody has seen before.
    fn content() -> String {
        unique("layer")
    }

    /// Makes another image of that which a stage has: the registry has the layers of the last one, even after it was deleted.
    pub fn renew(&self, stage: Stage) {
        let [one, two] = &self.0;
        let next = if stage == Stage::Replaced { two } else { one };
        next.holds(&["amd64"], &[Self::content().as_bytes()]);
    }

    fn fill(&self, text: &str) -> String {
        let [one, two] = self.0.each_ref().map(|layout| layout.path().display().to_string());
        text.replace("ONE", &one).replace("TWO", &two)
    }

    /// The words in which one that was made anew is the same.
    fn plain(&self, line: &str) -> String {
        let [one, two] = self.0.each_ref().map(Layout::digest);
        line.replace(&one, "ONE").replace(&two, "TWO")
    }
}

/// Where a trial takes place.
#[derive(Clone)]
pub enum Ground<'a> {
    /// A swarm, and the socket of the Engine that is asked.
    Swarm(&'a Testbed, PathBuf),
    /// A registry, for which no Engine is needed.
    Registry(&'a Registry),
}

impl Ground<'_> {
    /// A workspace for it.
    pub fn workspace(&self) -> Workspace {
        match self {
            Ground::Swarm(testbed, _) => Workspace::new(testbed, ""),
            Ground::Registry(_) => {
                let mut workspace = Workspace::without_engine(Path::new("terraform"), "");
                // The logins of whoever runs this are no business of a test.
                let empty = workspace.path().join("docker").display().to_string();
                workspace.set("DOCKER_CONFIG", &empty);
                workspace
            }
        }
    }

    /// A proxy before it, with its socket in `folder` if it has one.
    pub fn proxy(&self, folder: &Path) -> Proxy {
        match self {
            Ground::Swarm(_, engine) => Proxy::before_engine(engine, folder),
            Ground::Registry(registry) => Proxy::before_registry(&registry.hub.address),
        }
    }

    /// Attributes or an ID to import by, in which ONE and TWO stand for the images, and REGISTRY for the address of its proxy.
    pub fn fill(&self, text: &str, proxy: &Proxy, images: &Images) -> String {
        match self {
            Ground::Swarm(..) => text.to_owned(),
            Ground::Registry(_) => images.fill(text).replace("REGISTRY", &proxy.address),
        }
    }

    /// Brings about what others do before a resource of a type has work: tags are pushed that it deletes, and a node has
    /// another availability than it is to have.
    pub fn stock(&self, kind: &str, names: impl Iterator<Item = String>) {
        match (self, kind) {
            (Ground::Registry(registry), RETENTION) => names.for_each(|name| registry.stock(&name)),
            (Ground::Swarm(testbed, _), "swarm_node") => {
                drop(testbed.docker(&["node", "update", "--availability", "active", "spare"]));
            }
            _ => {}
        }
    }

    /// What there is whose name begins with `prefix`, and what resources of a type describe that have no name.
    pub fn inventory(&self, kind: &str, prefix: &str, images: &Images) -> Inventory {
        match self {
            Ground::Swarm(testbed, _) => Inventory::of(testbed, kind, prefix),
            Ground::Registry(registry) => {
                let found = Inventory::of_registry(&registry.hub.address, prefix).0.into_iter();
                Inventory(found.map(|(line, id)| (images.plain(&line), id)).collect())
            }
        }
    }

    /// Everything that can be seen there, to look for what should not be in it.
    pub fn everything(&self) -> String {
        match self {
            Ground::Swarm(testbed, _) => inventory::everything(testbed),
            Ground::Registry(registry) => registry.hub.log(),
        }
    }

    /// Removes what there is whose name begins with `prefix`: a run that went wrong may not spoil the next.
    pub fn sweep(&self, prefix: &str) {
        if let Ground::Swarm(testbed, _) = self {
            inventory::sweep(testbed, prefix);
        }
    }
}
