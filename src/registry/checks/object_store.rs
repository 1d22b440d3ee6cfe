//! S8 to S12 and S15: what object stores refuse, and what their clients cannot reach.
//!
//! Sizes of chunks and the words of ACLs are part of their attributes' types, which bear S10 too.

use super::Given;
use crate::registry::{Dialect, Finding};
use std::net::IpAddr;

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
    storage_class(s3, &mut findings);
    reach(s3, &mut findings);
    if s3.encrypt == Some(false) && s3.has_kms_key == Some(true) {
        let message = "kms_key_id has no effect without encryption. Set encrypt = true.";
        findings.push(Finding::warning("S15", "storage.s3.kms_key_id", message));
    }
    findings
}

/// S8. The driver looks a region up in the table of its SDK, unless there is an endpoint; then the provider writes one if none
/// is set.
fn region(s3: &S3<'_>, findings: &mut Vec<Finding>) {
    let path = "storage.s3.region";
    match (s3.region, s3.endpoint) {
        (Given::Unset | Given::Is(""), Given::Unset | Given::Is("")) => {
            let message = "S3 needs a region, such as \"eu-west-1\", or for another store than Amazon's region_endpoint: the \
                           registry would not start (\"no region parameter provided\").";
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

/// S10
fn storage_class(s3: &S3<'_>, findings: &mut Vec<Finding>) {
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
    if is_inside(endpoint) {
        let message = format!(
            "Clients are redirected to {} for every layer, and only the swarm itself knows that host. Leave it out, or set it to \
             false, unless all clients reach that host.",
            host(endpoint)
        );
        findings.push(Finding::warning("S11", "storage.redirect", message));
    }
    if endpoint.starts_with("http://") && s3.url.is_some_and(|url| url.starts_with("https://")) {
        let message = "The registry is called by https, but clients are redirected to region_endpoint by http: layers would \
                       cross the network in clear. Set storage.redirect = false, or use https for the endpoint.";
        findings.push(Finding::warning("S12", "storage.s3.region_endpoint", message));
    }
}

/// Whether an endpoint is one that only the swarm's own networks know: its host is a single word, such as a service's name or
/// `localhost`, or an address that is not public.
pub fn is_inside(endpoint: &str) -> bool {
    let host = host(endpoint);
    match host.parse() {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local(),
        Err(_) => !host.trim_end_matches('.').contains('.'),
    }
}

/// The host of an endpoint with or without scheme and port.
fn host(endpoint: &str) -> &str {
    let after_scheme = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
