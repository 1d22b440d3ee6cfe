//! The secrets that belong to the service: its configuration, certificate, key and users, in generations.

use super::{
    RegistryService,
    settings::{Content, File, Role, Settings},
};
use crate::{
    docker::{self, BlobKind, Docker, Found, NewBlob},
    registry::{Secret, htpasswd},
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

/// What the private state remembers of the service's own secrets.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept(BTreeMap<Role, KeptObject>);

#[derive(Clone, Serialize, Deserialize)]
struct KeptObject {
    id: String,
    name: String,
}

impl From<Object> for KeptObject {
    fn from(object: Object) -> Self {
        KeptObject { id: object.id, name: object.name }
    }
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
    let rendered = settings.configuration(secret)?.render();
    Ok(Some(key.generation(&Role::Config.of(service), rendered.named_by.expose().as_bytes())))
}

/// The name of the service's configuration secret, if the service mounts all that the registry reads, as it was left, and
/// nothing else in its places.
pub(super) fn mounted_config(private: &Private, settings: &Settings, mounted: &[Resolved]) -> Option<String> {
    let kept: Kept = private.get(PRIVATE)?;
    let config = kept.0.get(&Role::Config)?.name.clone();
    let foreign = settings.files(None).into_iter().filter_map(|file| match file.content {
        Content::Foreign(source) => Some((file.role, source)),
        _ => None,
    });
    let mut wanted: BTreeMap<Role, String> = foreign.collect();
    wanted.extend(kept.0.into_iter().map(|(role, object)| (role, object.id)));
    let role = |reference: &Resolved| Role::of_target(reference.file.target.as_deref()?);
    let found: Vec<(Role, &Object)> =
        mounted.iter().filter_map(|reference| Some((role(reference)?, &reference.object))).collect();
    let is_wanted = |(role, object): &(Role, &Object)| {
        wanted.get(role).is_some_and(|source| *source == object.id || *source == object.name)
    };
    (found.len() == wanted.len() && found.iter().all(is_wanted)).then_some(config)
}

/// Makes what secrets the service needs, and answers what it mounts. What is there already is not made again.
pub(super) async fn provide(
    service: &RegistryService,
    prior: Option<&Settings>,
    context: &mut Context<Docker>,
) -> Result<Vec<Resolved>> {
    let key = DigestKey::of(&mut context.private);
    let kept: Kept = context.private.get(PRIVATE).unwrap_or_default();
    let mut now = Kept::default();
    let config = configuration(service, &kept, &key, context).await?;
    let mut mounted = vec![reference(service, Role::Config, config.clone())];
    now.0.insert(Role::Config, config.into());
    for file in service.settings.files(prior) {
        let role = file.role;
        let object = match wanted(file, &kept, &key)? {
            Wanted::Kept(object) => object,
            Wanted::Bytes(bytes) => {
                let generation =
                    Generation { service: &service.name, role, content: &bytes, named_by: &bytes };
                generation.ensure(&key, &context.client).await?
            }
            Wanted::Foreign(attribute, source) => {
                let secrets = context.client.secrets().await.doing(|| "list the secrets".to_owned())?;
                let found = secrets.iter().find(|secret| secret.id == source || secret.name == source);
                let found = found.ok_or_else(|| no_such_secret(attribute, &source))?;
                let object = Object { id: found.id.clone(), name: found.name.clone() };
                mounted.push(reference(service, role, object));
                continue;
            }
        };
        now.0.insert(role, object.clone().into());
        mounted.push(reference(service, role, object));
    }
    context.private.set(PRIVATE, now);
    Ok(mounted)
}

/// The secret with the configuration file.
async fn configuration(
    service: &RegistryService,
    kept: &Kept,
    key: &DigestKey,
    context: &mut Context<Docker>,
) -> Result<Object> {
    let rendered = service.settings.configuration(http_secret(&mut context.private))?.render();
    let generation = Generation {
        service: &service.name,
        role: Role::Config,
        content: &rendered.yaml,
        named_by: &rendered.named_by,
    };
    if rendered.yaml != rendered.named_by {
        generation.forget_another_content(kept, key, &context.client).await?;
    }
    generation.ensure(key, &context.client).await
}

/// What the service is to mount under one of its roles.
enum Wanted {
    /// What the role had before.
    Kept(Object),
    /// This, in a secret of the service's own.
    Bytes(Secret),
    /// A secret of somebody else, and the attribute that names it.
    Foreign(&'static str, String),
}

fn wanted(file: File, kept: &Kept, key: &DigestKey) -> Result<Wanted> {
    let before = kept.0.get(&file.role);
    let before = before.map(|kept| Object { id: kept.id.clone(), name: kept.name.clone() });
    let missing = || {
        Diagnostic::error(
            "A write-only value is missing",
            format!("`{}_wo` must be in the configuration, since it is kept nowhere else.", file.attribute),
        )
        .at(format!("{}_wo", file.attribute).as_str())
    };
    Ok(match (file.content, before) {
        (
            Content::Versioned { is_sent: true, .. } | Content::VersionedUsers { is_sent: true, .. },
            Some(before),
        ) => Wanted::Kept(before),
        (Content::Bytes(bytes), _) => Wanted::Bytes(bytes),
        (Content::Versioned { value, .. }, _) => Wanted::Bytes(value.ok_or_else(missing)?),
        (Content::Users(users, cost), _) => Wanted::Bytes(hashed(users, cost, key, file.attribute)?),
        (Content::VersionedUsers { users, cost, .. }, _) => {
            Wanted::Bytes(hashed(users.ok_or_else(missing)?, cost, key, file.attribute)?)
        }
        (Content::Foreign(source), _) => Wanted::Foreign(file.attribute, source),
    })
}

/// The lines of the users. The salt follows from the key, so the same users make the same lines.
fn hashed(users: Vec<(String, Secret)>, cost: u32, key: &DigestKey, path: &str) -> Result<Secret> {
    htpasswd::make(&users.into_iter().collect(), &key.digest(b"htpasswd"), cost)
        .map_err(|error| Diagnostic::error("These users cannot be written", format!("{error}.")).at(path))
}

/// A secret of the service's own, whose name follows from what is in it.
struct Generation<'a> {
    service: &'a str,
    role: Role,
    content: &'a Secret,
    /// What its name follows from: the content, but for values that are known by their version alone.
    named_by: &'a Secret,
}

impl Generation<'_> {
    fn name(&self, key: &DigestKey) -> String {
        key.generation(&self.role.of(self.service), self.named_by.expose().as_bytes())
    }

    async fn ensure(&self, key: &DigestKey, docker: &Docker) -> Result<Object> {
        let (logical, name) = (self.role.of(self.service), self.name(key));
        let labels = BTreeMap::from([
            (GENERATION_OF.to_owned(), logical),
            (OWNER.to_owned(), self.service.to_owned()),
        ]);
        let blob = NewBlob {
            name: &name,
            labels: &labels,
            data: self.content.expose().as_bytes(),
            driver: None,
            templating: None,
        };
        let id = match docker.create_blob(BlobKind::Secret, &blob).await {
            Err(docker::Error::NameTaken { .. }) => {
                // The name says what is in it: an earlier generation is back, or an apply that was cut off had made it.
                let secret = docker.find_blob(BlobKind::Secret, &name).await;
                secret.doing(|| format!("find secret `{name}`"))?.id
            }
            created => created.doing(|| format!("create secret `{name}`"))?,
        };
        Ok(Object { id, name })
    }

    /// Removes what an apply that failed has left under the name, since a value that is known by its version alone may
    /// have been put right meanwhile. What the service is known to mount is as it is to be.
    async fn forget_another_content(&self, kept: &Kept, key: &DigestKey, docker: &Docker) -> Result<()> {
        let name = self.name(key);
        if kept.0.values().any(|kept| kept.name == name) {
            return Ok(());
        }
        match docker.find_blob(BlobKind::Secret, &name).await.found() {
            Ok(Some(secret)) => remove(docker, &secret).await,
            Ok(None) => {}
            Err(error) => return Err(error).doing(|| format!("find secret `{name}`")),
        }
        Ok(())
    }
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

/// Removes the service's generations that are superseded, but for the newest ones in each role, so many as are to be kept
/// for the Engine to roll the service back to.
pub(super) async fn remove_superseded(service: &str, mounted: &[Resolved], kept: i64, docker: &Docker) {
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
        for secret in generations.iter().skip(usize::try_from(kept).unwrap_or(1)) {
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

pub(super) fn no_such_secret(attribute: &str, source: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is no secret `{source}` (T18)"),
        "Neither an ID nor a name of a secret of the swarm is that.",
    )
    .at(format!("{attribute}_secret").as_str())
}
