//! The registry that a resource or a data source asks over HTTP: where it is, whom to trust, who logs in.

use super::failure::{Doing, sentence};
use super::registry_service::web_address;
use crate::{
    docker::Docker,
    registry::{
        Secret, Trust,
        client::{Client, Credentials, Error},
        image::{NotAReference, Reference},
        probe::{Probe, ProbeError},
    },
    terraform::{Diagnostic, Model, Result, Sensitive},
};

/// A registry: where it is, whom to trust to be it, and who logs in.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct RegistryAccess {
    /// Address of the registry, such as `https://hub.example.com` or `http://10.0.0.5:5000`.
    #[tf(check = web_address)]
    pub url: String,

    /// Name of the user. Without it, the login is the one that the provider block has for this host in `registry_auth`,
    /// else the one of Docker's configuration on this machine, else none.
    pub username: Option<String>,

    /// Password of the user. It is kept in the state: better leave the login to `registry_auth` of the provider block,
    /// which is kept nowhere and may be ephemeral.
    pub password: Option<Sensitive<String>>,

    /// Certificates as PEM text, by one of which the registry's must be signed. Without it those of the system.
    pub ca: Option<String>,

    /// `host:port` to connect to instead of what `url` names, where that name does not resolve here.
    pub connect_to: Option<String>,

    /// Whether the certificate is not verified: anybody between here and there can then be the registry.
    #[tf(default = false)]
    pub insecure: bool,
}

impl RegistryAccess {
    /// The registry at an address, all else as by default.
    pub fn to(url: &str) -> Self {
        RegistryAccess {
            url: url.to_owned(),
            username: None,
            password: None,
            ca: None,
            connect_to: None,
            insecure: false,
        }
    }

    /// A client of the registry. Nothing is connected yet.
    ///
    /// # Errors
    /// The settings mean nothing, or the login cannot be found; the path is below that of the object.
    pub async fn open(&self, docker: &Docker) -> Result<Client> {
        let credentials = self.credentials(docker).await?;
        Client::new(&self.url, self.trust(), self.connect_to.as_deref(), credentials)
            .map_err(|error| unusable(&error))
    }

    fn trust(&self) -> Trust<'_> {
        match &self.ca {
            _ if self.insecure => Trust::Anybody,
            Some(pem) => Trust::Authorities(pem),
            None => Trust::System,
        }
    }

    /// What asks the registry without a login.
    ///
    /// # Errors
    /// The settings mean nothing; the path is below that of the object.
    pub fn probe(&self) -> Result<Probe> {
        Probe::new(&self.url, self.trust(), self.connect_to.as_deref()).map_err(|error| unusable(&error))
    }

    async fn credentials(&self, docker: &Docker) -> Result<Option<Credentials>> {
        match (&self.username, &self.password) {
            (Some(username), Some(password)) => {
                let password = Secret::from(password.expose().clone());
                return Ok(Some(Credentials::Password { username: username.clone(), password }));
            }
            (None, None) => {}
            (username, _) => {
                let missing = if username.is_some() { "password" } else { "username" };
                let why = "A registry is logged in to with `username` and `password`: set both or neither.";
                return Err(Diagnostic::error("Half a login", why).at(missing));
            }
        }
        let host = self.host();
        let found = docker.credentials(host).await.doing(|| format!("find the login to {host}"));
        let found = found.map_err(|error| error.at("url"))?;
        Ok(found.map(|found| match found.identity_token {
            Some(token) => Credentials::IdentityToken(token.into()),
            None => Credentials::Password { username: found.username, password: found.password.into() },
        }))
    }

    /// Host and port, as an image's name begins with them.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}

fn unusable(error: &ProbeError) -> Diagnostic {
    let at = if matches!(error, ProbeError::Authority(_)) { "ca" } else { "url" };
    Diagnostic::error("The registry cannot be asked", sentence(&error.to_string())).at(at)
}

/// A failure at a registry in words: what could not be done, and why.
pub fn refusal(what: &str, error: &Error) -> Diagnostic {
    let mut detail = sentence(&error.to_string());
    match error {
        Error::Unauthorized { .. } => detail.push_str(
            " The login is `username` and `password` here, or that of `registry_auth` in the provider block, or what \
             `docker login` has left on this machine.",
        ),
        Error::NotAllowed { what, .. } if what.starts_with("delete") => detail.push_str(
            " Where the registry is a `registry_service`, `storage = { delete = true, … }` turns it on. With \
             `keep_on_destroy = true` the image stays in the registry.",
        ),
        _ => {}
    }
    Diagnostic::error(format!("Cannot {what}"), detail)
}

/// A name of a repository inside of a registry.
pub fn repository_name(name: &str) -> Result<(), String> {
    if name.contains([':', '@']) {
        return Err("a repository's name has no tag and no digest in it".to_owned());
    }
    // The host is only there so that the name's first part is not taken for one.
    format!("registry.invalid/{name}").parse::<Reference>().map(drop).map_err(|error| match error {
        NotAReference::Empty => "it is empty".to_owned(),
        other => other.to_string().replace("registry.invalid/", ""),
    })
}

/// What follows the name of a repository: a tag, or a digest.
pub fn tag_or_digest(reference: &str) -> Result<(), String> {
    let joint = if reference.contains(':') { '@' } else { ':' };
    let whole = format!("registry.invalid/it{joint}{reference}");
    whole.parse::<Reference>().map(drop).map_err(|_| {
        "it is neither a tag (up to 128 letters, digits, `_`, `.` and `-`, and neither `.` nor `-` first) nor a digest \
         such as `sha256:` followed by 64 hexadecimal digits"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tags_and_digests_are_known_from_others() {
        for name in ["alpine", "library/alpine", "a/b/c", "a.b/c", "localhost/x"] {
            assert_eq!(repository_name(name), Ok(()), "{name}");
        }
        for name in ["", "Alpine", "a:1", "a@sha256:1", "/a", "a//b", "a/"] {
            assert!(repository_name(name).is_err(), "{name}");
        }
        let digest = format!("sha256:{}", "a".repeat(64));
        assert!(["3.20", "latest", &digest].iter().all(|reference| tag_or_digest(reference).is_ok()));
        assert!(
            ["", ".a", "a b", "sha256:1", "a:b"].iter().all(|reference| tag_or_digest(reference).is_err())
        );
    }

    #[test]
    fn the_host_is_what_images_names_begin_with() {
        assert_eq!(RegistryAccess::to("https://hub:5000/").host(), "hub:5000");
        assert_eq!(RegistryAccess::to("http://hub").host(), "hub");
    }
}
