//! `http`: how the registry serves.

use super::{file::in_file, one_of, port};
use crate::{
    registry::{
        Secret,
        configuration::{DEBUG_PORT, Hidden, Section},
    },
    terraform::{Duration, Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// How the registry serves (`http` of its configuration).
#[derive(Clone, Debug, Model)]
pub struct Http {
    /// Port on which the registry listens in its container (`http.addr`): 443 with `tls`, else 5000.
    #[tf(derived, check = port)]
    pub port: i64,

    /// What signs the state of uploads, equal in all replicas (`http.secret`). Without it the provider makes one and keeps
    /// it. It is kept in the state: better use `secret_wo`.
    pub secret: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    pub secret_wo: WriteOnly<String>,

    /// Raise it to send `secret_wo` again.
    pub secret_wo_version: Option<i64>,

    /// What the registry calls itself in the addresses that it gives out. `relative`: nothing, which survives every
    /// proxy and alias (`http.relativeurls`). `request`: what the client called it. `fixed`: the resource's `url`
    /// (`http.host`).
    #[tf(default = "relative", check = urls)]
    pub urls: String,

    /// Path under which everything is served, such as `/hub/` (`http.prefix`). Docker's clients know no prefix: it is for
    /// proxies.
    #[tf(check = prefix)]
    pub prefix: Option<String>,

    /// More headers of each answer, by name (`http.headers`). `X-Content-Type-Options: nosniff` is always there, unless it
    /// is named here.
    #[tf(default = BTreeMap::new())]
    pub headers: BTreeMap<String, Vec<String>>,

    /// Whether HTTP/2 is spoken to clients by TLS (`http.http2.disabled`).
    #[tf(default = true)]
    pub http2: bool,

    /// Whether HTTP/2 is spoken without TLS too, for a proxy in front (`http.h2c.enabled`). Distribution 3.0 and later.
    #[tf(default = false)]
    pub h2c: bool,

    /// How long a stopping registry goes on with the uploads in flight, such as `"30s"` (`http.draintimeout`).
    #[tf(default = Duration::from_secs(30))]
    pub drain_timeout: Duration,
}

impl Http {
    /// `http`, but for the certificates and the debug listener. The secret is that one where no attribute has another.
    pub fn section(&self, url: Option<&String>, secret: Secret) -> Section {
        let secret =
            in_file(&self.secret, &self.secret_wo, self.secret_wo_version).unwrap_or(Hidden::Kept(secret));
        let mut headers = self.headers.clone();
        if !headers.keys().any(|name| name.eq_ignore_ascii_case("X-Content-Type-Options")) {
            headers.insert("X-Content-Type-Options".to_owned(), vec!["nosniff".to_owned()]);
        }
        Section::new()
            .with("addr", format!(":{}", self.port))
            .with("secret", secret)
            .with("relativeurls", (self.urls == "relative").then_some(true))
            .with("host", url.filter(|_| self.urls == "fixed"))
            .with("prefix", &self.prefix)
            .with("headers", &headers)
            .with("http2", (!self.http2).then(|| Section::new().with("disabled", true)))
            .with("h2c", self.h2c.then(|| Section::new().with("enabled", true)))
            .with("draintimeout", self.drain_timeout.to_std())
    }
}

/// Metrics for Prometheus (`http.debug.prometheus`). They are never published, since the same port shows secrets.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Metrics {
    /// Port in the container.
    #[tf(default = 5001, check = port)]
    pub port: i64,

    /// Path of the metrics.
    #[tf(default = "/metrics", check = super::absolute)]
    pub path: String,
}

/// `http.debug`. The debug listener answers the health check. It has no authentication and shows profiles and settings, so
/// it listens on loopback alone unless metrics are to be read from outside.
pub fn debug(metrics: Option<&Metrics>) -> Section {
    let Some(metrics) = metrics else {
        return Section::new().with("addr", format!("127.0.0.1:{}", DEBUG_PORT));
    };
    let prometheus = Section::new().with("enabled", true).with("path", &metrics.path);
    Section::new().with("addr", format!("0.0.0.0:{}", metrics.port)).with("prometheus", prometheus)
}

fn urls(urls: &str) -> Result<(), String> {
    one_of(urls, &["relative", "request", "fixed"])
}

fn prefix(prefix: &str) -> Result<(), String> {
    if prefix.starts_with('/') && prefix.ends_with('/') {
        Ok(())
    } else {
        Err("a prefix begins and ends with a slash".to_owned())
    }
}
