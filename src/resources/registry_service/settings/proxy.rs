//! `proxy`: the registry as a cache of another.

use super::{file::in_file, web_address};
use crate::{
    registry::configuration::Section,
    resources::service::not_empty,
    terraform::{Duration, Model, Sensitive, WriteOnly},
};

/// The registry as a cache of another, from which it fetches what it does not have (`proxy`). Nothing can be pushed to it.
///
/// Replicas must not share their storage, unless `ttl` is `"0s"`. What is old is removed only with `storage.delete`.
#[derive(Clone, Debug, Model)]
pub struct Proxy {
    /// Address of the other registry, such as `https://registry-1.docker.io` (`remoteurl`). It must answer when this one
    /// starts.
    #[tf(check = web_address)]
    pub remote_url: String,

    /// User at the other registry. Whoever may use this one then sees all that the user may see there.
    #[tf(check = not_empty)]
    pub username: Option<String>,

    /// The user's password. It is kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,

    /// The user's password, kept in neither plan nor state.
    pub password_wo: WriteOnly<String>,

    /// Raise it to send `password_wo` again.
    pub password_wo_version: Option<i64>,

    /// A program that knows the user and the password, instead of them. Needs Distribution 3.0.
    pub exec: Option<Exec>,

    /// How long something is kept, such as `"168h"`; `"0s"` is for ever. Without it 168 hours. Needs Distribution 3.0.
    pub ttl: Option<Duration>,

    /// How long it may take to write a layer into the storage (`cachewritetimeout`). Without it 5 minutes. Needs
    /// Distribution 3.1.
    #[tf(check = some_time)]
    pub cache_write_timeout: Option<Duration>,
}

/// A program that knows the user and the password, as Docker's credential helpers do.
#[derive(Clone, Debug, Model)]
pub struct Exec {
    /// Its path in the container.
    #[tf(check = not_empty)]
    pub command: String,

    /// How long its answer is good; `"0s"` asks it for each request. Without it it is asked once.
    pub lifetime: Option<Duration>,
}

impl Proxy {
    /// `proxy`
    pub fn section(&self) -> Section {
        let time = |time: &Option<Duration>| time.as_ref().map(Duration::to_std);
        let exec = self
            .exec
            .as_ref()
            .map(|exec| Section::new().with("command", &exec.command).with("lifetime", time(&exec.lifetime)));
        Section::new()
            .with("remoteurl", &self.remote_url)
            .with("username", &self.username)
            .with("password", in_file(&self.password, &self.password_wo, self.password_wo_version))
            .with("exec", exec)
            .with("ttl", time(&self.ttl))
            .with("cachewritetimeout", time(&self.cache_write_timeout))
    }
}

fn some_time(time: &Duration) -> Result<(), String> {
    if time.nanos() > 0 {
        Ok(())
    } else {
        Err("more than nothing: Distribution takes 0 for 5 minutes".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use crate::registry::Secret;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn all_of_it_is_written_and_read_by_the_dialect() {
        let proxy = json!({
            "remote_url": "https://registry-1.docker.io", "username": "bot", "password_wo": "hunter2", "ttl": "0s",
            "exec": { "command": "/bin/helper", "lifetime": "1h" }, "cache_write_timeout": "1m",
        });
        let settings = settings(json!({ "proxy": proxy }));
        let configuration = settings.configuration(Secret::from("x")).unwrap();
        assert_eq!(configuration.unread(settings.dialect()), Vec::<String>::new());
        let preview = configuration.render().preview;
        let written = &preview[preview.find("proxy:").unwrap()..preview.find("storage:\n  cache").unwrap()];
        expect![[r#"
            proxy:
              cachewritetimeout: "1m"
              exec:
                command: "/bin/helper"
                lifetime: "1h"
              password: "(sensitive)"
              remoteurl: "https://registry-1.docker.io"
              ttl: "0s"
              username: "bot"
        "#]]
        .assert_eq(written);
    }
}
