//! From the attributes to the registry's configuration file.

use super::{
    RegistryService,
    settings::{Auth, Health, Http, Log, Metrics, Storage, Tls},
};
use crate::{
    registry::{
        Dialect, Finding, Secret, Severity,
        configuration::{self as file, Configuration, ExtraConfig, paths},
    },
    terraform::{Diagnostic, Field, Plan, Result},
};

/// All that the file is made of.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub dialect: Dialect,
    pub url: Option<String>,
    pub http: Http,
    pub tls: Option<Tls>,
    pub auth: Option<Auth>,
    pub storage: Storage,
    pub log: Option<Log>,
    pub health: Option<Health>,
    pub metrics: Option<Metrics>,
    pub extra_config: Option<String>,
}

impl Settings {
    /// What a plan says, if all of it is known and the provider renders the file at all.
    pub fn planned(plan: &Plan) -> Option<Self> {
        fn optional<F: Field>(plan: &Plan, path: &str) -> Option<Option<F>> {
            if plan.get(path).is_null() {
                return Some(None);
            }
            plan.known(path).map(Some)
        }
        Some(Settings {
            dialect: plan.known::<String>("distribution")?.parse().ok()?,
            url: optional(plan, "url")?,
            http: plan.known("http")?,
            tls: optional(plan, "tls")?,
            auth: optional(plan, "auth")?,
            storage: plan.known("storage")?,
            log: optional(plan, "log")?,
            health: optional(plan, "health")?,
            metrics: optional(plan, "metrics")?,
            extra_config: optional(plan, "extra_config")?,
        })
    }

    /// What a resource says, if the provider renders the file at all.
    pub fn of(service: &RegistryService) -> Option<Self> {
        Some(Settings {
            dialect: service.distribution.as_deref()?.parse().ok()?,
            url: service.url.clone(),
            http: service.http.clone()?,
            tls: service.tls.clone(),
            auth: service.auth.clone(),
            storage: service.storage.clone()?,
            log: service.log.clone(),
            health: service.health.clone(),
            metrics: service.metrics.clone(),
            extra_config: service.extra_config.clone(),
        })
    }

    /// The configuration, with that HTTP secret.
    ///
    /// # Errors
    /// `extra_config` does not read.
    pub fn configuration(&self, http_secret: Secret) -> Result<Configuration> {
        let extra = match &self.extra_config {
            Some(text) => vec![ExtraConfig::parse("extra_config", text).map_err(|error| {
                Diagnostic::error("Invalid value for `extra_config`", format!("It is {error}.")).at("extra_config")
            })?],
            None => vec![],
        };
        Ok(Configuration {
            http: self.http(http_secret),
            tls: self.tls.as_ref().map(|tls| file::Tls {
                client_cas: tls.client_ca.iter().map(|_| paths::CLIENT_CA.to_owned()).collect(),
                minimum: tls.minimum.clone(),
                ..file::Tls::default()
            }),
            auth: self.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref()).map(|htpasswd| file::Auth::Htpasswd {
                realm: htpasswd.realm.clone(),
                path: paths::HTPASSWD.to_owned(),
            }),
            storage: self.storage(),
            cache: file::Cache::default(),
            health: self.health(),
            log: self.log(),
            metrics: self.metrics.as_ref().map(|metrics| file::Metrics {
                port: port(metrics.port),
                path: metrics.path.clone(),
            }),
            extra,
        })
    }

    fn http(&self, secret: Secret) -> file::Http {
        let url = self.url.clone().unwrap_or_default();
        file::Http {
            port: port(self.http.port),
            secret,
            urls: match self.http.urls.as_str() {
                "fixed" => file::Urls::Fixed(url),
                "request" => file::Urls::Request,
                _ => file::Urls::Relative,
            },
            prefix: self.http.prefix.clone(),
            headers: self.http.headers.clone(),
            http2: true,
            drain_timeout: self.http.drain_timeout.to_std(),
        }
    }

    fn storage(&self) -> file::Storage {
        file::Storage {
            driver: self.storage.filesystem.as_ref().map(|filesystem| file::Driver::Filesystem {
                root_directory: filesystem.root_directory.clone(),
                max_threads: None,
            }),
            delete: self.storage.delete,
            ..file::Storage::default()
        }
    }

    fn health(&self) -> file::Health {
        match &self.health {
            None => file::Health::default(),
            Some(health) => file::Health {
                storage: health.storage.then(|| file::StorageHealth {
                    interval: health.interval.to_std(),
                    threshold: u32::try_from(health.threshold).unwrap_or(3),
                }),
            },
        }
    }

    fn log(&self) -> file::Log {
        let default = file::Log::default();
        let Some(log) = &self.log else { return default };
        file::Log {
            level: log.level.parse().unwrap_or(default.level),
            format: log.format.parse().unwrap_or(default.format),
            fields: log.fields.clone(),
            access_log: log.access_log,
        }
    }
}

/// The port, which the schema has checked to be one.
fn port(port: i64) -> u16 {
    u16::try_from(port).unwrap_or_default()
}

/// A finding of the registry's rules as a diagnostic.
pub(super) fn diagnostic(finding: &Finding) -> Diagnostic {
    let summary = format!("{} ({})", summary(&finding.path), finding.code);
    let diagnostic = match finding.severity {
        Severity::Error => Diagnostic::error(summary, finding.message.clone()),
        Severity::Warning => Diagnostic::warning(summary, finding.message.clone()),
    };
    diagnostic.at(finding.path.as_str())
}

fn summary(path: &str) -> String {
    if path.is_empty() { "Doubtful registry".to_owned() } else { format!("Doubtful `{path}`") }
}
