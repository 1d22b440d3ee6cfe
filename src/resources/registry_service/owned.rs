//! The secrets that belong to the service: its configuration, certificate, key and users, in generations.

use super::{RegistryService, configuration::Settings};
use crate::{
    docker::{self, BlobKind, Docker, Found, NewBlob},
    registry::{Secret, configuration::paths, htpasswd},
    resources::{
        failure::Doing,
        generation::{DigestKey, GENERATION_OF, OWNER, random_bytes},
        service::{Object, Reference, Resolved},
    },
    terraform::{Context, Diagnostic, Private, Result},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many older generations stay, so that the Engine can roll the service back.
const KEPT: usize = 1;

/// What one of the service's secrets is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    Config,
    Certificate,
    Key,
    ClientCa,
    Htpasswd,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Config, Role::Certificate, Role::Key, Role::ClientCa, Role::Htpasswd];

    fn word(self) -> &'static str {
        match self {
            Role::Config => "config",
            Role::Certificate => "tls-certificate",
            Role::Key => "tls-key",
            Role::ClientCa => "client-ca",
            Role::Htpasswd => "htpasswd",
        }
    }

    /// The file in the container, beneath `/run/secrets`.
    pub fn target(self) -> &'static str {
        let path = match self {
            Role::Config => paths::CONFIGURATION,
            Role::Certificate => paths::CERTIFICATE,
            Role::Key => paths::PRIVATE_KEY,
            Role::ClientCa => paths::CLIENT_CA,
            Role::Htpasswd => paths::HTPASSWD,
        };
        path.trim_start_matches("/run/secrets/")
    }

    /// Whether a file of that name is one of the provider's.
    pub fn is_target(target: &str) -> bool {
        Role::ALL.iter().any(|role| role.target() == target.trim_start_matches("/run/secrets/"))
    }

    /// The logical name of this secret of a service.
    pub fn of(self, service: &str) -> String {
        format!("{service}-{}", self.word())
    }
}

/// What the service mounts under one of its roles.
enum Content {
    /// This, in a secret of the service's own.
    Bytes(Secret),
    /// What the role had before.
    Kept,
    /// A secret of somebody else, by ID or name.
    Foreign(String),
}

/// What the private state remembers of the service's own secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept(BTreeMap<Role, KeptObject>);

#[derive(Clone, Serialize, Deserialize)]
struct KeptObject {
    id: String,
    name: String,
}

const PRIVATE: &str = "owned";
const HTTP_SECRET: &str = "http_secret";

/// The HTTP secret that was kept, if one was.
pub(super) fn kept_http_secret(private: &Private) -> Option<Secret> {
    private.get::<String>(HTTP_SECRET).map(Secret::from)
}

fn http_secret(private: &mut Private) -> Secret {
    kept_http_secret(private).unwrap_or_else(|| {
        let secret = STANDARD.encode(random_bytes::<48>());
        private.set(HTTP_SECRET, &secret);
        secret.into()
    })
}

/// The name that the configuration's secret will have, if that can be told before apply.
pub(super) fn expected_config(
    private: &Private,
    service: &str,
    settings: &Settings,
) -> Result<Option<String>> {
    let (Some(key), Some(secret)) = (DigestKey::kept(private), kept_http_secret(private)) else {
        return Ok(None);
    };
    let rendered = settings.configuration(secret)?.render(settings.dialect);
    Ok(Some(key.generation(&Role::Config.of(service), rendered.yaml.expose().as_bytes())))
}

/// The name of the service's configuration secret, if the service mounts all that belongs to it, as it was left.
pub(super) fn mounted_config(private: &Private, mounted: &[Resolved]) -> Option<String> {
    let kept: Kept = private.get(PRIVATE)?;
    let is_mounted = |(role, object): (&Role, &KeptObject)| {
        mounted.iter().any(|reference| {
            reference.object.id == object.id && reference.file.target.as_deref() == Some(role.target())
        })
    };
    let config = kept.0.get(&Role::Config)?.name.clone();
    kept.0.iter().all(is_mounted).then_some(config)
}

/// Makes what secrets the service needs, and answers what it mounts. What is there already is not made again.
pub(super) async fn provide(
    service: &RegistryService,
    prior: Option<&RegistryService>,
    settings: &Settings,
    context: &mut Context<Docker>,
) -> Result<Vec<Resolved>> {
    let key = DigestKey::of(&mut context.private);
    let contents = contents(service, prior, settings, &key, &mut context.private)?;
    let mut kept: Kept = context.private.get(PRIVATE).unwrap_or_default();
    let mut mounted = vec![];
    let mut now = Kept::default();
    for (role, content) in contents {
        let object = match content {
            Content::Bytes(bytes) => ensure(&context.client, &service.name, role, &key, &bytes).await?,
            Content::Kept => {
                let object = kept.0.remove(&role).ok_or_else(|| missing(role))?;
                Object { id: object.id, name: object.name }
            }
            Content::Foreign(source) => {
                let secrets = context.client.secrets().await.doing(|| "list the secrets".to_owned())?;
                let found = secrets.iter().find(|secret| secret.id == source || secret.name == source);
                let found = found.ok_or_else(|| no_such_secret(role, &source))?;
                mounted.push(reference(
                    service,
                    role,
                    Object { id: found.id.clone(), name: found.name.clone() },
                ));
                continue;
            }
        };
        now.0.insert(role, KeptObject { id: object.id.clone(), name: object.name.clone() });
        mounted.push(reference(service, role, object));
    }
    context.private.set(PRIVATE, now);
    Ok(mounted)
}

fn contents(
    service: &RegistryService,
    prior: Option<&RegistryService>,
    settings: &Settings,
    key: &DigestKey,
    private: &mut Private,
) -> Result<Vec<(Role, Content)>> {
    let rendered = settings.configuration(http_secret(private))?.render(settings.dialect);
    let mut contents = vec![(Role::Config, Content::Bytes(rendered.yaml))];
    if let Some(tls) = &service.tls {
        let certificate = match (&tls.certificate, &tls.certificate_secret) {
            (Some(pem), _) => Content::Bytes(pem.as_str().into()),
            (None, Some(source)) => Content::Foreign(source.clone()),
            (None, None) => return Err(missing(Role::Certificate)),
        };
        contents.push((Role::Certificate, certificate));
        let sent = prior.and_then(|prior| prior.tls.as_ref()).map(|prior| prior.private_key_wo_version);
        let private_key = match (&tls.private_key, &tls.private_key_secret) {
            (Some(pem), _) => Content::Bytes(pem.expose().as_str().into()),
            (None, Some(source)) => Content::Foreign(source.clone()),
            (None, None) if sent == Some(tls.private_key_wo_version) && is_kept(private, Role::Key) => {
                Content::Kept
            }
            (None, None) => {
                Content::Bytes(tls.private_key_wo.required("tls.private_key_wo")?.as_str().into())
            }
        };
        contents.push((Role::Key, private_key));
        contents
            .extend(tls.client_ca.as_ref().map(|pem| (Role::ClientCa, Content::Bytes(pem.as_str().into()))));
    }
    if let Some(htpasswd) = service.auth.as_ref().and_then(|auth| auth.htpasswd.as_ref()) {
        let sent = prior
            .and_then(|prior| prior.auth.as_ref()?.htpasswd.as_ref())
            .map(|prior| prior.users_wo_version);
        let file = match (&htpasswd.users, &htpasswd.file, &htpasswd.file_secret) {
            (Some(users), ..) => Content::Bytes(hashed(users.expose(), key, "auth.htpasswd.users")?),
            (None, Some(file), _) => Content::Bytes(file.expose().as_str().into()),
            (None, None, Some(source)) => Content::Foreign(source.clone()),
            (None, None, None)
                if sent == Some(htpasswd.users_wo_version) && is_kept(private, Role::Htpasswd) =>
            {
                Content::Kept
            }
            (None, None, None) => {
                let users = htpasswd.users_wo.required("auth.htpasswd.users_wo")?;
                Content::Bytes(hashed(users, key, "auth.htpasswd.users_wo")?)
            }
        };
        contents.push((Role::Htpasswd, file));
    }
    Ok(contents)
}

fn is_kept(private: &Private, role: Role) -> bool {
    private.get::<Kept>(PRIVATE).is_some_and(|kept| kept.0.contains_key(&role))
}

/// The lines of the users. The salt follows from the key, so the same users make the same lines.
fn hashed(users: &BTreeMap<String, String>, key: &DigestKey, path: &str) -> Result<Secret> {
    let users =
        users.iter().map(|(user, password)| (user.clone(), Secret::from(password.as_str()))).collect();
    htpasswd::make(&users, &key.digest(b"htpasswd"), htpasswd::DEFAULT_COST)
        .map_err(|error| Diagnostic::error("These users cannot be written", format!("{error}.")).at(path))
}

async fn ensure(
    docker: &Docker,
    service: &str,
    role: Role,
    key: &DigestKey,
    content: &Secret,
) -> Result<Object> {
    let logical = role.of(service);
    let name = key.generation(&logical, content.expose().as_bytes());
    let labels =
        BTreeMap::from([(GENERATION_OF.to_owned(), logical), (OWNER.to_owned(), service.to_owned())]);
    let created = docker
        .create_blob(
            BlobKind::Secret,
            &NewBlob {
                name: &name,
                labels: &labels,
                data: content.expose().as_bytes(),
                driver: None,
                templating: None,
            },
        )
        .await;
    let id = match created {
        Err(docker::Error::NameTaken { .. }) => {
            // The name says what is in it: an earlier generation is back, or an apply that was cut off had made it.
            let secret = docker.find_blob(BlobKind::Secret, &name).await;
            secret.doing(|| format!("find secret `{name}`"))?.id
        }
        created => created.doing(|| format!("create secret `{name}`"))?,
    };
    Ok(Object { id, name })
}

fn reference(service: &RegistryService, role: Role, object: Object) -> Resolved {
    // A user by number owns its files alone; of a user by name the number is not known here.
    let number = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit());
    let mut user = service.service.user.as_deref().unwrap_or("0").splitn(2, ':');
    let (uid, gid) = (user.next().unwrap_or("0"), user.next().unwrap_or("0"));
    let alone = number(uid) && number(gid);
    let file = Reference {
        source: object.id.clone(),
        target: Some(role.target().to_owned()),
        uid: if alone { uid.to_owned() } else { "0".to_owned() },
        gid: if alone { gid.to_owned() } else { "0".to_owned() },
        mode: if alone { "0400".to_owned() } else { "0444".to_owned() },
    };
    Resolved { object, file }
}

/// Removes the service's generations that are superseded, but for the newest of them in each role.
pub(super) async fn remove_superseded(service: &str, mounted: &[Resolved], docker: &Docker) {
    let Ok(secrets) = docker.blobs_now(BlobKind::Secret).await else { return };
    let mut older: BTreeMap<&str, Vec<&docker::Blob>> = BTreeMap::new();
    for secret in
        secrets.iter().filter(|secret| secret.labels.get(OWNER).is_some_and(|owner| owner == service))
    {
        if !mounted.iter().any(|reference| reference.object.id == secret.id) {
            older
                .entry(secret.labels.get(GENERATION_OF).map_or("", String::as_str))
                .or_default()
                .push(secret);
        }
    }
    for generations in older.values_mut() {
        generations.sort_by(|a, b| b.created_at.cmp(&a.created_at));
        for secret in generations.iter().skip(KEPT) {
            remove(docker, secret).await;
        }
    }
}

/// Removes all secrets of a service that is gone.
///
/// # Errors
/// The secrets cannot be listed, or one cannot be removed.
pub(super) async fn remove_all(service: &str, docker: &Docker) -> Result<()> {
    let secrets = docker.blobs_now(BlobKind::Secret).await.doing(|| "list the secrets".to_owned())?;
    for secret in
        secrets.iter().filter(|secret| secret.labels.get(OWNER).is_some_and(|owner| owner == service))
    {
        docker
            .remove_blob(BlobKind::Secret, &secret.id)
            .await
            .found()
            .doing(|| format!("remove secret `{}`", secret.name))?;
    }
    Ok(())
}

/// Removes what no service uses any more; what one uses, or cannot be removed now, stays for another time.
pub(super) async fn remove(docker: &Docker, secret: &docker::Blob) {
    if let Err(error) = docker.remove_blob(BlobKind::Secret, &secret.id).await.found() {
        tracing::debug!(secret = secret.name, %error, "an older generation stays");
    }
}

fn missing(role: Role) -> Diagnostic {
    Diagnostic::bug(format!("There is nothing for the service's {}.", role.word()))
}

fn no_such_secret(role: Role, source: &str) -> Diagnostic {
    let path = match role {
        Role::Certificate => "tls.certificate_secret",
        Role::Key => "tls.private_key_secret",
        _ => "auth.htpasswd.file_secret",
    };
    Diagnostic::error(
        format!("There is no secret `{source}`"),
        "Neither an ID nor a name of a secret of the swarm is that.",
    )
    .at(path)
}
