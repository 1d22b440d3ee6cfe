//! S8 to S12, S14 and S15: what object stores refuse, and what their clients cannot reach.

use super::Given;
use crate::registry::{Dialect, Finding};
use http::Uri;
use std::net::IpAddr;

const MIB: i64 = 1 << 20;
const GIB: i64 = 1 << 30;

/// The regions that Distribution's S3 driver knows in every dialect (the SDK's table of 2.8.3).
const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// Those that Distribution 3 knows beside (the SDK's table of 3.0.0 and 3.1.1, which are the same).
const REGIONS_OF_3: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-west-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "us-gov-east-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
];

const ACLS: &[&str] = &[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// The S3 driver as it is set up.
#[derive(Clone, Debug, Default)]
pub struct S3<'a> {
    /// Which Distribution reads it.
    pub dialect: Option<Dialect>,
    /// `storage.s3.region`
    pub region: Given<&'a str>,
    /// `storage.s3.region_endpoint`
    pub endpoint: Given<&'a str>,
    /// Whether `access_key` is set, in whatever spelling.
    pub has_access_key: Option<bool>,
    /// Whether `secret_key` is set, in whatever spelling.
    pub has_secret_key: Option<bool>,
    /// `storage.s3.encrypt`
    pub encrypt: Option<bool>,
    /// Whether `kms_key_id` is set.
    pub has_kms_key: Option<bool>,
    /// `storage.s3.storage_class`
    pub storage_class: Option<&'a str>,
    /// `storage.s3.object_acl`
    pub object_acl: Option<&'a str>,
    /// Sizes of parts by their attributes, in bytes.
    pub part_sizes: Vec<(&'static str, i64)>,
    /// `storage.redirect`
    pub redirect: Option<bool>,
    /// `url`, by which clients call the registry.
    pub url: Option<&'a str>,
}

/// Applies S8, S9, S10, S11, S12 and S15.
pub fn s3(s3: &S3<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    region(s3, &mut findings);
    if let (Some(access), Some(secret)) = (s3.has_access_key, s3.has_secret_key)
        && access != secret
    {
        let (there, missing) =
            if access { ("access_key", "secret_key") } else { ("secret_key", "access_key") };
        findings.push(Finding::error(
            "S9",
            format!("storage.s3.{there}"),
            format!(
                "{there} is set, but {missing} is not. Set both, or neither: then the registry takes them from its \
                 environment, a credentials file or the role of its machine."
            ),
        ));
    }
    for (attribute, bytes) in &s3.part_sizes {
        let path = format!("storage.s3.{attribute}");
        findings.extend(size(&path, *bytes, 5 * MIB, Some(5 * GIB), "5 MiB to 5 GiB"));
    }
    words(s3, &mut findings);
    reach(s3, &mut findings);
    if s3.encrypt == Some(false) && s3.has_kms_key == Some(true) {
        let message = "kms_key_id has no effect without encryption. Set encrypt = true.";
        findings.push(Finding::warning("S15", "storage.s3.kms_key_id", message));
    }
    findings
}

/// S8. The driver looks a region up in the table of its SDK, unless there is an endpoint.
fn region(s3: &S3<'_>, findings: &mut Vec<Finding>) {
    let path = "storage.s3.region";
    let is_2 = s3.dialect == Some(Dialect::V2_8);
    match (s3.region, s3.endpoint) {
        (Given::Unset | Given::Is(""), Given::Unset | Given::Is("")) => {
            let message = "S3 needs a region, such as \"eu-west-1\", or for another store than Amazon's region_endpoint: the \
                           registry would not start (\"no region parameter provided\").";
            findings.push(Finding::error("S8", path, message));
        }
        (Given::Unset | Given::Is(""), Given::Is(_)) if is_2 => {
            let message = "Distribution 2.8 wants a region even with region_endpoint: the registry would not start. Any word \
                           that the store takes is good, such as \"us-east-1\".";
            findings.push(Finding::error("S8", path, message));
        }
        (Given::Is(region), Given::Unset) if !REGIONS.contains(&region) => {
            let Some(dialect) = s3.dialect else { return };
            let is_known = dialect.is_3() && REGIONS_OF_3.contains(&region);
            if is_known {
                return;
            }
            let message = format!(
                "Distribution {dialect} does not know the region {region:?}: the registry would not start (\"invalid region \
                 provided\"). Correct it, or set region_endpoint = \"https://s3.{region}.amazonaws.com\", with which the \
                 name is not looked up."
            );
            // What follows 3.1 may know more of them.
            findings.push(match dialect == Dialect::V3_1 && looks_like_a_region(region) {
                true => Finding::warning("S8", path, message),
                false => Finding::error("S8", path, message),
            });
        }
        _ => {}
    }
}

fn looks_like_a_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] if words.len() >= 2 => {
            words.iter().all(is_word) && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// S10 for words.
fn words(s3: &S3<'_>, findings: &mut Vec<Finding>) {
    if let (Some(class), Some(dialect)) = (s3.storage_class, s3.dialect) {
        let known = storage_classes(dialect);
        if !known.contains(&class.to_ascii_uppercase().as_str()) {
            let message = format!(
                "Distribution {dialect} does not know the storage class {class:?}: the registry would not start. It knows {}.",
                known.join(", ")
            );
            findings.push(Finding::error("S10", "storage.s3.storage_class", message));
        }
    }
    if let Some(acl) = s3.object_acl.filter(|acl| !ACLS.contains(acl)) {
        let message =
            format!("{acl:?} is no ACL of S3: the registry would not start. There are {}.", ACLS.join(", "));
        findings.push(Finding::error("S10", "storage.s3.object_acl", message));
    }
}

fn storage_classes(dialect: Dialect) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        "NONE",
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "OUTPOSTS",
        "GLACIER_IR",
        "EXPRESS_ONEZONE",
    ];
    match dialect {
        Dialect::V2_8 => &ALL[..3],
        Dialect::V3_0 => &ALL[..8],
        Dialect::V3_1 => ALL,
    }
}

/// S11 and S12: where clients are sent for the layers.
fn reach(s3: &S3<'_>, findings: &mut Vec<Finding>) {
    let (Given::Is(endpoint), Some(true)) = (s3.endpoint, s3.redirect) else { return };
    let endpoint = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
    let Some((scheme, host)) = endpoint
        .parse::<Uri>()
        .ok()
        .and_then(|uri| Some((uri.scheme_str()?.to_owned(), uri.host()?.to_owned())))
    else {
        return;
    };
    if is_inside(&host) {
        let message = format!(
            "Clients are redirected to {scheme}://{host} for every layer, and only the swarm itself knows that host. Set \
             storage.redirect = false, unless all clients reach it."
        );
        findings.push(Finding::warning("S11", "storage.redirect", message));
    }
    if scheme == "http" && s3.url.is_some_and(|url| url.starts_with("https://")) {
        let message = "The registry is called by https, but clients are redirected to region_endpoint by http: layers would \
                       cross the network in clear. Set storage.redirect = false, or use https for the endpoint.";
        findings.push(Finding::warning("S12", "storage.s3.region_endpoint", message));
    }
}

/// Whether a host is one that only the swarm's own networks know: a name without a dot, or an address that is not public.
fn is_inside(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => !host.trim_end_matches('.').contains('.'),
    }
}

/// S10 for the sizes in which Google's, OpenStack's and Alibaba's stores take uploads.
pub fn chunk_size(driver: &str, bytes: Option<i64>) -> Option<Finding> {
    let bytes = bytes?;
    let path = format!("storage.{driver}.chunk_size");
    match driver {
        "gcs" if bytes <= 0 || bytes % (256 << 10) != 0 => {
            let message = "A chunk of Google's store is a multiple of 256 KiB, such as 16 MiB: the registry would not start.";
            Some(Finding::error("S10", path, message))
        }
        "swift" => size(&path, bytes, MIB, None, "at least 1 MiB"),
        "oss" => size(&path, bytes, 5 * MIB, None, "at least 5 MiB"),
        _ => None,
    }
}

fn size(path: &str, bytes: i64, least: i64, most: Option<i64>, words: &str) -> Option<Finding> {
    let fits = bytes >= least && most.is_none_or(|most| bytes <= most);
    let message = || format!("It is {bytes} bytes, and must be {words}: the registry would not start.");
    (!fits).then(|| Finding::error("S10", path, message()))
}

/// S14: since Distribution 3 Azure's store wants to be told the kind of credentials, which follows from those that are
/// set.
///
/// The arguments say whether the account's key, a client's secret and the machine's own credentials are set, in whatever
/// spelling.
pub fn azure_credentials(
    dialect: Option<Dialect>,
    account_key: Option<bool>,
    client_secret: Option<bool>,
    machine: Option<bool>,
) -> Option<Finding> {
    let set = [account_key?, client_secret?, machine?].into_iter().filter(|set| *set).count();
    let message = match (dialect?, set) {
        (_, 2..) => {
            "Only one kind of credentials can be used: account_key, client_secret or default_credentials."
                .to_owned()
        }
        (Dialect::V2_8, _) if account_key == Some(false) => {
            "Distribution 2.8 knows no other credentials of Azure than account_key.".to_owned()
        }
        (dialect, 0) => format!(
            "Distribution {dialect} would not start without credentials (\"invalid credentials type\"). Set account_key, \
             client_secret or default_credentials."
        ),
        _ => return None,
    };
    Some(Finding::error("S14", "storage.azure", message))
}

#[cfg(test)]
mod tests;
