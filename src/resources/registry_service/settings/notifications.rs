//! `notifications`: who is told what happens to the images.

use super::{at_least_one, file::headers_in_file, one_of, some_time, web_address};
use crate::{
    registry::{
        Dialect,
        configuration::{Section, Texts},
    },
    terraform::{Duration, Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// An address that events are posted to (`notifications.endpoints`). Each replica has a queue of its own in memory, which is
/// lost when its task ends. At most one of `headers` and `headers_wo`.
#[derive(Clone, Debug, Model)]
pub struct Endpoint {
    /// The address, such as `https://ci.example.com/hooks/registry`.
    #[tf(check = web_address)]
    pub url: String,

    /// Headers of each request, by name. They are kept in the state: better use `headers_wo`. The registry writes them into
    /// its log at the start (C16).
    pub headers: Option<Sensitive<BTreeMap<String, Vec<String>>>>,

    /// The same, kept in neither plan nor state.
    pub headers_wo: WriteOnly<BTreeMap<String, Vec<String>>>,

    /// Raise it to send `headers_wo` again.
    pub headers_wo_version: Option<i64>,

    /// How long an answer may take, such as `"1s"`.
    #[tf(default = Duration::from_secs(1), check = some_time)]
    pub timeout: Duration,

    /// After how many failures in a row there is a pause.
    #[tf(default = 10, check = at_least_one)]
    pub threshold: i64,

    /// How long that pause is, such as `"1s"`.
    #[tf(default = Duration::from_secs(1), check = some_time)]
    pub backoff: Duration,

    /// Media types of which no event is posted, such as `application/octet-stream` (`ignore.mediatypes`).
    #[tf(default = Vec::new())]
    pub ignore_media_types: Vec<String>,

    /// Actions of which no event is posted: `pull`, `push`, `mount` or `delete` (`ignore.actions`).
    #[tf(default = Vec::new(), check = actions)]
    pub ignore_actions: Vec<String>,

    /// Whether nothing is posted for now.
    #[tf(default = false)]
    pub disabled: bool,
}

/// A media type that no image has.
const NO_MEDIA_TYPE: &str = "-";

/// `notifications`
pub fn section(endpoints: &BTreeMap<String, Endpoint>, references: bool, dialect: Dialect) -> Section {
    let events = Section::new().with("includereferences", references.then_some(true));
    let endpoints = endpoints.iter().map(|(name, endpoint)| endpoint.section(name, dialect));
    Section::new().with("events", events).with("endpoints", endpoints.collect::<Vec<_>>())
}

impl Endpoint {
    fn section(&self, name: &str, dialect: Dialect) -> Section {
        let mut media_types = self.ignore_media_types.clone();
        // Before 3.1 actions are only ignored where media types are.
        if dialect < Dialect::V3_1 && media_types.is_empty() && !self.ignore_actions.is_empty() {
            media_types.push(NO_MEDIA_TYPE.to_owned());
        }
        let ignore = Section::new()
            .with("mediatypes", Texts(&media_types))
            .with("actions", Texts(&self.ignore_actions));
        Section::new()
            .with("name", name)
            .with("disabled", self.disabled)
            .with("url", &self.url)
            .with("headers", headers_in_file(&self.headers, &self.headers_wo, self.headers_wo_version))
            .with("timeout", self.timeout.to_std())
            .with("threshold", self.threshold)
            .with("backoff", self.backoff.to_std())
            .with("ignore", ignore)
    }
}

fn actions(actions: &[String]) -> Result<(), String> {
    actions.iter().try_for_each(|action| one_of(action, &["pull", "push", "mount", "delete"]))
}
