//! `compatibility` and `reporting`: what only Distribution 2.8 has.

use super::file::{Content, File, Role, in_file};
use crate::{
    registry::configuration::{Section, paths},
    terraform::{Model, Sensitive, WriteOnly},
};

/// Support of formats of old (`compatibility`). Distribution 2.8 alone.
#[derive(Clone, Debug, Model)]
pub struct Compatibility {
    /// Manifests of schema 1.
    pub schema1: Schema1,
}

/// Manifests of schema 1 (`compatibility.schema1`). At most one of `signing_key`, `signing_key_wo` and
/// `signing_key_secret`.
#[derive(Clone, Debug, Model)]
pub struct Schema1 {
    /// Whether they can be pushed (`compatibility.schema1.enabled`).
    #[tf(default = false)]
    pub enabled: bool,

    /// The private key as PEM text with which such manifests are signed (`compatibility.schema1.signingkeyfile`). Without it
    /// each replica makes one at its start. It is kept in the state: better use `signing_key_wo`.
    pub signing_key: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    pub signing_key_wo: WriteOnly<String>,

    /// Raise it to send `signing_key_wo` again.
    pub signing_key_wo_version: Option<i64>,

    /// ID or name of a secret with the key.
    pub signing_key_secret: Option<String>,
}

/// Services that are told of errors (`reporting`). Distribution 2.8 alone.
#[derive(Clone, Debug, Model)]
pub struct Reporting {
    /// Bugsnag.
    pub bugsnag: Option<Bugsnag>,

    /// New Relic.
    pub new_relic: Option<NewRelic>,
}

/// Bugsnag (`reporting.bugsnag`). One of `api_key` and `api_key_wo`.
#[derive(Clone, Debug, Model)]
pub struct Bugsnag {
    /// The key of the account. It is kept in the state: better use `api_key_wo`.
    pub api_key: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    pub api_key_wo: WriteOnly<String>,

    /// Raise it to send `api_key_wo` again.
    pub api_key_wo_version: Option<i64>,

    /// What the errors are filed under, such as `production`.
    pub release_stage: Option<String>,

    /// Address of another server than Bugsnag's own.
    #[tf(check = super::web_address)]
    pub endpoint: Option<String>,
}

/// New Relic (`reporting.newrelic`). One of `license_key` and `license_key_wo`.
#[derive(Clone, Debug, Model)]
pub struct NewRelic {
    /// The key of the account. It is kept in the state: better use `license_key_wo`.
    pub license_key: Option<Sensitive<String>>,

    /// The same, kept in neither plan nor state.
    pub license_key_wo: WriteOnly<String>,

    /// Raise it to send `license_key_wo` again.
    pub license_key_wo_version: Option<i64>,

    /// What the registry is called there.
    pub name: Option<String>,

    /// Whether what is sent is logged too.
    #[tf(default = false)]
    pub verbose: bool,
}

impl Compatibility {
    /// `compatibility`
    pub fn section(&self) -> Section {
        let key = self.schema1.has_key().then_some(paths::SCHEMA1_KEY);
        let schema1 = Section::new().with("enabled", self.schema1.enabled).with("signingkeyfile", key);
        Section::new().with("schema1", schema1)
    }

    /// The file of the key.
    pub fn files(&self) -> Vec<File> {
        let Schema1 { signing_key, signing_key_wo, signing_key_wo_version, signing_key_secret, .. } =
            &self.schema1;
        let version = *signing_key_wo_version;
        let key = || Content::secret(signing_key, signing_key_wo, version, signing_key_secret);
        let key = self.schema1.has_key().then(key);
        File::all([(Role::Schema1Key, "compatibility.schema1.signing_key", key)])
    }
}

impl Schema1 {
    /// A version alone says that there is a key too: one that was sent before.
    fn has_key(&self) -> bool {
        self.signing_key.is_some()
            || self.signing_key_wo.expose().is_some()
            || self.signing_key_wo_version.is_some()
            || self.signing_key_secret.is_some()
    }
}

impl Reporting {
    /// `reporting`
    pub fn section(&self) -> Section {
        Section::new()
            .with("bugsnag", self.bugsnag.as_ref().map(Bugsnag::section))
            .with("newrelic", self.new_relic.as_ref().map(NewRelic::section))
    }
}

impl Bugsnag {
    fn section(&self) -> Section {
        Section::new()
            .with("apikey", in_file(&self.api_key, &self.api_key_wo, self.api_key_wo_version))
            .with("releasestage", &self.release_stage)
            .with("endpoint", &self.endpoint)
    }
}

impl NewRelic {
    fn section(&self) -> Section {
        Section::new()
            .with("licensekey", in_file(&self.license_key, &self.license_key_wo, self.license_key_wo_version))
            .with("name", &self.name)
            .with("verbose", self.verbose.then_some(true))
    }
}
