//! What is in the registry's configuration file, and how it is written.
//!
//! The whole file is rendered, rather than single values given as `REGISTRY_…` variables: those are visible to
//! everybody who may inspect the service, some of them are ignored or crash the registry, and which ones differs
//! between releases (distribution issues 1736, 4486, 4621).

mod extra;
mod keys;
mod render;
mod section;
mod tree;

pub use extra::{ExtraConfig, NotAConfiguration};
pub use render::Rendered;
pub use section::{Hidden, Section, Setting, Texts, Versioned};

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
    /// `redis.tls.rootcas`
    pub const REDIS_CA: &str = "/run/secrets/registry-redis-ca.pem";
    /// `redis.tls.certificate`
    pub const REDIS_CERTIFICATE: &str = "/run/secrets/registry-redis.crt";
    /// `redis.tls.key`
    pub const REDIS_KEY: &str = "/run/secrets/registry-redis.key";
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
