//! The files beside the configuration that the registry reads: each in a secret, under a path that never changes.

use crate::{
    registry::{
        Secret,
        configuration::{Hidden, Versioned, paths},
    },
    terraform::{Sensitive, WriteOnly},
};
use serde::{Deserialize, Serialize};

/// What one of the service's secrets is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Config,
    Certificate,
    Key,
    ClientCa,
    Htpasswd,
    AwsCredentials,
    RedisCa,
    RedisCertificate,
    RedisKey,
}

impl Role {
    pub const ALL: [Role; 9] = [
        Role::Config,
        Role::Certificate,
        Role::Key,
        Role::ClientCa,
        Role::Htpasswd,
        Role::AwsCredentials,
        Role::RedisCa,
        Role::RedisCertificate,
        Role::RedisKey,
    ];

    /// The word in the secret's name, and the file's path in the container.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Role::Config => ("config", paths::CONFIGURATION),
            Role::Certificate => ("tls-certificate", paths::CERTIFICATE),
            Role::Key => ("tls-key", paths::PRIVATE_KEY),
            Role::ClientCa => ("client-ca", paths::CLIENT_CA),
            Role::Htpasswd => ("htpasswd", paths::HTPASSWD),
            Role::AwsCredentials => ("aws-credentials", paths::AWS_CREDENTIALS),
            Role::RedisCa => ("redis-ca", paths::REDIS_CA),
            Role::RedisCertificate => ("redis-certificate", paths::REDIS_CERTIFICATE),
            Role::RedisKey => ("redis-key", paths::REDIS_KEY),
        }
    }

    /// The variable by which the registry finds the file, where the configuration has no key for it.
    pub fn environment(self) -> Option<(&'static str, &'static str)> {
        match self {
            Role::AwsCredentials => Some(("AWS_SHARED_CREDENTIALS_FILE", paths::AWS_CREDENTIALS)),
            _ => None,
        }
    }

    /// The file in the container, beneath `/run/secrets`.
    pub fn target(self) -> &'static str {
        self.names().1.trim_start_matches("/run/secrets/")
    }

    /// Whether a file of that name is one of the provider's.
    pub fn is_target(target: &str) -> bool {
        Role::of_target(target).is_some()
    }

    /// What a file of that name is for, if it is one of the provider's.
    pub fn of_target(target: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.target() == target.trim_start_matches("/run/secrets/"))
    }

    /// The logical name of this secret of a service.
    pub fn of(self, service: &str) -> String {
        format!("{service}-{}", self.names().0)
    }
}

/// A file that the registry reads.
#[derive(Debug)]
pub struct File {
    pub role: Role,
    /// The attribute that it comes from, without `_wo` or `_secret`.
    pub attribute: &'static str,
    pub content: Content,
}

impl File {
    /// Those of the files that there are.
    pub fn all<const N: usize>(files: [(Role, &'static str, Option<Content>); N]) -> Vec<File> {
        let file = |(role, attribute, content): (_, _, Option<Content>)| {
            Some(File { role, attribute, content: content? })
        };
        files.into_iter().filter_map(file).collect()
    }
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// This, in a secret of the service's own.
    Bytes(Secret),
    /// This too, but it is known by its version alone: where that is the one of before, what is there stays.
    Versioned { value: Option<Secret>, is_sent: bool },
    /// Users with their passwords, of which a file of hashes is made.
    Users(Vec<(String, Secret)>),
    /// The same, known by their version alone.
    VersionedUsers { users: Option<Vec<(String, Secret)>>, is_sent: bool },
    /// A secret of somebody else, by ID or name.
    Foreign(String),
}

impl Content {
    /// A text that is no secret.
    pub fn bytes(text: &str) -> Self {
        Content::Bytes(text.into())
    }

    /// A text that is no secret, here or in a secret of somebody else. One of the two is there: a check has seen to it.
    pub fn given(text: &Option<String>, secret: &Option<String>) -> Self {
        match (text, secret) {
            (None, Some(source)) => Content::Foreign(source.clone()),
            (text, _) => Content::bytes(text.as_deref().unwrap_or_default()),
        }
    }

    /// A secret in one of its three spellings.
    pub fn secret(
        value: &Option<Sensitive<String>>,
        write_only: &WriteOnly<String>,
        is_sent: bool,
        secret: &Option<String>,
    ) -> Self {
        match (value, secret) {
            (Some(value), _) => Content::bytes(value.expose()),
            (None, Some(source)) => Content::Foreign(source.clone()),
            (None, None) => {
                Content::Versioned { value: write_only.expose().map(|value| value.as_str().into()), is_sent }
            }
        }
    }
}

/// A secret that is written into the configuration file itself, in one of its two spellings; none where neither is set.
pub fn in_file(
    value: &Option<Sensitive<String>>,
    write_only: &WriteOnly<String>,
    version: Option<i64>,
) -> Option<Hidden> {
    match (value, write_only.expose()) {
        (Some(value), _) => Some(Hidden::Kept(value.expose().as_str().into())),
        (None, Some(value)) => Some(Hidden::Versioned(Versioned { value: value.as_str().into(), version })),
        (None, None) => None,
    }
}
