//! Credentials for registries: those of the provider block, else those that the `docker` command has.
//!
//! Docker keeps them in its `config.json`, or has a program keep them (`docker-credential-NAME`), which it asks by the
//! registry's address on its standard input. Docker Hub goes by an odd name of old there.

use super::Docker;
use super::call::RegistryAuth;
use super::error::{Error, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt, fs, io, path::PathBuf, process::Stdio, time::Duration};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use zeroize::Zeroizing;

/// What Docker's configuration calls Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// Other names of Docker Hub.
const ALIASES: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io"];
/// How long a credential helper may take; some ask a server, and some a person.
const HELPER: Duration = Duration::from_secs(60);
/// The name of the user by which a helper says that the secret is an identity token.
const TOKEN: &str = "<token>";

/// Where credentials come from.
#[derive(Clone, Default)]
pub(super) struct Sources {
    given: Vec<RegistryAuth>,
    /// The folder of Docker's configuration.
    config: Option<PathBuf>,
    /// Where credential helpers are looked for, as `PATH` has it.
    path: Option<String>,
}

/// What was found until now, by registry. A helper is asked once, and one at a time.
#[derive(Default)]
pub(super) struct Cache(tokio::sync::Mutex<BTreeMap<String, Option<RegistryAuth>>>);

/// The part of Docker's `config.json` that is about credentials.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ConfigFile {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    /// `user:password` in base64.
    auth: String,
    username: String,
    password: String,
    #[serde(rename = "identitytoken")]
    identity_token: String,
}

/// What a credential helper answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("given", &self.given).field("config", &self.config).finish()
    }
}

impl Docker {
    /// The credentials that this provider has for a registry, such as `hub.docker.local` or `docker.io`.
    ///
    /// # Errors
    /// Docker's configuration cannot be read, or a credential helper failed.
    pub async fn credentials(&self, registry: &str) -> Result<Option<RegistryAuth>> {
        let host = hostname(registry);
        let mut known = self.0.credentials.0.lock().await;
        if let Some(found) = known.get(&host) {
            return Ok(found.clone());
        }
        let look = self.0.endpoint.credentials.look_for(&host);
        let found = tokio::select! {
            found = look => found?,
            () = self.0.stop.cancelled() => return Err(Error::Stopped),
        };
        tracing::debug!(registry = host, found = found.is_some(), "credentials");
        known.insert(host, found.clone());
        Ok(found)
    }

    /// The registries for which there is a login: those of the provider block, and those in Docker's configuration. Each is
    /// a URL, over https unless it was written otherwise. Docker Hub, which lists its repositories to nobody, is not among
    /// them.
    ///
    /// # Errors
    /// Docker's configuration cannot be read.
    pub fn registries_with_login(&self) -> Result<Vec<String>> {
        self.0.endpoint.credentials.registries()
    }
}

impl Sources {
    pub(super) fn new(given: Vec<RegistryAuth>, config: Option<PathBuf>, path: Option<String>) -> Self {
        Self { given, config, path }
    }

    /// The credentials for a registry, by its [`hostname`].
    async fn look_for(&self, host: &str) -> Result<Option<RegistryAuth>> {
        let server = if host == ALIASES[0] { DOCKER_HUB } else { host };
        if let Some(given) = self.given.iter().find(|given| hostname(&given.server) == host) {
            return Ok(Some(RegistryAuth { server: server.to_owned(), ..given.clone() }));
        }
        let Some(file) = self.config_file()? else { return Ok(None) };
        let own = file.cred_helpers.iter().find(|(name, _)| hostname(name) == host);
        if let Some((_, helper)) = own {
            return match self.ask(helper, server).await {
                Err(Asking::Missing(program)) => Err(Asking::Missing(program).told(host)),
                other => other.map_err(|failed| failed.told(host)),
            };
        }
        if !file.creds_store.is_empty() {
            return match self.ask(&file.creds_store, server).await {
                // It may have been left by another installation, and most images need no credentials.
                Err(Asking::Missing(program)) => {
                    tracing::warn!(program, "Docker's configuration names a program that is not on PATH");
                    Ok(None)
                }
                other => other.map_err(|failed| failed.told(host)),
            };
        }
        let exact = file.auths.get(server);
        let entry =
            exact.or_else(|| file.auths.iter().find(|(name, _)| hostname(name) == host).map(|(_, e)| e));
        Ok(entry.and_then(|entry| entry.decode(server)))
    }

    fn registries(&self) -> Result<Vec<String>> {
        let file = self.config_file()?.unwrap_or_default();
        let given = self.given.iter().map(|given| given.server.clone());
        let all = given.chain(file.auths.into_keys()).chain(file.cred_helpers.into_keys());
        let named: BTreeMap<String, String> = all.map(|address| (hostname(&address), address)).collect();
        let url = |(host, address): (String, String)| {
            let scheme = if address.starts_with("http://") { "http" } else { "https" };
            format!("{scheme}://{host}")
        };
        Ok(named.into_iter().filter(|(host, _)| host != ALIASES[0]).map(url).collect())
    }

    fn config_file(&self) -> Result<Option<ConfigFile>> {
        let Some(path) = self.config.as_ref().map(|config| config.join("config.json")) else {
            return Ok(None);
        };
        let unusable = |problem: String| Error::Credentials(format!("{} {problem}", path.display()));
        let text = match fs::read(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(format!("cannot be read: {error}"))),
        };
        // The error of the parser may repeat what is there.
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            unusable(format!("is not valid at line {}, column {}", error.line(), error.column()))
        })
    }

    /// Asks a credential helper.
    async fn ask(&self, helper: &str, server: &str) -> Result<Option<RegistryAuth>, Asking> {
        let program = format!("docker-credential-{helper}");
        let failed = |problem: String| Asking::Failed(format!("`{program} get` {problem}"));
        let mut command = Command::new(&program);
        command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Asking::Missing(program.clone()),
            _ => failed(format!("cannot be started: {error}")),
        })?;
        if let Some(mut stdin) = child.stdin.take()
            && let Err(error) = stdin.write_all(format!("{server}\n").as_bytes()).await
            // It may know what to say without reading.
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(failed(format!("cannot be asked: {error}")));
        }
        let output = tokio::time::timeout(HELPER, child.wait_with_output())
            .await
            .map_err(|_| failed(format!("has not answered within {} s", HELPER.as_secs())))?
            .map_err(|error| failed(format!("broke off: {error}")))?;
        let text = Zeroizing::new(output.stdout);
        if !output.status.success() {
            // Helpers write why they failed to their standard output.
            let said = String::from_utf8_lossy(&text);
            let said = said.trim().lines().next().unwrap_or_default();
            if said.to_lowercase().contains("credentials not found") {
                return Ok(None);
            }
            let said: String = said.chars().filter(|letter| !letter.is_control()).take(200).collect();
            return Err(failed(format!("failed ({}): {said}", output.status)));
        }
        let Answer { username, secret } = serde_json::from_slice(&text)
            .map_err(|_| failed("answers something else than a helper does".to_owned()))?;
        let server = server.to_owned();
        Ok(Some(if username == TOKEN {
            RegistryAuth { server, identity_token: Some(secret), ..RegistryAuth::default() }
        } else {
            RegistryAuth { username, password: secret, server, identity_token: None }
        }))
    }
}

/// Why a credential helper has no answer.
enum Asking {
    /// There is no such program.
    Missing(String),
    Failed(String),
}

impl Asking {
    fn told(self, host: &str) -> Error {
        let problem = match self {
            Self::Missing(program) => format!(
                "`{program}` is not on PATH. Install it, take it out of Docker's configuration, or give the credentials \
                 in the provider's `registry_auth`"
            ),
            Self::Failed(problem) => problem,
        };
        Error::Credentials(format!("the credential helper for {host}: {problem}"))
    }
}

impl Entry {
    fn decode(&self, server: &str) -> Option<RegistryAuth> {
        let decoded = STANDARD.decode(self.auth.trim()).ok().map(Zeroizing::new);
        let text = decoded.as_ref().and_then(|decoded| std::str::from_utf8(decoded).ok()).unwrap_or_default();
        let (username, password) = text.trim_matches('\0').split_once(':').unwrap_or_default();
        let or = |one: &str, other: &str| if one.is_empty() { other.to_owned() } else { one.to_owned() };
        let found = RegistryAuth {
            username: or(username, &self.username),
            password: or(password, &self.password),
            server: server.to_owned(),
            identity_token: Some(self.identity_token.clone()).filter(|token| !token.is_empty()),
        };
        // An entry without anything only says that a helper has it.
        (!found.username.is_empty() || found.identity_token.is_some()).then_some(found)
    }
}

/// What registries are compared by: the host and port of an address, and one name for Docker Hub.
fn hostname(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default().to_lowercase();
    if ALIASES.contains(&host.as_str()) { ALIASES[0].to_owned() } else { host }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    /// A configuration, and a helper `fake` that answers so.
    fn sources(config: &str, helper: &str) -> (tempfile::TempDir, Sources) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let program = folder.path().join("docker-credential-fake");
        fs::write(&program, format!("#!/bin/sh\nread -r server\n{helper}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let sources = Sources::new(Vec::new(), Some(folder.path().into()), Some(path));
        (folder, sources)
    }

    fn login(found: Result<Option<RegistryAuth>>) -> Option<(String, String, String)> {
        found.unwrap().map(|found| (found.username, found.password, found.server))
    }

    fn three(user: &str, password: &str, server: &str) -> Option<(String, String, String)> {
        Some((user.into(), password.into(), server.into()))
    }

    #[tokio::test]
    async fn dockers_file_is_read_by_hostname() {
        let auth = STANDARD.encode("me:pass:word");
        let (_folder, sources) = sources(
            &format!(
                r#"{{"auths": {{"https://hub.local/v2/": {{"auth": "{auth}"}}, "{DOCKER_HUB}": {{"auth": "{auth}"}},
                "plain:5000": {{"username": "u", "password": "p"}}, "empty": {{}}, "t": {{"identitytoken": "T"}}}}}}"#
            ),
            "",
        );
        assert_eq!(login(sources.look_for("hub.local").await), three("me", "pass:word", "hub.local"));
        assert_eq!(login(sources.look_for("plain:5000").await), three("u", "p", "plain:5000"));
        assert_eq!(
            login(sources.look_for(&hostname("registry-1.docker.io")).await),
            three("me", "pass:word", DOCKER_HUB)
        );
        assert_eq!(sources.look_for("empty").await, Ok(None));
        assert_eq!(sources.look_for("plain").await, Ok(None), "the port belongs to the name");
        assert_eq!(sources.look_for("t").await.unwrap().unwrap().identity_token.as_deref(), Some("T"));
    }

    #[tokio::test]
    async fn helpers_are_asked_in_dockers_way() {
        let config =
            r#"{"credsStore": "missing", "credHelpers": {"hub.local": "fake", "docker.io": "fake"}}"#;
        let answer = r#"printf '{"ServerURL":"%s","Username":"u","Secret":"for %s"}' "$server" "$server""#;
        let (_folder, asked) = sources(config, answer);
        assert_eq!(login(asked.look_for("hub.local").await), three("u", "for hub.local", "hub.local"));
        assert_eq!(
            login(asked.look_for("docker.io").await),
            three("u", &format!("for {DOCKER_HUB}"), DOCKER_HUB)
        );
        assert_eq!(asked.look_for("other").await, Ok(None), "a store that is not installed has nothing");

        let (_folder, asked) = sources(config, r#"echo '{"Username":"<token>","Secret":"T"}'"#);
        let token = asked.look_for("hub.local").await.unwrap().unwrap();
        assert_eq!((token.identity_token.as_deref(), token.password.as_str()), (Some("T"), ""));

        let nothing = "echo 'credentials not found in native keychain'; exit 1";
        let (_folder, asked) = sources(r#"{"credsStore": "fake"}"#, nothing);
        assert_eq!(asked.look_for("hub.local").await, Ok(None));
    }

    #[tokio::test]
    async fn a_helper_that_fails_is_told_without_what_it_keeps() {
        let config = r#"{"credHelpers": {"hub.local": "fake", "gone": "missing"}}"#;
        let (_folder, asked) = sources(config, "echo 'the keyring is locked'; exit 3");
        let error = asked.look_for("hub.local").await.unwrap_err().to_string();
        assert!(error.contains("hub.local") && error.contains("keyring is locked"), "{error}");
        let error = asked.look_for("gone").await.unwrap_err().to_string();
        assert!(error.contains("docker-credential-missing") && error.contains("registry_auth"), "{error}");
        let (_folder, asked) = sources(config, "echo '{\"Secret\": \"hunter2\"'");
        let error = asked.look_for("hub.local").await.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        let (_folder, asked) = sources(r#"{"auths": "hunter2"}"#, "");
        let error = asked.look_for("hub.local").await.unwrap_err().to_string();
        assert!(error.contains("config.json") && !error.contains("hunter2"), "{error}");
    }

    #[tokio::test]
    async fn the_provider_block_goes_first() {
        let (_folder, mut asked) = sources(r#"{"credHelpers": {"hub.local": "fake"}}"#, "exit 1");
        asked.given.push(RegistryAuth {
            username: "mine".into(),
            password: "p".into(),
            server: "https://HUB.local/".into(),
            ..RegistryAuth::default()
        });
        assert_eq!(login(asked.look_for("hub.local").await), three("mine", "p", "hub.local"));
        assert!(!format!("{asked:?}").contains("\"p\""));
    }

    proptest! {
        #[test]
        fn whatever_login_is_written_is_read(user in "[^:\0]{1,6}", password in "[^\0]{1,6}") {
            let entry = Entry { auth: STANDARD.encode(format!("{user}:{password}")), ..Entry::default() };
            let found = entry.decode("hub").unwrap();
            prop_assert_eq!((found.username, found.password), (user, password));
        }
    }
}
