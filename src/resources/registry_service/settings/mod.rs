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
pub mod storage;
mod tls;
mod wait_for;

pub use auth::Auth;
pub use cache::Cache;
pub use file::{Content, File, Role};
pub use health::Health;
pub use http::{Http, Metrics};
pub use log::Log;
pub use storage::Storage;
pub use tls::Tls;
pub use wait_for::WaitFor;

use crate::{
    registry::{
        Dialect, Secret,
        configuration::{Configuration, ExtraConfig, Section},
    },
    resources::service::one_of,
    terraform::{Config, Diagnostic, Model, Object, Plan, Result},
};

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

    /// Who may use the registry. Without it everybody may.
    pub auth: Option<Auth>,

    /// What the registry logs.
    pub log: Option<Log>,

    /// When the registry calls itself unhealthy.
    pub health: Option<Health>,

    /// Metrics for Prometheus.
    pub metrics: Option<Metrics>,

    /// YAML or JSON that is merged into the configuration file last, for what has no attribute. `null` removes a key.
    pub extra_config: Option<String>,
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
    /// `extra_config` does not read.
    pub fn configuration(&self, http_secret: Secret) -> Result<Configuration> {
        let extra = self.extra_config.as_ref().map(|text| {
            ExtraConfig::parse("extra_config", text).map_err(|error| {
                Diagnostic::error("Invalid value for `extra_config`", format!("It is {error}."))
                    .at("extra_config")
            })
        });
        Ok(Configuration {
            sections: self.sections(http_secret),
            extra: extra.into_iter().collect::<Result<_>>()?,
        })
    }

    fn sections(&self, http_secret: Secret) -> Section {
        let http = self.http.as_ref().map(|http| http.section(self.url.as_ref(), http_secret));
        let http = http
            .unwrap_or_default()
            .with("debug", http::debug(self.metrics.as_ref()))
            .with("tls", self.tls.as_ref().map(Tls::section));
        let dialect = self.dialect();
        let storage = self.storage.as_ref().map(|storage| storage.section(dialect)).unwrap_or_default();
        let cache = self.cache.as_ref();
        Section::new()
            .with("http", http)
            .with("log", self.log.clone().unwrap_or_default().section())
            .with("storage", storage.with("cache", Cache::section(cache)))
            .with("redis", cache.and_then(|cache| cache.redis(dialect)))
            .with("auth", self.auth.as_ref().map(Auth::section))
            .with("health", self.health.clone().unwrap_or_default().section())
    }

    /// The further files that the registry reads.
    pub fn files(&self, prior: Option<&Settings>) -> Vec<File> {
        let mut files = vec![];
        if let Some(tls) = &self.tls {
            files.extend(tls.files(prior.and_then(|prior| prior.tls.as_ref())));
        }
        if let Some(auth) = &self.auth {
            files.extend(auth.files(prior.and_then(|prior| prior.auth.as_ref())));
        }
        if let Some(storage) = &self.storage {
            files.extend(storage.files(prior.and_then(|prior| prior.storage.as_ref())));
        }
        if let Some(cache) = &self.cache {
            files.extend(cache.files(prior.and_then(|prior| prior.cache.as_ref())));
        }
        files
    }

    /// The variables that the registry's container needs beside what the user sets.
    pub fn environment(&self) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        if self.are_rendered() { self.dialect().environment().iter().map(own).collect() } else { vec![] }
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

/// Distribution ignores an address without a scheme without a word (checks T13 and C3).
fn web_address(url: &str) -> std::result::Result<(), String> {
    match url.parse::<::http::Uri>() {
        Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => Ok(()),
        _ => Err("an address begins with `http://` or `https://` and a host".to_owned()),
    }
}

#[cfg(test)]
mod tests;
