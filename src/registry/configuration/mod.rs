//! What is in the registry's configuration file, and how it is written.
//!
//! The whole file is rendered, rather than single values given as `REGISTRY_…` variables: those are visible to
//! everybody who may inspect the service, some of them are ignored or crash the registry, and which ones differs
//! between releases (distribution issues 1736, 4486, 4621).

mod extra;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod keys;
mod render;
mod section;
mod tree;

pub use extra::{ExtraConfig, NotAConfiguration};
pub use render::Rendered;
pub use section::{Hidden, HiddenHeaders, Section, Setting, Texts, Versioned};

/// Where the files that the provider owns are mounted in the container. Distribution knows no others, so these stay
/// the same when the secrets behind them are rotated.
pub mod paths {
    /// The configuration file. Both official images take the path as an argument of `serve`.
    pub const CONFIGURATION: &str = "/run/secrets/registry.yml";
    /// `http.tls.certificate`
    pub const CERTIFICATE: &str = "/run/secrets/registry-tls.crt";
    /// `http.tls.key`
    pub const PRIVATE_KEY: &str = "/run/secrets/registry-tls.key";
    /// `http.tls.clientcas`
    pub const CLIENT_CA: &str = "/run/secrets/registry-client-ca.pem";
    /// `auth.htpasswd.path`
    pub const HTPASSWD: &str = "/run/secrets/registry-htpasswd";
    /// What `AWS_SHARED_CREDENTIALS_FILE` names.
    pub const AWS_CREDENTIALS: &str = "/run/secrets/registry-aws-credentials";
    /// `storage.gcs.keyfile`
    pub const GCS_KEY: &str = "/run/secrets/registry-gcs.json";
    /// `privatekey` of the middleware `cloudfront`
    pub const CLOUDFRONT_KEY: &str = "/run/secrets/registry-cloudfront.key";
    /// `redis.tls.rootcas`
    pub const REDIS_CA: &str = "/run/secrets/registry-redis-ca.pem";
    /// `redis.tls.certificate`
    pub const REDIS_CERTIFICATE: &str = "/run/secrets/registry-redis.crt";
    /// `redis.tls.key`
    pub const REDIS_KEY: &str = "/run/secrets/registry-redis.key";
    /// `auth.token.rootcertbundle`
    pub const TOKEN_ROOTS: &str = "/run/secrets/registry-token-roots.pem";
    /// `auth.token.jwks`
    pub const TOKEN_KEYS: &str = "/run/secrets/registry-token-jwks.json";
    /// `compatibility.schema1.signingkeyfile`
    pub const SCHEMA1_KEY: &str = "/run/secrets/registry-schema1.pem";
    /// `http.tls.letsencrypt.cachefile`, which is a folder since 3.0.
    pub const ACME: &str = "/var/lib/registry-acme";
    /// Authorities that are trusted beside the system's. They lie in a folder of their own, since Go reads all of it.
    pub const TRUSTED_CA: &str = "/run/secrets/registry-trusted-ca/ca.pem";
    /// What `SSL_CERT_DIR` names: the folder of those authorities, and that of the system's. The system's bundle is read
    /// beside, which it would not be with `SSL_CERT_FILE`.
    pub const CERTIFICATES: &str = "/run/secrets/registry-trusted-ca:/etc/ssl/certs";
    /// `storage.filesystem.rootdirectory` where nothing else is said; the images declare a volume there.
    pub const ROOT_DIRECTORY: &str = "/var/lib/registry";
}

/// The port of the debug listener where nobody names another.
pub const DEBUG_PORT: u16 = 5001;

/// The container's arguments: both official images and upstream's own take them, whatever their default path is.
pub fn arguments() -> [&'static str; 2] {
    ["serve", paths::CONFIGURATION]
}

/// Everything that the configuration file says.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What attributes say.
    pub sections: Section,
    /// What is laid over it, in this order.
    pub extra: Vec<ExtraConfig>,
}

#[cfg(test)]
mod tests;
