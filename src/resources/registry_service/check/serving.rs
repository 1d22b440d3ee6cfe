//! On which ports the registry serves, by which certificate, and to whom.

use super::look::Look;
use crate::{
    registry::{
        Finding,
        certificate::{self, Material, PrivateKey},
        checks::{self, Access, LetsEncrypt, Port, PublishMode},
        configuration::DEBUG_PORT,
    },
    resources::service::list,
    terraform::Config,
};
use std::{collections::BTreeMap, time::SystemTime};

/// P4 to P7, T1 to T6, T8, T10 to T15 and C15.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let look = Look(config);
    let mut findings = ports(look);
    findings.extend(access(look));
    findings.extend(pair(look));
    findings.extend(checks::client_auth(
        look.is_set("tls.client_auth"),
        look.any_set("tls", ["client_ca", "client_ca_secret"]),
    ));
    if look.is_set("tls.lets_encrypt") == Some(true) {
        findings.extend(checks::lets_encrypt(&LetsEncrypt {
            replicas: look.replicas(),
            publishes_443: publishes_443(look),
        }));
    }
    let headers: BTreeMap<String, Vec<String>> = config.known("http.headers").unwrap_or_default();
    findings.extend(checks::headers(&headers));
    findings
}

fn ports(look: Look<'_>) -> Vec<Finding> {
    let config = look.0;
    let listens_by_tls = match look.is_set("tls") {
        Some(listens) => listens,
        None => return vec![],
    };
    let ports: Vec<Port<'_>> = list(config.get("publish"))
        .iter()
        .map(|port| Port {
            published: Look::number_of(port.get("port")),
            target: Look::number_of(port.get("target")),
            protocol: port.get("protocol").as_str().unwrap_or("tcp"),
            mode: match port.get("mode").as_str() {
                Some("host") => PublishMode::Host,
                _ => PublishMode::Ingress,
            },
        })
        .collect();
    let main = look.port("http.port").unwrap_or(if listens_by_tls { 443 } else { 5000 });
    let debug = look.port("metrics.port").unwrap_or(DEBUG_PORT);
    let is_dnsrr = look.text("endpoint_mode") == Some("dnsrr");
    checks::ports(&ports, main, debug, config.is_set("metrics"), is_dnsrr)
}

/// Whether port 443 is published; none where not all ports are known.
fn publishes_443(look: Look<'_>) -> Option<bool> {
    let publish = look.0.get("publish");
    let ports: Vec<_> = list(publish).iter().map(|port| port.get("port")).collect();
    if ports.iter().any(|port| Look::number_of(port) == Some(443)) {
        return Some(true);
    }
    let is_known = !publish.is_unknown() && !ports.iter().any(|port| port.is_unknown());
    is_known.then_some(false)
}

fn access(look: Look<'_>) -> Vec<Finding> {
    let config = look.0;
    let (Some(has_tls), Some(behind_tls_proxy)) = (look.is_set("tls"), look.flag("behind_tls_proxy", false))
    else {
        return look.text("url").map(checks::url).unwrap_or_default();
    };
    let published = list(config.get("publish")).first().and_then(|port| Look::number_of(port.get("port")));
    checks::access(&Access {
        url: look.text("url"),
        has_tls,
        behind_tls_proxy,
        // What is not known yet will be something.
        has_auth: config.is_set("auth"),
        has_passwords: look.is_set("auth.htpasswd") == Some(true),
        deletes: look.flag("storage.delete", false) == Some(true),
        published,
    })
}

/// The certificate and its key, as far as they are given here. Behind a proxy with TLS of its own no client sees them: the
/// name and the chain are then the proxy's affair.
fn pair(look: Look<'_>) -> Vec<Finding> {
    let Some(certificate) = look.text("tls.certificate") else { return vec![] };
    let key = look.text("tls.private_key").or(look.text("tls.private_key_wo"));
    let is_seen = look.flag("behind_tls_proxy", false) == Some(false);
    let host = look
        .text("url")
        .filter(|_| is_seen)
        .and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
    let material = Material { certificate, key: key.map(PrivateKey), host: host.as_deref(), ca: None };
    let mut found = certificate::inspect(material, SystemTime::now());
    found.retain(|finding| is_seen || finding.code != "T6");
    found
}
