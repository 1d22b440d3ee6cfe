//! Where a trial takes place: a swarm whose Engine is asked, or a registry.

use super::{
    inventory::{self, Inventory},
    proxy::Proxy,
    subjects::RETENTION,
};
use crate::{
    client::{Access, Image},
    hub::{Hub, Layout},
    terraform::Workspace,
    testbed::Testbed,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A registry on loopback, two images for the provider to put into it, and three that somebody else does, each built a day
/// after the other.
pub struct Registry {
    hub: Hub,
    images: [Layout; 2],
    dated: [Image; 3],
    /// Where those are.
    _folder: TempDir,
}

impl Registry {
    pub fn start() -> Self {
        let image = |layer: &[u8]| Layout::new(&["amd64"], &[b"a layer of both", layer]);
        let folder = tempfile::tempdir().unwrap();
        let dated = [1, 2, 3].map(|day| {
            let created = format!("2026-01-0{day}T10:00:00Z");
            Image::built(folder.path().join(day.to_string()), &created, &[100])
        });
        Registry { hub: Hub::start(), images: [image(b"one"), image(b"two")], dated, _folder: folder }
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
    pub fn fill(&self, text: &str, proxy: &Proxy) -> String {
        let Ground::Registry(registry) = self else { return text.to_owned() };
        let [one, two] = registry.images.each_ref().map(|layout| layout.path().display().to_string());
        text.replace("ONE", &one).replace("TWO", &two).replace("REGISTRY", &proxy.address)
    }

    /// Brings about what others do before a resource of a type has work: tags are pushed that it deletes.
    pub fn stock(&self, kind: &str, repositories: impl Iterator<Item = String>) {
        if let (Ground::Registry(registry), RETENTION) = (self, kind) {
            repositories.for_each(|repository| registry.stock(&repository));
        }
    }

    /// What there is whose name begins with `prefix`, and what resources of a type describe that have no name.
    pub fn inventory(&self, kind: &str, prefix: &str) -> Inventory {
        match self {
            Ground::Swarm(testbed, _) => Inventory::of(testbed, kind, prefix),
            Ground::Registry(registry) => Inventory::of_registry(&registry.hub.address, prefix),
        }
    }

    /// What there is whose name begins with `prefix`.
    pub fn named(&self, prefix: &str) -> Inventory {
        self.inventory("", prefix)
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
