//! Where the images are, and what is mounted beside them.

use super::look::Look;
use crate::{
    registry::{
        Finding,
        checks::{self, Given, Mount, S3, StorageUse, Store},
        configuration::paths,
    },
    resources::service::list,
    terraform::{Config, Diagnostic, Value},
};

const DRIVERS: [&str; 7] = ["filesystem", "s3", "azure", "gcs", "swift", "oss", "in_memory"];

/// S1 to S4, S6, S8 to S12, S15, S18 and C18.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    if config.get("storage").is_unknown() {
        return vec![];
    }
    let mut findings = checks::storage(&storage_use(look));
    findings.extend(one_place(look));
    if config.is_set("storage.s3") && !config.get("storage.s3").is_unknown() {
        findings.extend(checks::s3(&s3(look)));
    }
    // Where it mounts nothing itself, the images may well be on one of the user's mounts.
    let mounts_itself = |own: checks::Filesystem<'_>| !matches!(own.mount, Mount::Nothing | Mount::Extra);
    let root = storage_use(look).filesystem.filter(|own| mounts_itself(*own)).map(|_| root_directory(look));
    findings.extend(checks::mounts(&look.texts("mounts", "target"), root));
    findings.extend(checks::read_only(look.flag("storage.read_only", false)));
    findings
}

/// S3, where the image's own configuration is in charge.
pub(super) fn none(config: &Config) -> Option<Diagnostic> {
    if holds(config.get("mounts"), paths::ROOT_DIRECTORY) {
        return None;
    }
    let detail = "Docker gives each task an anonymous volume there and deletes it with the task: the next update or restart \
                  of the service loses all images. Set `storage`, or mount a volume.";
    Some(Diagnostic::warning("Nothing is mounted on /var/lib/registry (S3)", detail).at("storage"))
}

/// Whether one of the user's mounts is, or may come to be, at a path or above it.
fn holds(mounts: &Value, path: &str) -> bool {
    let covers = |mount: &Value| {
        mount.get("target").as_str().is_none_or(|target| checks::covers(target.trim_end_matches('/'), path))
    };
    mounts.is_unknown() || list(mounts).iter().any(covers)
}

fn root_directory(look: Look<'_>) -> &str {
    look.text("storage.filesystem.root_directory").unwrap_or(paths::ROOT_DIRECTORY)
}

/// What the storage rules look at, here and where the swarm is known.
pub(super) fn storage_use(look: Look<'_>) -> StorageUse<'_> {
    let config = look.0;
    let has = |name: &str| config.is_set(&format!("storage.filesystem.{name}"));
    let mount = match (look.given("storage.filesystem.volume"), look.given("storage.filesystem.bind")) {
        (Given::Is(volume), _) => Mount::Volume(volume),
        (_, Given::Is(folder)) => Mount::Bind(folder),
        _ if has("nfs") || has("cluster_volume") => Mount::SharedVolume("of the cluster"),
        _ if has("tmpfs") => Mount::Tmpfs,
        // Something is mounted, but not yet known what.
        _ if has("volume") || has("bind") => Mount::Extra,
        _ if holds(config.get("mounts"), root_directory(look)) => Mount::Extra,
        _ => Mount::Nothing,
    };
    let filesystem = config.is_set("storage.filesystem").then(|| checks::Filesystem {
        mount,
        root_directory: look.text("storage.filesystem.root_directory"),
        // What is not known may be true.
        shared: match config.get("storage.filesystem.shared") {
            Value::Unknown(_) => Some(true),
            _ => config.known("storage.filesystem.shared"),
        },
    });
    StorageUse {
        replicas: look.replicas(),
        in_memory: config.is_set("storage.in_memory"),
        filesystem: filesystem.filter(|_| !config.get("storage.filesystem").is_unknown()),
        has_constraint: !list(config.get("placement.constraints")).is_empty()
            || !config.is_known("placement"),
        is_cache: config.is_set("proxy"),
    }
}

/// Who sees one and the same storage; none where that is not known.
pub(super) fn store(look: Look<'_>) -> Option<Store> {
    let storage = storage_use(look);
    let set: Vec<&str> =
        DRIVERS.into_iter().filter(|name| look.0.is_set(&format!("storage.{name}"))).collect();
    match (set.as_slice(), storage.filesystem) {
        (["in_memory"], _) => Some(Store::OfTask),
        (["filesystem"], Some(files)) if files.shared == Some(true) => Some(Store::OfAll),
        (["filesystem"], Some(files)) => match files.mount {
            Mount::Volume(_) | Mount::Bind(_) => Some(Store::OfNode),
            Mount::SharedVolume(_) => Some(Store::OfAll),
            Mount::Tmpfs | Mount::Nothing => Some(Store::OfTask),
            Mount::Extra => None,
        },
        ([_], None) if !set.contains(&"filesystem") => Some(Store::OfAll),
        _ => None,
    }
}

/// S6 for what is mounted under the images; that there is one driver, the whole file shows.
fn one_place(look: Look<'_>) -> Option<Finding> {
    let places = ["volume", "bind", "nfs", "cluster_volume", "tmpfs"];
    let is_set = |name: &&str| look.is_set(&format!("storage.filesystem.{name}")) == Some(true);
    (places.iter().filter(|name| is_set(name)).count() > 1).then(|| {
        let message = "Only one of volume, bind, nfs, cluster_volume and tmpfs can hold the images.";
        Finding::error("S6", "storage.filesystem", message)
    })
}

fn s3(look: Look<'_>) -> S3<'_> {
    let of = |name: &str| look.text(&format!("storage.s3.{name}"));
    let endpoint = look.given("storage.s3.region_endpoint");
    S3 {
        dialect: look.dialect(),
        region: look.given("storage.s3.region"),
        endpoint,
        has_access_key: look.any_set("storage.s3", ["access_key", "access_key_wo"]),
        has_secret_key: look.any_set("storage.s3", ["secret_key", "secret_key_wo"]),
        encrypt: look.flag("storage.s3.encrypt", false),
        has_kms_key: look.is_set("storage.s3.kms_key_id"),
        storage_class: of("storage_class"),
        // Where nothing is said, nobody is sent inside.
        redirect: look.flag("storage.redirect", endpoint.value().is_none_or(|own| !checks::is_inside(own))),
        url: look.text("url"),
    }
}
