//! `log`: what the registry writes to its output.

use super::one_of;
use crate::{registry::configuration::Section, terraform::Model};
use std::collections::BTreeMap;

/// What the registry logs (`log`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Log {
    /// `error`, `warn`, `info` or `debug` (`log.level`).
    #[tf(default = "info", check = level)]
    pub level: String,

    /// `text`, `json` or `logstash` (`log.formatter`).
    #[tf(default = "text", check = format)]
    pub format: String,

    /// Whether each request is logged (`log.accesslog`).
    #[tf(default = true)]
    pub access_log: bool,

    /// Fields that each line bears (`log.fields`).
    #[tf(default = BTreeMap::new())]
    pub fields: BTreeMap<String, String>,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: "info".to_owned(), format: "text".to_owned(), access_log: true, fields: BTreeMap::new() }
    }
}

impl Log {
    /// `log`
    pub fn section(&self) -> Section {
        Section::new()
            .with("level", &self.level)
            .with("formatter", &self.format)
            .with("accesslog", Section::new().with("disabled", !self.access_log))
            .with("fields", &self.fields)
    }
}

fn level(level: &str) -> Result<(), String> {
    one_of(level, &["error", "warn", "info", "debug"])
}

fn format(format: &str) -> Result<(), String> {
    one_of(format, &["text", "json", "logstash"])
}
