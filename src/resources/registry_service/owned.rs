//! The secrets that belong to the service: its configuration, certificate, key and users, in generations.

mod kept;

pub(super) use kept::{check, has_other_files};

use super::{
    RegistryService,
    settings::{Content, File, Role, Settings},
};
use crate::{
    docker::{self, BlobKind, Change, Docker, Found, NewBlob, ServiceSpec},
    registry::{Secret, htpasswd},
    resources::{
        failure::Doing,
        generation::{DigestKey, GENERATION_OF, OWNER, random_bytes},
        service::{Object, Reference, Resolved},
    },
    terraform::{Context, Diagnostic, Private, Result},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use kept::{Before, Kept};
use std::collections::BTreeMap;

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
    let kept = Kept::of(private)?;
    let config = kept.0.get(&Role::Config)?.name.clone();
    let foreign = settings.files().into_iter().filter_map(|file| match file.content {
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

/// What the service mounts of its own, and what of that this apply has made.
#[derive(Default)]
pub(super) struct Provided {
    pub mounted: Vec<Resolved>,
    made: Vec<Object>,
}

impl Provided {
    /// Removes what this apply has made, where nothing came of it. What was there before may be another service's.
    pub async fn take_back(&self, docker: &Docker) {
        for object in &self.made {
            remove(docker, object).await;
        }
    }

    fn mount(&mut self, service: &RegistryService, role: Role, object: Object) {
        self.mounted.push(reference(service, role, object));
    }
}

/// Makes what secrets the service needs, and answers what it mounts. What is there already is not made again.
pub(super) async fn provide(
    service: &RegistryService,
    prior: Option<&RegistryService>,
    context: &mut Context<Docker>,
) -> Result<Provided> {
    let mut provided = Provided::default();
    match make(service, prior, context, &mut provided).await {
        Ok(()) => Ok(provided),
        Err(error) => {
            provided.take_back(&context.client).await;
            Err(error)
        }
    }
}

async fn make(
    service: &RegistryService,
    prior: Option<&RegistryService>,
    context: &mut Context<Docker>,
    provided: &mut Provided,
) -> Result<()> {
    let key = DigestKey::of(&mut context.private);
    let mut before = Before::of(&context.private, prior.map(|prior| &prior.settings));
    if before.has_some() {
        // A destroy that was cut off may have removed some.
        let secrets = context.client.secrets().await.doing(|| "list the secrets".to_owned())?;
        before.forget_what_is_not_among(&secrets);
    }
    let mut now = Kept::default();
    let config = configuration(service, prior, &key, context, &mut provided.made).await?;
    now.insert(Role::Config, config.clone(), None, &key);
    provided.mount(service, Role::Config, config);
    for file in service.settings.files() {
        let (role, told) = (file.role, file.content.told().cloned());
        let object = match wanted(file, &before, &key)? {
            Wanted::Kept(object) => object,
            Wanted::Bytes(bytes) => {
                let generation =
                    Generation { service: &service.name, role, content: &bytes, named_by: &bytes };
                generation.ensure(&key, &context.client, &mut provided.made).await?
            }
            Wanted::Foreign(attribute, source) => {
                let secrets = context.client.secrets().await.doing(|| "list the secrets".to_owned())?;
                let found = secrets.iter().find(|secret| secret.id == source || secret.name == source);
                let found = found.ok_or_else(|| no_such_secret(attribute, &source))?;
                provided.mount(service, role, Object { id: found.id.clone(), name: found.name.clone() });
                continue;
            }
        };
        now.insert(role, object.clone(), told.as_ref(), &key);
        provided.mount(service, role, object);
    }
    now.keep(&mut context.private);
    Ok(())
}

/// The secret with the configuration file.
async fn configuration(
    service: &RegistryService,
    prior: Option<&RegistryService>,
    key: &DigestKey,
    context: &mut Context<Docker>,
    made: &mut Vec<Object>,
) -> Result<Object> {
    let rendered = service.settings.configuration(http_secret(&mut context.private))?.render();
    let generation = Generation {
        service: &service.name,
        role: Role::Config,
        content: &rendered.yaml,
        named_by: &rendered.named_by,
    };
    if rendered.yaml != rendered.named_by {
        let mounted = mounted_now(prior, &context.client).await?;
        generation.forget_another_content(&mounted, key, &context.client).await?;
    }
    generation.ensure(key, &context.client, made).await
}

/// What a service mounts now, which after an update that was rolled back is not what was made for it last.
async fn mounted_now(service: Option<&RegistryService>, docker: &Docker) -> Result<Vec<Resolved>> {
    let Some(service) = service else { return Ok(vec![]) };
    let found = docker.inspect_service(service.id.get()?).await;
    Ok(Reference::secrets(&found.doing(|| format!("read service `{}`", service.name))?.spec))
}

/// What the service is to mount under one of its roles.
#[derive(Debug)]
enum Wanted {
    /// What the role had before.
    Kept(Object),
    /// This, in a secret of the service's own.
    Bytes(Secret),
    /// A secret of somebody else, and the attribute that names it.
    Foreign(&'static str, String),
}

fn wanted(file: File, before: &Before, key: &DigestKey) -> Result<Wanted> {
    if let Some(sent) = before.sent(&file, key) {
        return Ok(Wanted::Kept(sent));
    }
    let lacking = kept::missing(&file);
    Ok(match file.content {
        Content::Bytes(bytes) => Wanted::Bytes(bytes),
        Content::Versioned { value, .. } => Wanted::Bytes(value.ok_or(lacking)?),
        Content::Users(users, cost) => Wanted::Bytes(hashed(users, cost, key, file.attribute)?),
        Content::VersionedUsers { users, cost, .. } => {
            Wanted::Bytes(hashed(users.ok_or(lacking)?, cost, key, file.attribute)?)
        }
        Content::Foreign(source) => Wanted::Foreign(file.attribute, source),
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

    /// Makes the secret where there is none of its name, and adds it to what was `made`.
    async fn ensure(&self, key: &DigestKey, docker: &Docker, made: &mut Vec<Object>) -> Result<Object> {
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
                let id = secret.doing(|| format!("find secret `{name}`"))?.id;
                return Ok(Object { id, name });
            }
            created => created.doing(|| format!("create secret `{name}`"))?,
        };
        made.push(Object { id: id.clone(), name: name.clone() });
        Ok(Object { id, name })
    }

    /// Removes what an apply that failed has left under the name, since a value that is known by its version alone may
    /// have been put right meanwhile. What the service mounts is as it is to be.
    async fn forget_another_content(
        &self,
        mounted: &[Resolved],
        key: &DigestKey,
        docker: &Docker,
    ) -> Result<()> {
        let name = self.name(key);
        if mounted.iter().any(|mounted| mounted.object.name == name) {
            return Ok(());
        }
        match docker.find_blob(BlobKind::Secret, &name).await.found() {
            Ok(Some(secret)) => remove(docker, &Object { id: secret.id, name: secret.name }).await,
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

/// Removes the service's generations that are superseded, but for so many in each role as are to be kept for the Engine to
/// roll the service back to: first those that it would mount then, which after an update that failed are not the newest.
pub(super) async fn remove_superseded(service: &RegistryService, mounted: &[Resolved], docker: &Docker) {
    // What cannot be told now stays for another time.
    let Ok(id) = service.id.get() else { return };
    let Ok(found) = docker.inspect_service(id).await else { return };
    let previous = found.previous_spec.as_ref().map(Reference::secrets).unwrap_or_default();
    let is_previous =
        |secret: &docker::Blob| previous.iter().any(|reference| reference.object.id == secret.id);
    let Ok(secrets) = docker.blobs_now(BlobKind::Secret).await else { return };
    let mut older: BTreeMap<&str, Vec<&docker::Blob>> = BTreeMap::new();
    for secret in
        secrets.iter().filter(|secret| secret.labels.get(OWNER).is_some_and(|owner| *owner == service.name))
    {
        if !mounted.iter().any(|reference| reference.object.id == secret.id) {
            older
                .entry(secret.labels.get(GENERATION_OF).map_or("", String::as_str))
                .or_default()
                .push(secret);
        }
    }
    for generations in older.values_mut() {
        generations.sort_by(|a, b| {
            is_previous(b).cmp(&is_previous(a)).then_with(|| b.created_at.cmp(&a.created_at))
        });
        for secret in generations.iter().skip(usize::try_from(service.keep_secrets).unwrap_or(1)) {
            remove(docker, &Object { id: secret.id.clone(), name: secret.name.clone() }).await;
        }
    }
}

/// Removes all secrets of a service that is about to go, which lets go of them first, and gets no new tasks from then on.
///
/// The service goes last. As long as it is there, a destroy that was cut off is taken up by the next; once it is gone, it is
/// gone from the state as well, and nobody would know of its secrets any more.
///
/// # Errors
/// The secrets cannot be listed, the service cannot be changed, or one of them cannot be removed.
pub(super) async fn remove_all(id: &str, service: &str, docker: &Docker) -> Result<()> {
    let secrets = docker.blobs_now(BlobKind::Secret).await.doing(|| "list the secrets".to_owned())?;
    let is_own = |secret: &&docker::Blob| secret.labels.get(OWNER).is_some_and(|owner| owner == service);
    let own: Vec<&docker::Blob> = secrets.iter().filter(is_own).collect();
    if own.is_empty() {
        return Ok(());
    }
    let let_go = |spec: &mut ServiceSpec| {
        spec.have_no_tasks();
        let container = spec.task_template.as_mut().and_then(|task| task.container_spec.as_mut());
        if let Some(mounted) = container.and_then(|container| container.secrets.as_mut()) {
            mounted.retain(|mounted| !own.iter().any(|own| Some(&own.id) == mounted.secret_id.as_ref()));
        }
        Ok(Change::IfAny)
    };
    let changed = docker.update_service(id, None, let_go).await.found();
    changed.doing(|| format!("take its secrets from service `{service}`"))?;
    for secret in own {
        let removed = docker.remove_blob(BlobKind::Secret, &secret.id).await.found();
        removed.doing(|| format!("remove secret `{}`", secret.name))?;
    }
    Ok(())
}

/// Removes what no service uses any more; what one uses, or cannot be removed now, stays for another time.
async fn remove(docker: &Docker, secret: &Object) {
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

#[cfg(test)]
mod tests;
