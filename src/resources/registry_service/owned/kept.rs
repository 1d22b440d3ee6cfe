//! What is remembered of the service's own secrets, and whether a write-only value was sent already.

use super::super::settings::{Content, File, Role, Settings};
use crate::{
    docker,
    registry::Secret,
    resources::{generation::DigestKey, service::Object},
    terraform::{Diagnostic, Diagnostics, Plan, Private},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the private state remembers of the service's own secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept(pub BTreeMap<Role, KeptObject>);

/// One of those secrets.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptObject {
    pub id: String,
    pub name: String,
    /// A keyed digest of what was told of its content when it was made; empty where the content is known itself. It stands
    /// beside the secret, since after an update that failed the state tells of another one. Older releases kept none.
    #[serde(default)]
    told: Option<String>,
}

const PRIVATE: &str = "owned";

impl Kept {
    /// What was kept, if something was.
    pub fn of(private: &Private) -> Option<Self> {
        private.get(PRIVATE)
    }

    /// Keeps it.
    pub fn keep(self, private: &mut Private) {
        private.set(PRIVATE, self);
    }

    /// Adds a secret, and what was told of its content if it is known by that alone.
    pub fn insert(&mut self, role: Role, object: Object, told: Option<&Secret>, key: &DigestKey) {
        let told = told.map(|told| digest(told, key)).unwrap_or_default();
        self.0.insert(role, KeptObject { id: object.id, name: object.name, told: Some(told) });
    }
}

/// A digest, because what is told may hold an access key.
fn digest(told: &Secret, key: &DigestKey) -> String {
    STANDARD.encode(key.digest(&[b"told ", told.expose().as_bytes()].concat()))
}

/// What was there before a plan or an apply.
pub(super) struct Before {
    kept: Kept,
    /// What the state before tells of each file, for what an older release kept.
    state: BTreeMap<Role, Secret>,
}

impl Before {
    pub fn of(private: &Private, state: Option<&Settings>) -> Self {
        let files = state.map(Settings::files).unwrap_or_default();
        let told = |file: File| Some((file.role, file.content.told()?.clone()));
        Before {
            kept: Kept::of(private).unwrap_or_default(),
            state: files.into_iter().filter_map(told).collect(),
        }
    }

    /// Whether there was any.
    pub fn has_some(&self) -> bool {
        !self.kept.0.is_empty()
    }

    /// What is not there any more has to be made again.
    pub fn forget_what_is_not_among(&mut self, secrets: &[docker::Blob]) {
        self.kept.0.retain(|_, kept| secrets.iter().any(|secret| secret.id == kept.id));
    }

    /// The secret that a file has already, if all that is told of its content is what was told when that was made.
    pub fn sent(&self, file: &File, key: &DigestKey) -> Option<Object> {
        let told = file.content.told()?;
        let kept = self.kept.0.get(&file.role)?;
        let is_sent = match &kept.told {
            Some(before) => *before == digest(told, key),
            None => self.state.get(&file.role).is_some_and(|before| before.expose() == told.expose()),
        };
        is_sent.then(|| Object { id: kept.id.clone(), name: kept.name.clone() })
    }
}

/// Whether the service is to have other secrets of its own than it has, be it only that write-only values came or went,
/// which shows nowhere else in a plan.
pub(in super::super) fn has_other_files(private: &Private, settings: &Settings) -> bool {
    let files = settings.files();
    let own = files.iter().filter(|file| !matches!(file.content, Content::Foreign(_))).map(|file| file.role);
    let wanted: BTreeSet<Role> = own.chain([Role::Config]).collect();
    Kept::of(private).is_none_or(|kept| !kept.0.keys().eq(&wanted))
}

/// Refuses a plan whose write-only values cannot be sent, or would not be although their other half is.
pub(in super::super) fn check(plan: &Plan, settings: &Settings) -> Diagnostics {
    let state = plan.prior.as_ref().and_then(Settings::of_state);
    let before = Before::of(&plan.private, state.as_ref());
    let (key, name) = (DigestKey::kept(&plan.private), plan.known::<String>("name"));
    let files = settings.files();
    let refused = files.iter().filter_map(|file| {
        file.content.told()?;
        let Some((key, sent)) = key.as_ref().and_then(|key| Some((key, before.sent(file, key)?))) else {
            return (!has_value(&file.content)).then(|| missing(file));
        };
        // Another registry gets everything anew.
        let is_another_one = plan.changes("name") || plan.changes("mode");
        let certificate =
            certificate_of(file.role).filter(|certificate| !is_another_one && plan.changes(certificate))?;
        let is_another = is_another(file, name.as_deref()?, &sent, key);
        is_another.then(|| not_sent(file, certificate))
    });
    refused.collect()
}

/// The attribute with the certificate that a key belongs to.
fn certificate_of(role: Role) -> Option<&'static str> {
    match role {
        Role::Key => Some("tls.certificate"),
        Role::RedisKey => Some("cache.redis.tls.certificate"),
        _ => None,
    }
}

/// Whether a write-only value is not the one that was sent.
fn is_another(file: &File, service: &str, sent: &Object, key: &DigestKey) -> bool {
    let Content::Versioned { value: Some(value), .. } = &file.content else { return false };
    key.generation(&file.role.of(service), value.expose().as_bytes()) != sent.name
}

fn has_value(content: &Content) -> bool {
    !matches!(content, Content::Versioned { value: None, .. } | Content::VersionedUsers { users: None, .. })
}

/// A value that must be sent is not there.
pub(super) fn missing(file: &File) -> Diagnostic {
    let path = match file.role {
        Role::AwsCredentials => "storage.s3.secret_key_wo".to_owned(),
        _ => format!("{}_wo", file.attribute),
    };
    let detail = format!(
        "`{}_wo_version` is not one that was sent before, so what it counts must be in the configuration: it is kept \
         nowhere else. Leave the version out where there is no such value.",
        file.attribute
    );
    Diagnostic::error("A write-only value is missing", detail).at(path.as_str())
}

/// The certificate changes and its key, of which the version stays, would not.
fn not_sent(file: &File, certificate: &str) -> Diagnostic {
    let version = format!("{}_wo_version", file.attribute);
    let detail = format!(
        "`{certificate}` changes, and so does `{0}_wo`, but a write-only value is sent only with another version: the new \
         certificate would stand beside the old key. Raise `{version}`.",
        file.attribute
    );
    Diagnostic::error("The key of the new certificate would not be sent", detail).at(version.as_str())
}

#[cfg(test)]
mod tests;
