//! What secrets and configs have in common: data that Docker cannot change, under a name that is fixed or has
//! generations, and labels that can be changed.

use super::{
    failure::{Doing, failure, sentence},
    generation::{DigestKey, GENERATION_OF, LINE, OWN_LABELS, OWNER, stands_for_itself},
    kreuzwerker,
};
use crate::docker::{self, BlobKind, Docker, Driver, Found, NewBlob};
use crate::terraform::{Config, Context, Diagnostic, Diagnostics, MoveSource, Path, Plan, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub type Labels = BTreeMap<String, String>;
type Json = serde_json::Map<String, serde_json::Value>;

/// The longest name that leaves room for a digest behind it.
const MAX_LOGICAL_NAME: usize = 51;

/// A secret or config as its resource describes it.
pub struct Wanted<'a> {
    pub kind: BlobKind,
    pub name: &'a str,
    pub generations: bool,
    pub labels: Option<&'a Labels>,
    pub driver: Option<Driver>,
    pub template_driver: Option<&'a str>,
}

/// A secret or config that is there: its ID, and its name in the swarm.
pub struct Made {
    pub id: String,
    pub name: String,
}

impl Wanted<'_> {
    /// Makes it.
    pub async fn make(&self, data: &[u8], context: &mut Context<Docker>) -> Result<Made> {
        let mut labels = self.labels.cloned().unwrap_or_default();
        let templating =
            self.template_driver.map(|name| Driver { name: Some(name.to_owned()), ..Driver::default() });
        let name = if self.generations {
            let key = DigestKey::of(&mut context.private);
            labels.insert(GENERATION_OF.to_owned(), self.name.to_owned());
            labels.insert(LINE.to_owned(), key.line());
            key.generation(self.name, &self.content(data))
        } else {
            self.name.to_owned()
        };
        let new = NewBlob {
            name: &name,
            labels: &labels,
            data,
            driver: self.driver.as_ref(),
            templating: templating.as_ref(),
        };
        let id = match context.client.create_blob(self.kind, &new).await {
            Ok(id) => id,
            // The name of a generation says what is in it: the same data came back, or an apply that was cut off
            // had made it already.
            Err(docker::Error::NameTaken { .. }) if self.generations => {
                let id = self.existing(&name, context).await?;
                self.write_labels(&id, None, context).await?;
                id
            }
            Err(error @ docker::Error::NameTaken { .. }) => return Err(self.taken(&error, context).await),
            Err(error) => return Err(failure(&format!("create {} `{name}`", self.kind), &error)),
        };
        Ok(Made { id, name })
    }

    /// What a generation's name is the digest of.
    fn content(&self, data: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut content = Zeroizing::new(data.to_vec());
        if self.driver.is_some() || self.template_driver.is_some() {
            let treated = serde_json::json!([self.driver, self.template_driver]).to_string();
            content.push(0);
            content.extend_from_slice(treated.as_bytes());
        }
        content
    }

    /// Makes it anew with other data: beside the old one, or instead of it, which only works while no service uses that.
    pub async fn remake(&self, old: &str, data: &[u8], context: &mut Context<Docker>) -> Result<Made> {
        if !self.generations {
            let removed = context.client.remove_blob(self.kind, old).await.found();
            removed.map_err(|error| self.in_use("give new data to", &error))?;
        }
        self.make(data, context).await
    }

    /// Brings the labels of the one with this ID to what is wanted. Of those that the resource had set before, what is
    /// wanted no more goes; without `had`, all that are not wanted.
    pub async fn write_labels(
        &self,
        id: &str,
        had: Option<&Labels>,
        context: &Context<Docker>,
    ) -> Result<()> {
        let wanted = self.labels.cloned().unwrap_or_default();
        let edit = |labels: &mut Labels| {
            labels.retain(|key, _| match had {
                Some(had) => !had.contains_key(key),
                None => key.starts_with(OWN_LABELS),
            });
            labels.extend(wanted.clone());
        };
        let changed = context.client.update_blob_labels(self.kind, id, edit).await;
        changed.doing(|| format!("change the labels of {} `{}`", self.kind, self.name))
    }

    /// Removes it as soon as no service uses it, and its other generations. A newer one which this resource did not make is of
    /// another that takes its place, such as with `create_before_destroy`, and stays.
    ///
    /// The others go first, since a destroy that is cut off after this one has gone is not taken up again; and then those that
    /// were still needed.
    pub async fn remove(
        &self,
        id: &str,
        limit: std::time::Duration,
        context: &Context<Docker>,
    ) -> Result<()> {
        let all = self.all_generations(context).await;
        let own = all.iter().find(|blob| blob.id == id);
        let line = DigestKey::kept(&context.private).map(|key| key.line());
        let goes = |other: &&docker::Blob| {
            let is_ours = other.labels.get(LINE).is_none_or(|of| Some(of) == line.as_ref());
            other.id != id && (is_ours || own.is_some_and(|own| other.created_at <= own.created_at))
        };
        let others: Vec<&docker::Blob> = all.iter().filter(goes).collect();
        context.client.remove_unneeded_blobs(self.kind, &others).await;
        let removed = context.client.remove_blob_when_unused(self.kind, id, limit).await;
        removed.found().map_err(|error| self.in_use("remove", &error))?;
        context.client.remove_unneeded_blobs(self.kind, &others).await;
        Ok(())
    }

    /// Removes other generations that nobody needs any more. Those still in use go at the service's own update, or at
    /// this resource's next change.
    pub async fn remove_superseded(&self, current: Option<&str>, context: &Context<Docker>) {
        let all = self.all_generations(context).await;
        let others: Vec<&docker::Blob> =
            all.iter().filter(|blob| Some(blob.id.as_str()) != current).collect();
        context.client.remove_unneeded_blobs(self.kind, &others).await;
    }

    /// All generations of its name; none where it has none, or they cannot be listed.
    async fn all_generations(&self, context: &Context<Docker>) -> Vec<docker::Blob> {
        if !self.generations {
            return vec![];
        }
        let Ok(blobs) = context.client.blobs_now(self.kind).await else { return vec![] };
        blobs.iter().filter(|blob| is_generation_of(blob, self.name)).cloned().collect()
    }

    async fn existing(&self, name: &str, context: &Context<Docker>) -> Result<String> {
        let kind = self.kind;
        let blobs = context.client.blobs_now(kind).await.doing(|| format!("list the {kind}s"))?;
        let own = |blob: &&docker::Blob| blob.name == name && is_generation_of(blob, self.name);
        blobs.iter().find(own).map(|blob| blob.id.clone()).ok_or_else(|| {
            Diagnostic::error(
                format!("Cannot create {kind} `{name}`"),
                format!("A {kind} of that name exists, but it is no generation of this resource."),
            )
        })
    }

    async fn taken(&self, error: &docker::Error, context: &Context<Docker>) -> Diagnostic {
        let blobs = context.client.blobs_now(self.kind).await.ok();
        let holder = blobs
            .iter()
            .flat_map(|blobs| blobs.iter())
            .find(|blob| blob.name.eq_ignore_ascii_case(self.name));
        let id = holder.map_or(self.name, |blob| &blob.id);
        let mut diagnostic = failure(&format!("create {} `{}`", self.kind, self.name), error);
        diagnostic
            .detail
            .push_str(&format!(" To manage that one here, import it: terraform import ADDRESS {id}."));
        if self.kind == BlobKind::Secret {
            diagnostic
                .detail
                .push_str(" Its data cannot be read back, so make sure that it is the data that you mean.");
        }
        diagnostic.at("name")
    }

    fn in_use(&self, verb: &str, error: &docker::Error) -> Diagnostic {
        let kind = self.kind;
        let mut diagnostic = failure(&format!("{verb} {kind} `{}`", self.name), error);
        if matches!(error, docker::Error::InUse { .. }) {
            if self.generations {
                diagnostic.detail.push_str(" Take it out of that service first.");
            } else {
                diagnostic.detail.push_str(&format!(
                    " Docker cannot change or remove a {kind} that a service uses. Take it out of that service first; or \
                     set `generations = true`, and new data makes a new {kind} to which services are pointed."
                ));
            }
        }
        diagnostic
    }
}

/// What belongs to a service of ours has generations too, which are that service's.
fn is_generation_of(blob: &docker::Blob, name: &str) -> bool {
    blob.labels.get(GENERATION_OF).is_some_and(|of| of == name) && !blob.labels.contains_key(OWNER)
}

/// The one with this ID or name; of a logical name it is the newest generation.
pub async fn find(kind: BlobKind, id: &str, docker: &Docker) -> Result<Option<docker::Blob>> {
    let blobs = docker.blobs_now(kind).await.doing(|| format!("list the {kind}s"))?;
    let named = blobs.iter().find(|blob| blob.id == id || blob.name == id);
    let newest = || {
        let generations = blobs.iter().filter(|blob| is_generation_of(blob, id));
        generations.max_by(|a, b| a.created_at.cmp(&b.created_at))
    };
    Ok(named.or_else(newest).cloned())
}

/// All that there are, but for those that belong to a service of ours, and older generations.
pub async fn all(kind: BlobKind, docker: &Docker) -> Result<Vec<docker::Blob>> {
    let blobs = docker.blobs_now(kind).await.doing(|| format!("list the {kind}s"))?;
    let each = || blobs.iter().map(|blob| (&blob.labels, blob.created_at.as_str()));
    let listed = |blob: &&docker::Blob| stands_for_itself((&blob.labels, &blob.created_at), each());
    Ok(blobs.iter().filter(listed).cloned().collect())
}

/// What the resource calls it.
pub fn logical_name(blob: &docker::Blob) -> &str {
    blob.labels.get(GENERATION_OF).unwrap_or(&blob.name)
}

/// Whether it is one of several generations.
pub fn has_generations(blob: &docker::Blob) -> bool {
    blob.labels.contains_key(GENERATION_OF)
}

/// Its labels, without the provider's own.
pub fn foreign_labels(blob: &docker::Blob) -> Labels {
    let foreign = |(key, _): &(&String, &String)| !key.starts_with(OWN_LABELS);
    blob.labels.iter().filter(foreign).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The name of what fills in templates in its data.
pub fn template_driver(blob: &docker::Blob) -> Option<String> {
    blob.templating.as_ref().and_then(|driver| driver.name.clone()).filter(|name| !name.is_empty())
}

/// The data, from the one attribute that has it.
pub fn bytes(text: Option<&str>, encoded: Option<&str>) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match (text, encoded) {
        (Some(text), _) => Ok(Some(Zeroizing::new(text.as_bytes().to_vec()))),
        (None, Some(encoded)) => STANDARD.decode(encoded).map(Zeroizing::new).map(Some).map_err(|_| {
            Diagnostic::error("The data is not base64", "It does not read as base64 with padding.")
        }),
        (None, None) => Ok(None),
    }
}

/// Says that only one of these attributes can be set, and that a name with generations must leave room for a digest.
pub fn validate(config: &Config, forms: &[&'static str]) -> Diagnostics {
    // What is not known yet may turn out to be null, as of `var.write_only ? … : null` while Terraform validates.
    let is_given = |name: &&&str| config.is_set(name) && config.is_known(name);
    let set: Vec<&str> = forms.iter().filter(is_given).copied().collect();
    let mut found = vec![];
    if let [first, second, ..] = set[..] {
        found.push(
            Diagnostic::error(
                "The data is given twice",
                format!("Only one of {} can be set, but `{first}` and `{second}` are.", or(forms)),
            )
            .at(second),
        );
    }
    if config.known::<bool>("generations") == Some(true)
        && let Some(name) = config.known::<String>("name")
        && name.len() > MAX_LOGICAL_NAME
    {
        found.push(invalid(
            "name",
            &format!(
                "with `generations` a name has at most {MAX_LOGICAL_NAME} characters, so that a digest fits behind it"
            ),
        ));
    }
    found
}

/// Says that a value breaks a rule.
pub fn invalid(path: &str, rule: &str) -> Diagnostic {
    Diagnostic::error(format!("Invalid value for `{path}`"), sentence(rule)).at(Path::of(path))
}

/// Plans the name in the swarm, and that new data makes a new object.
pub fn plan(plan: &mut Plan, kind: BlobKind, forms: &[&'static str], has_new_data: bool) -> Result<()> {
    if (plan.is_create() || has_new_data) && !forms.iter().any(|name| plan.config.is_set(name)) {
        return Err(Diagnostic::error(
            format!("The data of the {kind} is missing"),
            format!(
                "Set one of {}: an existing {kind} that is imported needs none, a new one does, and so does one that is made anew \
                 with another driver.",
                or(forms)
            ),
        ));
    }
    let own_name = format!("{kind}_name");
    if plan.known::<bool>("generations") == Some(false)
        && let Some(name) = plan.known::<String>("name")
    {
        plan.set(&own_name, name);
    }
    if !plan.is_create() && has_new_data {
        plan.set_unknown("id");
        if plan.known::<bool>("generations") != Some(false) {
            plan.set_unknown(&own_name);
        }
    }
    Ok(())
}

/// Names of attributes as a choice.
fn or(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Whether data has a size that Docker takes.
pub fn size(kind: BlobKind, bytes: usize) -> Result<(), String> {
    // swarmkit: less than 500 KiB of a secret, less than 1000 KiB of a config.
    let most = match kind {
        BlobKind::Secret => 500 * 1024 - 1,
        BlobKind::Config => 1000 * 1024 - 1,
    };
    if (1..=most).contains(&bytes) {
        Ok(())
    } else {
        Err(format!("a {kind} has 1 to {most} bytes, and this has {bytes}"))
    }
}

/// Whether data in base64 has a size that Docker takes.
pub fn base64_size(kind: BlobKind, data: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(data).map_err(|_| "it does not read as base64 with padding".to_owned())?;
    size(kind, bytes.len())
}

/// The state of kreuzwerker/docker's `docker_secret` or `docker_config`, whose `data` is in base64.
pub fn moved(kind: BlobKind, source: &MoveSource) -> Option<Result<Json>> {
    if !kreuzwerker::is(source, &format!("docker_{kind}")) {
        return None;
    }
    let theirs = &source.attributes;
    let text = |name: &str| kreuzwerker::text(theirs.get(name));
    let mut ours = Json::new();
    ours.insert("id".to_owned(), text("id"));
    ours.insert("name".to_owned(), text("name"));
    ours.insert(format!("{kind}_name"), text("name"));
    ours.insert("generations".to_owned(), false.into());
    ours.insert("data_base64".to_owned(), text("data"));
    match kind {
        BlobKind::Secret => ours.insert("data_wo_version".to_owned(), 1.into()),
        BlobKind::Config => ours.insert("data".to_owned(), text("data_raw")),
    };
    ours.insert("labels".to_owned(), kreuzwerker::labels(theirs));
    Some(Ok(ours))
}
