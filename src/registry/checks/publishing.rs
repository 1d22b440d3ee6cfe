//! P4 to P7 and T11 to T15: on which ports the registry stands, who can come in, and whether its URL fits.

use crate::registry::Finding;
use http::Uri;
use std::collections::BTreeSet;

/// How a port is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PublishMode {
    /// On every node, by the routing mesh.
    Ingress,
    /// On the nodes that have a task.
    Host,
}

/// One entry of `publish`.
#[derive(Clone, Copy, Debug)]
pub struct Port<'a> {
    /// `port` on the node; `None` where Swarm chooses or it isn't known.
    pub published: Option<u16>,
    /// `target` in the container; `None` where it follows the registry's port.
    pub target: Option<u16>,
    /// `protocol`, such as `tcp`.
    pub protocol: &'a str,
    /// `mode`
    pub mode: PublishMode,
}

/// Applies P4, P5, P6 and P7 to `publish`, for a registry that listens on `main`, and for metrics or health on `debug`.
pub fn ports(publish: &[Port<'_>], main: u16, debug: u16, has_metrics: bool, is_dnsrr: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken = BTreeSet::new();
    for (at, port) in publish.iter().enumerate() {
        let path = |field: &str| format!("publish[{at}].{field}");
        if let Some(published) = port.published
            && !taken.insert((published, port.protocol))
        {
            let message = format!("Port {published}/{} is published more than once.", port.protocol);
            findings.push(Finding::error("P4", path("port"), message));
        }
        if is_dnsrr && port.mode == PublishMode::Ingress {
            let message = "With endpoint_mode = \"dnsrr\" there is no routing mesh. Use mode = \"host\", or endpoint_mode = \
                           \"vip\".";
            findings.push(Finding::error("P4", path("mode"), message));
        }
        match port.target {
            Some(target) if target == debug && has_metrics => {
                let message = format!(
                    "Port {target} is the debug listener. It has no authentication and shows profiles, settings and, with \
                     redis, its password; let Prometheus read it over a network instead."
                );
                findings.push(Finding::warning("P7", path("target"), message));
            }
            Some(target) if target != main => {
                let message = format!(
                    "Nothing listens on port {target} in the container; the registry does on {main}. Leave target out, or \
                     set http.port."
                );
                findings.push(Finding::error("P5", path("target"), message));
            }
            _ => {}
        }
    }
    if main == debug {
        let (path, message) = if has_metrics {
            ("metrics.port", format!("Port {debug} is also the registry's own port; choose another."))
        } else {
            (
                "http.port",
                format!("Port {debug} is taken by the health listener; choose another, or set metrics.port."),
            )
        };
        findings.push(Finding::error("P6", path, message));
    }
    findings
}

/// What the rules on who can come in look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access<'a> {
    /// `url`, by which clients call the registry.
    pub url: Option<&'a str>,
    /// Whether the registry encrypts by itself.
    pub has_tls: bool,
    /// Whether the user says that a proxy in front of it does.
    pub behind_tls_proxy: bool,
    /// Whether there is any kind of authentication.
    pub has_auth: bool,
    /// Whether it is by passwords that cross the wire.
    pub has_passwords: bool,
    /// `storage.delete`
    pub deletes: bool,
    /// The first published port.
    pub published: Option<u16>,
}

/// Applies T11, T12 and T15, and [`url`].
pub fn access(access: &Access<'_>) -> Vec<Finding> {
    let mut findings = access.url.map(url).unwrap_or_default();
    let scheme =
        access.url.and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_https = scheme.as_deref() == Some("https");
    if access.has_passwords && !access.has_tls && !access.behind_tls_proxy && !is_https {
        let message = "Passwords cross the network in clear: set tls, or url = \"https://…\" if a proxy in front of the \
                       registry encrypts.";
        findings.push(Finding::warning("T11", "auth", message));
    }
    if let (false, Some(port)) = (access.has_auth, access.published) {
        let what = if access.deletes { "push, and delete every image" } else { "push" };
        let message = format!(
            "Anyone who reaches port {port} can pull and {what}. Set auth, for example auth.htpasswd."
        );
        findings.push(Finding::warning("T12", "auth", message));
    }
    if is_https && !access.has_tls && !access.behind_tls_proxy {
        let message = "The url is https, but tls is not set: unless a proxy in front of the registry encrypts, clients get \
                       no answer.";
        findings.push(Finding::warning("T15", "url", message));
    }
    if scheme.as_deref() == Some("http") && access.has_tls {
        let message = "The url is http, but tls is set: the registry would answer \"Client sent an HTTP request to an HTTPS \
                       server\". Use https.";
        findings.push(Finding::warning("T15", "url", message));
    }
    findings
}

/// Applies T13 and T14 to a `url`.
pub fn url(url: &str) -> Vec<Finding> {
    let is_known = |scheme: &str| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    if !url.split_once("://").is_some_and(|(scheme, _)| is_known(scheme)) {
        let message = format!(
            "{url:?} has no scheme; Distribution would ignore it without a word. Write https://HOST or http://HOST."
        );
        return vec![Finding::error("T13", "url", message)];
    }
    let Some(parsed) = url.parse::<Uri>().ok().filter(|url| url.host().is_some_and(|host| !host.is_empty()))
    else {
        return vec![Finding::error(
            "T13",
            "url",
            format!("{url:?} is not a URL; write https://HOST[:PORT]."),
        )];
    };
    if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
        let message = "The url has a path or query, which Distribution ignores: image names have room for a host and a port \
                       only. Leave it out.";
        return vec![Finding::warning("T14", "url", message)];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Codes = Vec<(bool, &'static str)>;

    fn codes(findings: &[Finding]) -> Codes {
        findings.iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    fn port(published: u16, target: Option<u16>) -> Port<'static> {
        Port { published: Some(published), target, protocol: "tcp", mode: PublishMode::Ingress }
    }

    fn check(publish: &[Port<'_>]) -> Codes {
        codes(&ports(publish, 443, 5001, true, false))
    }

    #[test]
    fn p4_ports_that_swarm_refuses() {
        assert_eq!(check(&[port(443, None), port(443, None)]), [(true, "P4")]);
        assert_eq!(
            check(&[port(443, None), Port { protocol: "udp", ..port(443, None) }, port(444, None)]),
            []
        );
        let ingress = [port(443, None)];
        assert_eq!(codes(&ports(&ingress, 443, 5001, false, true)), [(true, "P4")]);
        let host = [Port { mode: PublishMode::Host, ..ingress[0] }];
        assert_eq!(codes(&ports(&host, 443, 5001, false, true)), []);
    }

    #[test]
    fn p5_a_target_where_nothing_listens() {
        assert_eq!(check(&[port(443, Some(443))]), []);
        let findings = ports(&[port(1, None), port(443, Some(5000))], 443, 5001, true, false);
        assert_eq!((findings[0].code, findings[0].path.as_str()), ("P5", "publish[1].target"));
        // The health listener is on loopback: as good as nothing.
        assert_eq!(codes(&ports(&[port(443, Some(5001))], 443, 5001, false, false)), [(true, "P5")]);
    }

    #[test]
    fn p6_one_port_for_two_listeners() {
        for (has_metrics, path) in [(true, "metrics.port"), (false, "http.port")] {
            let findings = ports(&[], 5001, 5001, has_metrics, false);
            assert_eq!((findings[0].code, findings[0].path.as_str()), ("P6", path));
        }
    }

    #[test]
    fn p7_the_debug_listener_in_public() {
        assert_eq!(check(&[port(5001, Some(5001))]), [(false, "P7")]);
    }

    const HTTPS: Option<&str> = Some("https://hub.docker.local");

    #[test]
    fn t11_passwords_in_clear() {
        let clear = Access { has_auth: true, has_passwords: true, ..Access::default() };
        assert_eq!(codes(&access(&clear)), [(false, "T11")]);
        assert_eq!(codes(&access(&Access { has_tls: true, ..clear })), []);
        assert_eq!(codes(&access(&Access { url: HTTPS, behind_tls_proxy: true, ..clear })), []);
        assert_eq!(codes(&access(&Access { url: HTTPS, ..clear })), [(false, "T15")]);
    }

    #[test]
    fn t12_an_open_registry() {
        let open = Access { published: Some(443), has_tls: true, ..Access::default() };
        assert_eq!(codes(&access(&open)), [(false, "T12")]);
        assert!(!access(&open)[0].message.contains("delete"));
        assert!(access(&Access { deletes: true, ..open })[0].message.contains("delete"));
        assert_eq!(codes(&access(&Access { published: None, ..open })), []);
        assert_eq!(codes(&access(&Access { has_auth: true, ..open })), []);
    }

    #[test]
    fn t13_urls_that_are_none() {
        for text in ["hub.docker.local", "hub:443", "ftp://hub", "https://", "https://a b", "//hub"] {
            assert_eq!(codes(&url(text)), [(true, "T13")], "{text}");
        }
    }

    #[test]
    fn t14_urls_with_a_path() {
        for text in ["https://hub/v2", "https://hub/?a"] {
            assert_eq!(codes(&url(text)), [(false, "T14")], "{text}");
        }
        for text in ["https://hub", "https://hub/", "HTTPS://hub:5000", "http://[::1]:5000"] {
            assert_eq!(codes(&url(text)), [], "{text}");
        }
    }

    #[test]
    fn t15_a_url_of_the_other_kind() {
        assert_eq!(codes(&access(&Access { url: HTTPS, ..Access::default() })), [(false, "T15")]);
        assert_eq!(codes(&access(&Access { url: HTTPS, has_tls: true, ..Access::default() })), []);
        let http = Access { url: Some("http://hub"), has_tls: true, ..Access::default() };
        assert_eq!(codes(&access(&http)), [(false, "T15")]);
    }
}
