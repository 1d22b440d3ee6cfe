//! `auth`: who may use the registry.

use super::file::{Content, File, Role};
use crate::{
    registry::{
        Secret,
        configuration::{Section, paths},
    },
    terraform::{Model, Sensitive, WriteOnly},
};
use std::collections::BTreeMap;

/// Who may use the registry (`auth`).
#[derive(Clone, Debug, Model)]
pub struct Auth {
    /// Users with passwords.
    pub htpasswd: Option<Htpasswd>,
}

/// Users with passwords (`auth.htpasswd`). One of `users`, `users_wo`, `file` and `file_secret`.
#[derive(Clone, Debug, Model)]
pub struct Htpasswd {
    /// What a client shows when it asks for the password.
    #[tf(default = "Registry")]
    pub realm: String,

    /// Passwords by user. They are kept in the state: better use `users_wo`.
    pub users: Option<Sensitive<BTreeMap<String, String>>>,

    /// Passwords by user, kept in neither plan nor state.
    pub users_wo: WriteOnly<BTreeMap<String, String>>,

    /// Raise it to send `users_wo` again.
    pub users_wo_version: Option<i64>,

    /// Lines of `user:hash`, hashed with bcrypt (`htpasswd -B`): Distribution knows no other hash.
    pub file: Option<Sensitive<String>>,

    /// ID or name of a secret with such lines.
    pub file_secret: Option<String>,
}

impl Auth {
    /// `auth`
    pub fn section(&self) -> Section {
        let htpasswd = self
            .htpasswd
            .as_ref()
            .map(|htpasswd| Section::new().with("realm", &htpasswd.realm).with("path", paths::HTPASSWD));
        Section::new().with("htpasswd", htpasswd)
    }

    /// The file of the users.
    pub fn files(&self, prior: Option<&Auth>) -> Vec<File> {
        let prior = prior.and_then(|prior| prior.htpasswd.as_ref());
        let Some(htpasswd) = &self.htpasswd else { return vec![] };
        let attribute =
            if htpasswd.file_secret.is_some() { "auth.htpasswd.file" } else { "auth.htpasswd.users" };
        File::all([(Role::Htpasswd, attribute, Some(htpasswd.content(prior)))])
    }
}

impl Htpasswd {
    fn content(&self, prior: Option<&Htpasswd>) -> Content {
        let secret = |users: &BTreeMap<String, String>| -> Vec<(String, Secret)> {
            users.iter().map(|(user, password)| (user.clone(), password.as_str().into())).collect()
        };
        match (&self.users, &self.file, &self.file_secret) {
            (Some(users), ..) => Content::Users(secret(users.expose())),
            (None, Some(file), _) => Content::bytes(file.expose()),
            (None, None, Some(source)) => Content::Foreign(source.clone()),
            (None, None, None) => Content::VersionedUsers {
                users: self.users_wo.expose().map(secret),
                is_sent: prior.is_some_and(|prior| prior.users_wo_version == self.users_wo_version),
            },
        }
    }
}
