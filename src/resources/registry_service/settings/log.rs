//! `log`: what the registry writes to its output.

use super::{file::in_file, host_and_port, one_of, some};
use crate::{
    registry::configuration::{Section, Texts},
    terraform::{Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// What the registry logs (`log`).
#[derive(Clone, Debug, Model)]
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

    /// Whether each line names the place in the source that wrote it (`log.reportcaller`). Distribution 3.0 and later.
    #[tf(default = false)]
    pub report_caller: bool,

    /// Mails for lines of some levels (`log.hooks`).
    #[tf(default = Vec::new())]
    pub mail_hooks: Vec<MailHook>,
}

/// Mails for lines of some levels (`log.hooks` of the type `mail`).
#[derive(Clone, Debug, Model)]
pub struct MailHook {
    /// The levels: `panic`, `fatal`, `error`, `warn`, `info` or `debug`.
    #[tf(check = levels)]
    pub levels: Vec<String>,

    /// The server that sends them.
    pub smtp: Smtp,

    /// Who they are from.
    pub from: String,

    /// Who they go to.
    #[tf(check = some)]
    pub to: Vec<String>,

    /// Whether no mail is sent for now.
    #[tf(default = false)]
    pub disabled: bool,
}

/// A server that sends mail (`log.hooks.options.smtp`). At most one of `password` and `password_wo`.
#[derive(Clone, Debug, Model)]
pub struct Smtp {
    /// Host and port, such as `mail.example.com:587` (`addr`).
    #[tf(check = host_and_port)]
    pub address: String,

    /// The user that the registry logs in as.
    pub username: Option<String>,

    /// The user's password. It is kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    pub password_wo: WriteOnly<String>,

    /// Raise it to send `password_wo` again.
    pub password_wo_version: Option<i64>,
}

impl Default for Log {
    fn default() -> Self {
        Log {
            level: "info".to_owned(),
            format: "text".to_owned(),
            access_log: true,
            fields: BTreeMap::new(),
            report_caller: false,
            mail_hooks: vec![],
        }
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
            .with("reportcaller", self.report_caller.then_some(true))
            .with("hooks", self.mail_hooks.iter().map(MailHook::section).collect::<Vec<_>>())
    }
}

impl MailHook {
    fn section(&self) -> Section {
        let options = Section::new()
            .with("smtp", self.smtp.section())
            .with("from", &self.from)
            .with("to", Texts(&self.to));
        Section::new()
            .with("type", "mail")
            .with("disabled", self.disabled)
            .with("levels", Texts(&self.levels))
            .with("options", options)
    }
}

impl Smtp {
    fn section(&self) -> Section {
        Section::new()
            .with("addr", &self.address)
            .with("username", &self.username)
            .with("password", in_file(&self.password, &self.password_wo, self.password_wo_version))
    }
}

fn level(level: &str) -> Result<(), String> {
    one_of(level, &["error", "warn", "info", "debug"])
}

/// A level that the registry does not know would count as `panic`, without a word.
fn levels(levels: &[String]) -> Result<(), String> {
    some(levels)?;
    levels.iter().try_for_each(|level| one_of(level, &["panic", "fatal", "error", "warn", "info", "debug"]))
}

fn format(format: &str) -> Result<(), String> {
    one_of(format, &["text", "json", "logstash"])
}
