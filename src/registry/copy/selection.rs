//! Which of an image is copied: all of it, the image for one platform, or an index of those for some.

use super::{Error, Local, Source};
use crate::registry::client::{self, Descriptor, Digest, ImageConfig, Manifest, Parts, platforms};
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What says of a manifest in an index which other one it is about.
const ABOUT: &str = "vnd.docker.reference.digest";
/// How deep indexes may be nested.
const DEPTH: usize = 4;
/// How many manifests there may be in an index, and in those in it: some hundred times what anybody needs.
const MANIFESTS: usize = 10_000;
/// The most bytes of all of them, since they are kept until all is copied.
const BYTES: usize = 64 * 1024 * 1024;

/// What is copied of an image.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The image's manifest, or its index.
    pub root: Manifest,
    /// The manifests that an index points to, what is pointed to before what points.
    pub children: Vec<Manifest>,
    /// Layers and configurations, each once.
    pub blobs: Vec<Descriptor>,
    /// The platforms with the digests of their manifests.
    pub platforms: BTreeMap<String, Digest>,
    /// Bytes of all that is copied.
    pub size: u64,
}

/// What becomes of the root.
enum Root {
    /// It stays.
    Whole,
    /// One of its images takes its place.
    One(Descriptor),
    /// An index of fewer takes its place.
    Fewer(Manifest),
}

impl Local {
    /// What is copied of it: the images for `wanted`, or all that are there.
    ///
    /// # Errors
    /// There is none for a platform, or the files are not what they should be.
    pub fn select(&self, wanted: Option<&BTreeSet<String>>) -> Result<Selected, Error> {
        let root = self.root().clone();
        // A layout may have been pulled for one platform, and its index be of all. What is there and damaged is not left out:
        // that would be another image.
        let is_there = |it: &Descriptor| self.manifest(it).map(|found| found.is_some());
        let found = |it: &Descriptor| {
            self.manifest(it)?.ok_or_else(|| self.place(&it.digest).err().unwrap_or_else(|| gone(it)))
        };
        let root = match choose(&root, wanted, &is_there)? {
            Root::Whole => root,
            Root::One(image) => found(&image)?,
            Root::Fewer(index) => index,
        };
        let mut below = Below::new(&root);
        while let Some((manifest, depth)) = below.next() {
            for child in deeper(&manifest, depth)? {
                below.add(found(child)?, depth + 1)?;
            }
        }
        let platforms = match &root.parts {
            Parts::Index(manifests) => platforms(manifests),
            Parts::Image { config, .. } if config.media_type.contains("image") => {
                of_config(&root, &self.small_blob(&config.digest)?)?
            }
            Parts::Image { .. } => BTreeMap::new(),
        };
        Selected::of(root, below.children(), platforms, wanted)
    }
}

impl Source {
    /// What is copied of it: the images for `wanted`, or all that there are.
    ///
    /// # Errors
    /// There is none for a platform, or the source cannot be read.
    pub async fn select(&self, wanted: Option<&BTreeSet<String>>) -> Result<Selected, Error> {
        let (client, repository, reference) = match self {
            Source::Local(local) => return local.select(wanted),
            Source::Registry { client, repository, reference } => (client, repository, reference),
        };
        let get = async |reference: &str| client.manifest(repository, reference).await.map_err(Error::Source);
        let root = get(reference).await?;
        let root = match choose(&root, wanted, &|_| Ok(true))? {
            Root::Whole => root,
            Root::One(image) => get(image.digest.as_str()).await?,
            Root::Fewer(index) => index,
        };
        let mut below = Below::new(&root);
        while let Some((manifest, depth)) = below.next() {
            for child in deeper(&manifest, depth)? {
                below.add(get(child.digest.as_str()).await?, depth + 1)?;
            }
        }
        let platforms = client.platforms(repository, &root).await.map_err(Error::Source)?;
        Selected::of(root, below.children(), platforms, wanted)
    }
}

impl Selected {
    fn of(
        root: Manifest,
        children: Vec<Manifest>,
        platforms: BTreeMap<String, Digest>,
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<Self, Error> {
        // An image for one platform says in its configuration for which.
        let is_for = |name: &&String| platforms.keys().any(|own| called(own, name));
        if let Some(missing) = wanted.into_iter().flatten().find(|name| !is_for(name)) {
            let available = platforms.into_keys().collect();
            return Err(Error::Platform { missing: missing.clone(), available });
        }
        let mut blobs: Vec<Descriptor> = vec![];
        let mut known = BTreeSet::new();
        for manifest in children.iter().chain([&root]) {
            if let Parts::Image { config, layers } = &manifest.parts {
                let all = layers.iter().chain([config]).filter(|blob| !is_elsewhere(blob));
                blobs.extend(all.filter(|blob| known.insert(blob.digest.clone())).cloned());
            }
        }
        let manifests = children.iter().chain([&root]).map(|it| it.bytes.len() as u64);
        let size = blobs.iter().map(|blob| blob.size).chain(manifests).fold(0, u64::saturating_add);
        Ok(Self { root, children, blobs, platforms, size })
    }
}

/// A layer that no registry may have: whoever pulls the image gets it from where it is.
fn is_elsewhere(layer: &Descriptor) -> bool {
    layer.media_type.contains(".foreign.") || layer.media_type.contains(".nondistributable.")
}

fn called(own: &str, name: &str) -> bool {
    let mut parts = own.split('/').map(str::to_owned);
    let platform = client::Platform {
        os: parts.next().unwrap_or_default(),
        architecture: parts.next().unwrap_or_default(),
        variant: parts.next(),
    };
    platform.is(name)
}

fn of_config(image: &Manifest, config: &[u8]) -> Result<BTreeMap<String, Digest>, Error> {
    let config = ImageConfig::read(config).map_err(|reason| {
        Error::Source(client::Error::Malformed { what: "the image's configuration".to_owned(), reason })
    })?;
    let name = Some(config.platform.to_string()).filter(|name| name != "/");
    Ok(name.map(|name| (name, image.digest.clone())).into_iter().collect())
}

/// What is below a root, as it is found.
struct Below {
    root: Digest,
    /// What points before what is pointed to.
    found: Vec<Manifest>,
    /// Where there may be more, and how deep that is.
    open: Vec<(Manifest, usize)>,
    bytes: usize,
}

impl Below {
    fn new(root: &Manifest) -> Self {
        Below { root: root.digest.clone(), found: vec![], open: vec![(root.clone(), 0)], bytes: 0 }
    }

    fn next(&mut self) -> Option<(Manifest, usize)> {
        self.open.pop()
    }

    fn add(&mut self, child: Manifest, depth: usize) -> Result<(), Error> {
        self.bytes += child.bytes.len();
        if self.found.len() == MANIFESTS || self.bytes > BYTES {
            return Err(Error::Source(client::Error::Malformed {
                what: format!("the index {}", self.root),
                reason: format!("it has more manifests than {MANIFESTS}, or than fit into {BYTES} bytes"),
            }));
        }
        self.found.push(child.clone());
        self.open.push((child, depth));
        Ok(())
    }

    /// What was found, what is pointed to before what points.
    fn children(mut self) -> Vec<Manifest> {
        self.found.reverse();
        self.found
    }
}

/// The manifests that an index points to.
fn deeper(manifest: &Manifest, depth: usize) -> Result<&[Descriptor], Error> {
    match &manifest.parts {
        Parts::Index(manifests) if depth < DEPTH => Ok(manifests),
        Parts::Index(_) => Err(Error::Source(client::Error::Malformed {
            what: format!("the index {}", manifest.digest),
            reason: "indexes are nested too deep".to_owned(),
        })),
        Parts::Image { .. } => Ok(&[]),
    }
}

fn gone(descriptor: &Descriptor) -> Error {
    let what = format!("the manifest {}", descriptor.digest);
    Error::Source(client::Error::Malformed { what, reason: "it is not there".to_owned() })
}

fn choose(
    root: &Manifest,
    wanted: Option<&BTreeSet<String>>,
    is_there: &dyn Fn(&Descriptor) -> Result<bool, Error>,
) -> Result<Root, Error> {
    let Parts::Index(manifests) = &root.parts else { return Ok(Root::Whole) };
    let there = |are_meant: &dyn Fn(&Descriptor) -> bool| -> Result<Vec<&Descriptor>, Error> {
        let mut found = vec![];
        for it in manifests.iter().filter(|it| are_meant(it)) {
            found.extend(is_there(it)?.then_some(it));
        }
        Ok(found)
    };
    let mut kept: Vec<&Descriptor> = match wanted {
        None => there(&|_| true)?,
        Some(wanted) => {
            let mut kept = vec![];
            for name in wanted {
                let found = there(&|it| it.known_platform().is_some_and(|own| own.is(name)))?;
                if found.is_empty() {
                    let available = platforms(manifests).into_keys().collect();
                    return Err(Error::Platform { missing: name.clone(), available });
                }
                kept.extend(found);
            }
            kept
        }
    };
    if let (Some(_), [one]) = (wanted, &kept[..]) {
        return Ok(Root::One((*one).clone()));
    }
    // Statements of how an image was built go with it.
    let about = there(&|it| {
        it.annotations.get(ABOUT).is_some_and(|about| kept.iter().any(|kept| kept.digest.as_str() == about))
    })?;
    kept.extend(about);
    let digests: BTreeSet<&Digest> = kept.iter().map(|it| &it.digest).collect();
    if manifests.iter().all(|it| digests.contains(&it.digest)) {
        return Ok(Root::Whole);
    }
    if digests.is_empty() {
        return Err(Error::Platform { missing: "any platform".to_owned(), available: vec![] });
    }
    fewer(root, &digests).map(Root::Fewer)
}

/// An index of some of the images, in all else as it was.
fn fewer(root: &Manifest, kept: &BTreeSet<&Digest>) -> Result<Manifest, Error> {
    let malformed = |reason: String| {
        Error::Source(client::Error::Malformed { what: format!("the index {}", root.digest), reason })
    };
    let mut document: Value =
        serde_json::from_slice(&root.bytes).map_err(|error| malformed(error.to_string()))?;
    if let Some(manifests) = document.get_mut("manifests").and_then(Value::as_array_mut) {
        manifests.retain(|it| {
            it["digest"].as_str().is_some_and(|own| kept.iter().any(|kept| kept.as_str() == own))
        });
    }
    Manifest::read(Bytes::from(document.to_string()), Some(&root.media_type)).map_err(malformed)
}
