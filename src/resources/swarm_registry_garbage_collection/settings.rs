//! What is collected, and how: the attributes that the resource and the action have in common.

use crate::registry::{Secret, garbage_collection};
use crate::resources::service::not_empty;
use crate::terraform::{Config, Diagnostic, Diagnostics, Model, Sensitive, WriteOnly};

/// What is collected, and how.
#[derive(Clone, Debug, Model)]
pub struct Collection {
    /// ID or name of the registry's service.
    #[tf(check = not_empty)]
    pub service: String,

    /// Whether it only sees what would be collected: the registry stays writable, and nothing is deleted.
    #[tf(default = false)]
    pub dry_run: bool,

    /// Whether manifests that no tag names are collected as well (`--delete-untagged`). Refused for Distribution 2.8, which
    /// then takes the images of multi-platform indexes, too.
    #[tf(default = false)]
    pub delete_untagged: bool,

    /// Whether `delete_untagged` is done by Distribution 2.8, where no index is in the registry.
    #[tf(default = false)]
    pub force_delete_untagged: bool,

    /// The redis in which the registry keeps what it knows of blobs (`cache.blobdescriptor: redis`): its database is flushed,
    /// since the registry would go on taking collected blobs to be there. Needed where the registry has such a cache.
    pub redis: Option<Redis>,
}

/// A redis as the registry's tasks reach it, without TLS.
#[derive(Clone, Debug, Model)]
pub struct Redis {
    /// `host:port`, as it is known in the networks of the registry's service, such as `hub-redis:6379`.
    #[tf(check = address)]
    pub address: String,

    /// Number of the database. All that is in it is flushed.
    #[tf(default = 0)]
    pub db: i64,

    /// Name of the user, where redis has users.
    pub username: Option<String>,

    /// Password, kept in neither plan nor state. Needs Terraform 1.11.
    pub password_wo: WriteOnly<String>,

    /// Password. It is kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,
}

impl Redis {
    /// What is said to it first.
    pub fn login(&self) -> Secret {
        let password = self.password_wo.expose().or(self.password.as_ref().map(Sensitive::expose));
        let password = password.map(|password| Secret::from(password.as_str()));
        garbage_collection::redis_login(self.username.as_deref(), password.as_ref(), self.db)
    }
}

/// What is wrong with a configuration beyond single values.
pub fn validate(config: &Config) -> Diagnostics {
    let mut found = vec![];
    if config.known("force_delete_untagged") == Some(true)
        && config.is_known("delete_untagged")
        && config.known("delete_untagged") != Some(true)
    {
        let detail = "`force_delete_untagged` says that `delete_untagged` is done even by Distribution 2.8: set both or neither.";
        found.push(
            Diagnostic::error("Nothing is forced without `delete_untagged`", detail)
                .at("force_delete_untagged"),
        );
    }
    if config.is_set("redis.password") && config.is_set("redis.password_wo") {
        let detail = "Only one of `password` and `password_wo` can be set.";
        found.push(Diagnostic::error("Two passwords", detail).at("redis.password"));
    }
    found
}

fn address(address: &str) -> Result<(), String> {
    if address.contains("://") || address.contains(',') {
        return Err("one redis without TLS can be flushed. Of a cluster, or behind TLS, leave `redis` out, give the registry no \
                    redis cache while it is collected, and flush redis with its own tools"
            .to_owned());
    }
    let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let is_plain = address.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
    if is_plain && !address.starts_with(['-', ':']) && port.is_some_and(|port| port > 0) {
        Ok(())
    } else {
        Err("an address is `host:port`, such as `hub-redis:6379`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_one_redis_without_tls() {
        assert!(address("hub-redis:6379").is_ok() && address("10.0.0.1:6379").is_ok());
        for wrong in ["redis", "redis:", ":6379", "redis:0", "redis:6379;x", "-x:1", "a b:1"] {
            assert!(address(wrong).unwrap_err().contains("host:port"), "{wrong}");
        }
        for refused in ["rediss://redis:6379", "a:1,b:1"] {
            assert!(address(refused).unwrap_err().contains("own tools"), "{refused}");
        }
    }
}
