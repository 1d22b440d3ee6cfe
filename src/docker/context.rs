//! Docker contexts, as the `docker` command stores them below its configuration folder.

use super::endpoint::{Endpoint, EndpointError};
use super::tls::TlsMaterial;
use serde::Deserialize;
use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

/// The name of the context that means "no context".
const DEFAULT: &str = "default";

#[derive(Deserialize, Default)]
#[serde(default)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: String,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints", default)]
    endpoints: BTreeMap<String, MetaEndpoint>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct MetaEndpoint {
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

/// The current context of `config.json`, if there is one.
pub(super) fn current(config: Option<&Path>) -> Result<Option<String>, EndpointError> {
    let Some(path) = config.map(|config| config.join("config.json")) else { return Ok(None) };
    let unusable = |problem: String| EndpointError::new(path.display().to_string(), problem);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(format!("cannot be read: {error}"))),
    };
    let file: ConfigFile =
        serde_json::from_slice(&text).map_err(|error| unusable(format!("is not valid: {error}")))?;
    Ok(Some(file.current_context).filter(|name| !name.is_empty() && name != DEFAULT))
}

/// Reads a context: its host, its TLS files and whether it wants the Engine's certificate verified.
pub(super) fn load(config: Option<&Path>, name: &str, origin: &str) -> Result<Endpoint, EndpointError> {
    if name == DEFAULT {
        return Endpoint::at(&["unix:///var/run/docker.sock".to_owned()], "the context `default`", false);
    }
    let origin = format!("{origin} `{name}`");
    let unusable = |problem: String| EndpointError::new(&origin, problem);
    let config = config
        .ok_or_else(|| unusable("there is no home directory to look for it. Set DOCKER_CONFIG".to_owned()))?;
    let folder = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes()).as_ref());
    let path = config.join("contexts/meta").join(&folder).join("meta.json");
    let text = fs::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => unusable(format!(
            "there is no such context below {}. `docker context ls` lists them",
            config.display()
        )),
        _ => unusable(format!("{} cannot be read: {error}", path.display())),
    })?;
    let meta: Meta = serde_json::from_slice(&text)
        .map_err(|error| unusable(format!("{} is not valid: {error}", path.display())))?;
    let docker = meta
        .endpoints
        .get("docker")
        .filter(|endpoint| !endpoint.host.is_empty())
        .ok_or_else(|| unusable("it names no Docker host".to_owned()))?;
    let tls =
        TlsMaterial::read(&config.join("contexts/tls").join(&folder).join("docker")).map_err(unusable)?;
    let mut endpoint =
        Endpoint::at(std::slice::from_ref(&docker.host), &origin, !tls.is_empty() || docker.skip_tls_verify)?;
    endpoint.tls = tls;
    endpoint.skip_tls_verify = docker.skip_tls_verify;
    Ok(endpoint)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::{Address, Settings};
    use super::*;
    use std::path::PathBuf;

    fn home(meta: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let name = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"prod").as_ref());
        let write = |path: PathBuf, text: &str| {
            let path = home.path().join(".docker").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("config.json".into(), r#"{"auths": {}, "currentContext": "prod"}"#);
        write(Path::new("contexts/meta").join(&name).join("meta.json"), meta);
        write(Path::new("contexts/tls").join(&name).join("docker/ca.pem"), "CA");
        home
    }

    fn resolve(home: &Path, settings: &Settings, context: Option<&str>) -> Result<Endpoint, EndpointError> {
        let context = context.map(str::to_owned);
        Endpoint::resolve(settings, &|name| context.clone().filter(|_| name == "DOCKER_CONTEXT"), Some(home))
    }

    #[test]
    fn the_current_context_gives_host_and_tls() {
        let home =
            home(r#"{"Name":"prod","Endpoints":{"docker":{"Host":"tcp://m1:2375","SkipTLSVerify":true}}}"#);
        let found = resolve(home.path(), &Settings::default(), None).unwrap();
        assert_eq!(found.origin(), "the current Docker context `prod`");
        assert_eq!(found.addresses, [Address::Tcp { host: "m1".into(), port: 2375, tls: true }]);
        assert_eq!((found.tls.ca.as_deref(), found.skip_tls_verify), (Some("CA"), true));
        let default = resolve(home.path(), &Settings::default(), Some("default")).unwrap();
        assert_eq!(default.host(), "unix:///var/run/docker.sock");
    }

    #[test]
    fn an_unknown_context_names_the_setting() {
        let home = home("{}");
        let error = resolve(home.path(), &Settings::default(), Some("dev")).unwrap_err().to_string();
        assert!(error.starts_with("DOCKER_CONTEXT `dev`: there is no such context"), "{error}");
        let settings = Settings { context: Some("prod".into()), ..Settings::default() };
        let error = resolve(home.path(), &settings, None).unwrap_err().to_string();
        assert_eq!(error, "the provider's `context` `prod`: it names no Docker host");
    }
}
