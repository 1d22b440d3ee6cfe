//! The registry's own settings, in Distribution's words: what becomes its configuration file.
//!
//! One file here is one section of that file. It has the attributes, how they are written, and which further files and
//! secrets they need.

mod auth;
mod cache;
pub mod dialects;
mod file;
mod health;
mod http;
mod log;
mod middleware;
mod notifications;
mod proxy;
mod removed;
pub mod spellings;
pub mod storage;
mod tls;
mod tracing;
mod validation;
mod wait_for;

pub use auth::Auth;
pub use cache::Cache;
pub use file::{Content, File, Role};
pub use health::Health;
pub use http::{Http, Metrics};
pub use log::Log;
pub use middleware::Middleware;
pub use notifications::Endpoint;
pub use proxy::Proxy;
pub use removed::{Compatibility, Reporting};
pub use storage::Storage;
pub use tls::Tls;
pub use tracing::Tracing;
pub use validation::{Limits, Policy, Validation};
pub use wait_for::WaitFor;

use crate::{
    registry::{
        Dialect, Secret,
        configuration::{Configuration, ExtraConfig, Section},
    },
    resources::service::one_of,
    terraform::{Config, Diagnostic, Duration, Model, Object, Plan, Result, WriteOnly},
};
use std::collections::BTreeMap;

/// The attributes of which the configuration file is made.
#[derive(Clone, Debug, Default, Model)]
pub struct Settings {
    /// The version of the configuration's format: `2.8`, `3.0` or `3.1`. By default what the image's tag says.
    #[tf(derived, check = distribution)]
    pub distribution: Option<String>,

    /// The address at which clients reach the registry, such as `https://hub.example.com`. The certificate is checked
    /// against its host.
    #[tf(check = web_address)]
    pub url: Option<String>,

    /// How the registry serves.
    #[tf(derived)]
    pub http: Option<Http>,

    /// The certificate with which the registry serves. Without it the registry speaks HTTP.
    pub tls: Option<Tls>,

    /// Where the images are.
    pub storage: Option<Storage>,

    /// Where the registry keeps what it knows of the layers at hand. Without it in the memory of each replica.
    pub cache: Option<Cache>,

    /// Where clients get the layers from, instead of the store itself.
    pub middleware: Option<Middleware>,

    /// The other registry of which this one is a cache.
    pub proxy: Option<Proxy>,

    /// Who may use the registry. Without it everybody may.
    pub auth: Option<Auth>,

    /// What the registry logs.
    pub log: Option<Log>,

    /// When the registry calls itself unhealthy.
    pub health: Option<Health>,

    /// Metrics for Prometheus.
    pub metrics: Option<Metrics>,

    /// Where traces of requests go. Without it nowhere.
    pub tracing: Option<Tracing>,

    /// Who is told what happens to the images, by names of your own.
    #[tf(default = BTreeMap::new())]
    pub notifications: BTreeMap<String, Endpoint>,

    /// Whether what a manifest refers to is told too (`notifications.events.includereferences`).
    #[tf(default = false)]
    pub notification_references: bool,

    /// Which manifests the registry takes.
    pub validation: Option<Validation>,

    /// What may be in a repository.
    pub policy: Option<Policy>,

    /// How much the registry lists at once.
    pub limits: Option<Limits>,

    /// Support of formats of old. Distribution 2.8 alone.
    pub compatibility: Option<Compatibility>,

    /// Services that are told of errors. Distribution 2.8 alone.
    pub reporting: Option<Reporting>,

    /// Certificates as PEM text of authorities that the registry trusts beside the system's: those of an object store, or of
    /// the registry that it caches.
    pub trusted_ca: Option<String>,

    /// ID or name of a secret with such certificates.
    pub trusted_ca_secret: Option<String>,

    /// Whether something in front of the registry speaks TLS for it. Then it is no fault that `url` begins with `https` and
    /// there is no `tls` (T15), nor that passwords reach it in clear (T11). With `tls`, that something speaks TLS with the
    /// registry too, and no client sees the certificate here: it may be of another name and another authority (T4, T6).
    #[tf(default = false)]
    pub behind_tls_proxy: bool,

    /// YAML or JSON that is merged into the configuration file last, for what has no attribute. `null` removes a key.
    pub extra_config: Option<String>,

    /// The same, kept in neither plan nor state, and merged after `extra_config`: for keys whose values are secret.
    pub extra_config_wo: WriteOnly<String>,

    /// Raise it to send `extra_config_wo` again.
    pub extra_config_wo_version: Option<i64>,
}

/// Those of the settings that have a meaning without a configuration file too.
const ALWAYS: [&str; 3] = ["distribution", "url", "storage"];

impl Settings {
    /// The settings that a configuration alone makes, given as JSON; for tests.
    ///
    /// # Errors
    /// An attribute has a value of another type.
    pub fn from_json(config: serde_json::Value) -> Result<Self> {
        Self::configured(Object::from_value(config.into())?)
    }

    /// The attributes that only a configuration file can carry out.
    pub fn of_the_file() -> impl Iterator<Item = &'static str> {
        Settings::attributes().into_iter().map(|(name, _)| name).filter(|name| !ALWAYS.contains(name))
    }

    /// What an apply of the plan will see, if all of it is known and the provider renders the file at all.
    pub fn planned(plan: &Plan) -> Option<Self> {
        plan.applied::<Settings>().filter(Settings::are_rendered)
    }

    /// What a state holds of them.
    pub fn of_state(state: &Config) -> Option<Self> {
        Settings::decode(state.0.clone()).ok()
    }

    /// Whether the provider renders the configuration file. Without `storage` it does not, and the image's own is in
    /// charge, as in a service that was made by hand.
    pub fn are_rendered(&self) -> bool {
        self.storage.is_some()
    }

    /// The dialect in which the file is written.
    pub fn dialect(&self) -> Dialect {
        let known = self.distribution.as_ref().and_then(|dialect| dialect.parse().ok());
        known.unwrap_or(Dialect::V3_1)
    }

    /// The configuration, with that HTTP secret.
    ///
    /// # Errors
    /// `extra_config` or `extra_config_wo` does not read.
    pub fn configuration(&self, http_secret: Secret) -> Result<Configuration> {
        Ok(Configuration { sections: self.sections(http_secret), extra: self.extra()? })
    }

    /// What is laid over the sections, in this order.
    fn extra(&self) -> Result<Vec<ExtraConfig>> {
        let plain =
            self.extra_config.iter().map(|text| ("extra_config", ExtraConfig::parse("extra_config", text)));
        let hidden = self.extra_config_wo.expose().map(|text| {
            let (attribute, version) = ("extra_config_wo", self.extra_config_wo_version);
            (attribute, ExtraConfig::parse_secret(attribute, &text.as_str().into(), version))
        });
        let extra = plain.chain(hidden).map(|(attribute, extra)| {
            extra.map_err(|error| {
                Diagnostic::error(format!("Invalid value for `{attribute}`"), format!("It is {error}."))
                    .at(attribute)
            })
        });
        extra.collect()
    }

    fn sections(&self, http_secret: Secret) -> Section {
        let dialect = self.dialect();
        let http = self.http.as_ref().map(|http| http.section(self.url.as_ref(), http_secret));
        let http = http
            .unwrap_or_default()
            .with("debug", http::debug(self.metrics.as_ref()))
            .with("tls", self.tls.as_ref().map(Tls::section));
        let storage = self.storage.as_ref().map(|storage| storage.section(dialect)).unwrap_or_default();
        let cache = self.cache.as_ref();
        let notifications =
            notifications::section(&self.notifications, self.notification_references, dialect);
        Section::new()
            .with("http", http)
            .with("log", self.log.clone().unwrap_or_default().section())
            .with("storage", storage.with("cache", Cache::section(cache)))
            .with("middleware", self.middleware.as_ref().map(Middleware::section))
            .with("proxy", self.proxy.as_ref().map(Proxy::section))
            .with("redis", cache.and_then(|cache| cache.redis(dialect)))
            .with("auth", self.auth.as_ref().map(Auth::section))
            .with("health", self.health.clone().unwrap_or_default().section())
            .with("notifications", notifications)
            .with("validation", self.validation.as_ref().map(Validation::section))
            .with("policy", self.policy.as_ref().map(Policy::section))
            .with("compatibility", self.compatibility.as_ref().map(Compatibility::section))
            .with("reporting", self.reporting.as_ref().map(Reporting::section))
            .and(self.limits.as_ref().map(Limits::sections).unwrap_or_default())
    }

    /// The further files that the registry reads.
    pub fn files(&self) -> Vec<File> {
        let mut files = vec![];
        if let Some(tls) = &self.tls {
            files.extend(tls.files());
        }
        if let Some(auth) = &self.auth {
            files.extend(auth.files());
        }
        if let Some(storage) = &self.storage {
            files.extend(storage.files());
        }
        if let Some(cache) = &self.cache {
            files.extend(cache.files());
        }
        if let Some(middleware) = &self.middleware {
            files.extend(middleware.files());
        }
        if let Some(compatibility) = &self.compatibility {
            files.extend(compatibility.files());
        }
        let trusted = Content::optional(&self.trusted_ca, &self.trusted_ca_secret);
        files.extend(File::all([(Role::TrustedCa, "trusted_ca", trusted)]));
        files
    }

    /// The variables that the registry's container needs beside what the user sets.
    pub fn environment(&self) -> Vec<(String, String)> {
        if !self.are_rendered() {
            return vec![];
        }
        let mut variables: BTreeMap<&str, String> =
            self.dialect().environment().iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        variables.extend(self.tracing.iter().flat_map(Tracing::environment));
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// Whether a configuration has the file rendered; see [`Settings::are_rendered`].
pub fn is_rendered(config: &Config) -> bool {
    config.is_set("storage")
}

fn distribution(version: &str) -> std::result::Result<(), String> {
    one_of(version, &["2.8", "3.0", "3.1"])
}

fn port(port: &i64) -> std::result::Result<(), String> {
    if (1..=65535).contains(port) { Ok(()) } else { Err("a port is a number from 1 to 65535".to_owned()) }
}

fn absolute(path: &str) -> std::result::Result<(), String> {
    if path.starts_with('/') && path.len() > 1 {
        Ok(())
    } else {
        Err("a path is absolute, and not the root".to_owned())
    }
}

fn at_least_one(number: &i64) -> std::result::Result<(), String> {
    if *number >= 1 { Ok(()) } else { Err("1 or more".to_owned()) }
}

/// Distribution takes no time at all for its own default.
fn some_time(time: &Duration) -> std::result::Result<(), String> {
    if time.nanos() > 0 { Ok(()) } else { Err("more than no time at all is needed".to_owned()) }
}

fn some(list: &[String]) -> std::result::Result<(), String> {
    if list.is_empty() || list.iter().any(String::is_empty) {
        Err("at least one is needed, and none that is empty".to_owned())
    } else {
        Ok(())
    }
}

fn host_and_port(address: &str) -> std::result::Result<(), String> {
    match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        _ => Err("a host and a port are needed, such as `mail.example.com:587`".to_owned()),
    }
}

/// Distribution ignores an address without a scheme without a word (checks T13 and C3).
pub fn web_address(url: &str) -> std::result::Result<(), String> {
    match url.parse::<::http::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => Ok(()),
        _ => Err("an address begins with `http://` or `https://` and a host".to_owned()),
    }
}

#[cfg(test)]
pub(super) mod tests;
