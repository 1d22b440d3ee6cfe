//! The files beside the configuration that the registry reads: each in a secret, under a path that never changes.

use crate::{
    registry::{
        Secret,
        configuration::{Hidden, HiddenHeaders, Versioned, paths},
    },
    terraform::{Sensitive, WriteOnly},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    GcsKey,
    CloudfrontKey,
    RedisCa,
    RedisCertificate,
    RedisKey,
    TokenRoots,
    TokenKeys,
    Schema1Key,
    TrustedCa,
}

impl Role {
    pub const ALL: [Role; 15] = [
        Role::Config,
        Role::Certificate,
        Role::Key,
        Role::ClientCa,
        Role::Htpasswd,
        Role::AwsCredentials,
        Role::GcsKey,
        Role::CloudfrontKey,
        Role::RedisCa,
        Role::RedisCertificate,
        Role::RedisKey,
        Role::TokenRoots,
        Role::TokenKeys,
        Role::Schema1Key,
        Role::TrustedCa,
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
            Role::GcsKey => ("gcs-key", paths::GCS_KEY),
            Role::CloudfrontKey => ("cloudfront-key", paths::CLOUDFRONT_KEY),
            Role::RedisCa => ("redis-ca", paths::REDIS_CA),
            Role::RedisCertificate => ("redis-certificate", paths::REDIS_CERTIFICATE),
            Role::RedisKey => ("redis-key", paths::REDIS_KEY),
            Role::TokenRoots => ("token-roots", paths::TOKEN_ROOTS),
            Role::TokenKeys => ("token-keys", paths::TOKEN_KEYS),
            Role::Schema1Key => ("schema1-key", paths::SCHEMA1_KEY),
            Role::TrustedCa => ("trusted-ca", paths::TRUSTED_CA),
        }
    }

    /// The variable by which the registry finds the file, where the configuration has no key for it.
    pub fn environment(self) -> Option<(&'static str, &'static str)> {
        match self {
            Role::AwsCredentials => Some(("AWS_SHARED_CREDENTIALS_FILE", paths::AWS_CREDENTIALS)),
            Role::TrustedCa => Some(("SSL_CERT_DIR", paths::CERTIFICATES)),
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
    /// This too, but it is known by what is told of it alone, its version above all: where that is as before, what is
    /// there stays.
    Versioned { value: Option<Secret>, told: Secret },
    /// Users with their passwords, of which a file of hashes of that cost is made.
    Users(Vec<(String, Secret)>, u32),
    /// The same, known by what is told of them alone.
    VersionedUsers { users: Option<Vec<(String, Secret)>>, cost: u32, told: Secret },
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
        Self::optional(text, secret).unwrap_or_else(|| Content::bytes(""))
    }

    /// The same, if one of the two is there.
    pub fn optional(text: &Option<String>, secret: &Option<String>) -> Option<Self> {
        match (text, secret) {
            (Some(text), _) => Some(Content::bytes(text)),
            (None, secret) => secret.clone().map(Content::Foreign),
        }
    }

    /// A secret in one of its three spellings.
    pub fn secret(
        value: &Option<Sensitive<String>>,
        write_only: &WriteOnly<String>,
        version: Option<i64>,
        secret: &Option<String>,
    ) -> Self {
        match (value, secret) {
            (Some(value), _) => Content::bytes(value.expose()),
            (None, Some(source)) => Content::Foreign(source.clone()),
            (None, None) => Content::Versioned {
                value: write_only.expose().map(|value| value.as_str().into()),
                told: told(&version),
            },
        }
    }

    /// What is told of it, if it is known by that alone.
    pub fn told(&self) -> Option<&Secret> {
        match self {
            Content::Versioned { told, .. } | Content::VersionedUsers { told, .. } => Some(told),
            Content::Bytes(_) | Content::Users(..) | Content::Foreign(_) => None,
        }
    }
}

/// What is told of a write-only value, as a text of which two are alike only where all of it is.
pub fn told<T: Serialize>(of_it: &T) -> Secret {
    serde_json::to_string(of_it).unwrap_or_default().into()
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

/// The same for headers.
pub fn headers_in_file(
    headers: &Option<Sensitive<BTreeMap<String, Vec<String>>>>,
    write_only: &WriteOnly<BTreeMap<String, Vec<String>>>,
    version: Option<i64>,
) -> Option<HiddenHeaders> {
    let secret = |headers: &BTreeMap<String, Vec<String>>| {
        let values = |values: &Vec<String>| values.iter().map(|value| value.as_str().into()).collect();
        headers.iter().map(|(name, list)| (name.clone(), values(list))).collect()
    };
    match (headers, write_only.expose()) {
        (Some(headers), _) => Some(HiddenHeaders::Kept(secret(headers.expose()))),
        (None, Some(headers)) => Some(HiddenHeaders::Versioned(secret(headers), version)),
        (None, None) => None,
    }
}
