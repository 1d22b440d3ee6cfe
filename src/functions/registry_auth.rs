//! `registry_auth`: a Docker configuration file with the credentials for one registry.

use crate::registry::image::is_host;
use crate::terraform::{Diagnostic, Function, Model, Result, Sensitive};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

/// Makes a Docker configuration file that logs in to a registry, as `docker login` would write it.
///
/// The answer is the JSON text of a `config.json`: `{"auths":{"SERVER":{"auth":"…"}}}`. It is for programs in the
/// swarm that pull or push by themselves, and so belongs in a secret that they mount. Whoever reads it can log in: it is
/// the user name and the password in base64. Give it to `data_wo`, and mark what it is made of as sensitive or ephemeral.
#[derive(Debug, Model)]
pub struct RegistryAuth {
    /// Name of the user; it cannot have a colon in it.
    username: String,

    /// Password of the user, or a token.
    password: Sensitive<String>,

    /// Host of the registry with its port, such as `hub.docker.local` or `localhost:5000`; `docker.io` is Docker Hub.
    server: String,
}

/// What Docker's own programs look for instead of Docker Hub's host.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

impl Function for RegistryAuth {
    const NAME: &'static str = "registry_auth";
    type Answer = Sensitive<String>;

    fn call(self) -> Result<Sensitive<String>> {
        if self.username.is_empty() || self.username.contains(':') {
            let rule = "A user name is wanted, without a colon: the colon ends it where it is sent.";
            return Err(Diagnostic::error("Not a user name", rule).at("username"));
        }
        if self.password.expose().is_empty() {
            return Err(Diagnostic::error("No password", "A password or a token is wanted.").at("password"));
        }
        let pair = format!("{}:{}", self.username, self.password.expose());
        let file = json!({ "auths": { key(&self.server)?: { "auth": STANDARD.encode(pair) } } });
        Ok(file.to_string().into())
    }
}

/// Under what Docker keeps the credentials of a registry.
fn key(server: &str) -> Result<&str> {
    match server {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" | DOCKER_HUB => Ok(DOCKER_HUB),
        host if is_host(host) => Ok(host),
        _ => Err(Diagnostic::error(
            "Not a registry",
            "The host of the registry with its port is wanted, such as `hub.docker.local` or `localhost:5000`, \
             without `https://` and without a path.",
        )
        .at("server")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(username: &str, password: &str, server: &str) -> Result<String> {
        let file = RegistryAuth {
            username: username.to_owned(),
            password: password.to_owned().into(),
            server: server.to_owned(),
        };
        file.call().map(|file| file.expose().clone())
    }

    #[test]
    fn file_is_what_docker_login_writes() {
        assert_eq!(
            call("ci", "hunter:2", "hub.docker.local:5000").as_deref(),
            Ok(r#"{"auths":{"hub.docker.local:5000":{"auth":"Y2k6aHVudGVyOjI="}}}"#)
        );
        assert!(
            call("ci", "x", "docker.io").is_ok_and(|file| file.contains(r#""https://index.docker.io/v1/""#))
        );
    }

    #[test]
    fn errors_name_their_argument_and_no_secret() {
        for (username, password, server, argument) in [
            ("", "hunter2", "hub.docker.local", "username"),
            ("a:b", "hunter2", "hub.docker.local", "username"),
            ("ci", "", "hub.docker.local", "password"),
            ("ci", "hunter2", "https://hub.docker.local", "server"),
            ("ci", "hunter2", "hub.docker.local/team", "server"),
            ("ci", "hunter2", "hub", "server"),
            ("ci", "hunter2", "", "server"),
        ] {
            let error = call(username, password, server).unwrap_err();
            assert_eq!(error.path.to_string(), argument, "{error:?}");
            assert!(!error.detail.contains("hunter2"), "{error:?}");
        }
    }
}
