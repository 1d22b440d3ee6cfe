//! `swarm_secret`: a secret of the swarm.

use super::{
    failure::{Doing, failure, ready, within},
    generation::{DigestKey, GENERATION_OF, OWN_LABELS, stands_for_itself},
    names,
};
use crate::docker::{self, Docker, Found};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, Plan, Resource, Result, Sensitive,
    Timeouts, WriteOnly,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A secret that the services of the swarm can mount.
///
/// Docker never gives the data of a secret back and cannot change it, so new data makes a new secret. With
/// `generations`, `name` is a logical name: the new secret, `NAME-DIGEST`, is made beside the old one, services are
/// pointed to it, and the old one goes when no service uses it. With a fixed name, new data is refused while a service
/// uses the secret.
///
/// ~> The digest in the name of a generation is made with a random key, which is kept in Terraform's private state. To
/// those who see the swarm only it tells nothing; whoever reads the state too can try guesses against it, as against a
/// salted hash.
///
/// Exactly one of `data_wo`, `data_base64_wo`, `data` and `data_base64` says what is in it. An imported secret needs
/// none: what is in it stays.
#[derive(Debug, Model)]
pub struct SwarmSecret {
    /// Name of the secret, unique in the swarm regardless of case. With `generations`, what its generations have in
    /// common.
    #[tf(replace, check = names::object_name)]
    name: String,

    /// Whether new data makes a new secret beside the old one, under a name of its own.
    #[tf(replace, default = false)]
    generations: bool,

    /// The data, kept in neither plan nor state. Needs Terraform 1.11.
    data_wo: WriteOnly<String>,

    /// The data in base64, kept in neither plan nor state, for what is no text. Needs Terraform 1.11.
    data_base64_wo: WriteOnly<String>,

    /// Raise it to send `data_wo` or `data_base64_wo` again.
    #[tf(default = 1)]
    data_wo_version: i64,

    /// The data. It is kept in the state: better use `data_wo`.
    #[tf(check = data_size)]
    data: Option<Sensitive<String>>,

    /// The data in base64, for what is no text. It is kept in the state: better use `data_base64_wo`.
    #[tf(check = base64_size)]
    data_base64: Option<Sensitive<String>>,

    /// Labels of the secret. Without it they are left to others.
    labels: Option<BTreeMap<String, String>>,

    /// How long the operations may take: a minute to create and update, five to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the secret. With `generations` it changes with the data.
    id: Computed<String>,

    /// Name of the secret in the swarm: `name`, or `NAME-DIGEST` with `generations`.
    secret_name: Computed<String>,
}

/// The four attributes of which one holds the data.
const DATA: [&str; 4] = ["data_wo", "data_base64_wo", "data", "data_base64"];

/// The Engine takes 1 to 511,999 bytes (swarmkit: less than 500 KiB).
const MAX_DATA: usize = 500 * 1024 - 1;

/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

impl Resource for SwarmSecret {
    const TYPE: &'static str = "swarm_secret";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        // What is not known yet may turn out to be null, as of `var.write_only ? … : null` while Terraform validates.
        let is_given = |name: &&str| config.is_set(name) && config.is_known(name);
        let set: Vec<&str> = DATA.into_iter().filter(is_given).collect();
        let mut found = vec![];
        if let [first, second, ..] = set[..] {
            found.push(
                Diagnostic::error(
                    "The data is given twice",
                    format!("Only one of `data_wo`, `data_base64_wo`, `data` and `data_base64` can be set, but `{first}` and `{second}` are."),
                )
                .at(second),
            );
        }
        // The rules of write-only values are looked at here, since a plan never has the values.
        for (name, size) in [("data_wo", data_size as fn(&str) -> _), ("data_base64_wo", base64_size)] {
            if let Some(Err(rule)) = config.known::<String>(name).map(|data| size(&data)) {
                found.push(
                    Diagnostic::error(format!("Invalid value for `{name}`"), super::failure::sentence(&rule))
                        .at(name),
                );
            }
        }
        if let Some(true) = config.known::<bool>("generations")
            && let Some(name) = config.known::<String>("name")
            && name.len() > 51
        {
            found.push(
                Diagnostic::error(
                    "Invalid value for `name`",
                    "With `generations` a name has at most 51 characters, so that a digest fits behind it.",
                )
                .at("name"),
            );
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        if plan.is_create() && !DATA.iter().any(|name| plan.config.is_set(name)) {
            return Err(Diagnostic::error(
                "The data of the secret is missing",
                "Set one of `data_wo`, `data_base64_wo`, `data` and `data_base64`: an existing secret that is imported needs none, a new one does.",
            ));
        }
        if plan.known::<bool>("generations") == Some(false) && plan.planned().is_known("name") {
            let name: String = plan.known("name").unwrap_or_default();
            plan.set("secret_name", name);
        }
        if !plan.is_create() && new_data(|name| plan.changes(name), |name| plan.get(name).is_null()) {
            plan.set_unknown("id");
            if plan.known::<bool>("generations") != Some(false) {
                plan.set_unknown("secret_name");
            }
        }
        Ok(())
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let (data, name) = (self.bytes()?, self.name.clone());
        ready(&context.client, || format!("create secret `{name}`")).await?;
        within(&limit, || format!("create secret `{name}`"), self.make(&data, context)).await
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        ready(&context.client, || format!("read secret `{}`", self.name)).await?;
        let found = context.client.secret(self.id.get()?).await.found();
        let Some(secret) = found.doing(|| format!("read secret `{}`", self.name))? else { return Ok(None) };
        self.secret_name = secret.name.clone().into();
        if self.labels.is_some() {
            self.labels = Some(foreign(&secret.labels));
        }
        if !self.generations {
            self.name.clone_from(&secret.name);
        }
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        let name = self.name.clone();
        within(&limit, || format!("change secret `{name}`"), self.change(prior, context)).await
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        context
            .client
            .remove_when_unused(docker::Kind::Secret, self.id.get()?, limit)
            .await
            .found()
            .map_err(|error| self.in_use("remove", &error))?;
        if self.generations {
            self.remove_superseded(context).await;
        }
        Ok(())
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        let secrets = context.client.secrets_now().await.doing(|| "list the secrets".to_owned())?;
        let named = secrets.iter().find(|secret| secret.id == id || secret.name == id);
        // Of a logical name it is the newest generation.
        let generations =
            secrets.iter().filter(|secret| secret.labels.get(GENERATION_OF).is_some_and(|of| of == id));
        let newest = || generations.max_by(|a, b| a.created_at.cmp(&b.created_at));
        Ok(named.or_else(newest).map(Self::of))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the secrets".to_owned()).await?;
        let secrets = context.client.secrets_now().await.doing(|| "list the secrets".to_owned())?;
        let each = || secrets.iter().map(|secret| (&secret.labels, secret.created_at.as_str()));
        let listed =
            |secret: &&docker::Secret| stands_for_itself((&secret.labels, &secret.created_at), each());
        Ok(secrets.iter().filter(listed).map(Self::of).collect())
    }
}

impl SwarmSecret {
    /// A secret that somebody else made.
    fn of(secret: &docker::Secret) -> Self {
        let logical = secret.labels.get(GENERATION_OF);
        let labels = foreign(&secret.labels);
        SwarmSecret {
            name: logical.unwrap_or(&secret.name).clone(),
            generations: logical.is_some(),
            data_wo: WriteOnly::default(),
            data_base64_wo: WriteOnly::default(),
            data_wo_version: 1,
            data: None,
            data_base64: None,
            labels: (!labels.is_empty()).then_some(labels),
            timeouts: None,
            id: secret.id.clone().into(),
            secret_name: secret.name.clone().into(),
        }
    }

    async fn change(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        if self.has_new_data(prior) {
            let data = self.bytes()?;
            if !self.generations {
                return self.remake(prior, &data, context).await;
            }
            self.make(&data, context).await?;
            self.remove_superseded(context).await;
            return Ok(());
        }
        self.id = prior.id.clone();
        self.secret_name = prior.secret_name.clone();
        if self.labels == prior.labels {
            return Ok(());
        }
        let (wanted, had) =
            (self.labels.clone().unwrap_or_default(), prior.labels.clone().unwrap_or_default());
        let edit = |labels: &mut BTreeMap<String, String>| {
            labels.retain(|key, _| !had.contains_key(key));
            labels.extend(wanted.clone());
        };
        let changed = context.client.update_secret_labels(self.id.get()?, edit).await;
        changed.doing(|| format!("change the labels of secret `{}`", self.name))
    }

    /// The data, from the one attribute that has it.
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let sensitive =
            |value: &Option<Sensitive<String>>| value.as_ref().map(|value| value.expose().clone());
        let text = self.data_wo.expose().cloned().or_else(|| sensitive(&self.data));
        let encoded = self.data_base64_wo.expose().cloned().or_else(|| sensitive(&self.data_base64));
        match (text, encoded) {
            (Some(text), _) => Ok(Zeroizing::new(text.into_bytes())),
            (None, Some(encoded)) => {
                STANDARD.decode(Zeroizing::new(encoded).as_bytes()).map(Zeroizing::new).map_err(|_| {
                    Diagnostic::error("The data is not base64", "It does not read as base64 with padding.")
                })
            }
            (None, None) => Err(Diagnostic::error(
                "The data of the secret is missing",
                "New data was asked for, but none of `data_wo`, `data_base64_wo`, `data` and `data_base64` is set.",
            )),
        }
    }

    fn has_new_data(&self, prior: &Self) -> bool {
        let plain = |new: &Option<_>, old: &Option<_>| new.is_some() && new != old;
        self.data_wo_version != prior.data_wo_version
            || plain(&self.data, &prior.data)
            || plain(&self.data_base64, &prior.data_base64)
    }

    /// Makes the secret, and keeps what it is called.
    async fn make(&mut self, data: &[u8], context: &mut Context<Docker>) -> Result<()> {
        let mut labels = self.labels.clone().unwrap_or_default();
        let name = if self.generations {
            labels.insert(GENERATION_OF.to_owned(), self.name.clone());
            DigestKey::of(&mut context.private).generation(&self.name, data)
        } else {
            self.name.clone()
        };
        let id = match context.client.create_secret(&name, &labels, data).await {
            Ok(id) => id,
            // The name of a generation says what is in it: the same data came back, or an apply that was cut off
            // had made it already.
            Err(docker::Error::NameTaken { .. }) if self.generations => self.existing(&name, context).await?,
            Err(error @ docker::Error::NameTaken { .. }) => return Err(self.taken(&error, context).await),
            Err(error) => return Err(failure(&format!("create secret `{name}`"), &error)),
        };
        self.id = id.into();
        self.secret_name = name.into();
        Ok(())
    }

    async fn existing(&self, name: &str, context: &Context<Docker>) -> Result<String> {
        let secrets = context.client.secrets_now().await.doing(|| "list the secrets".to_owned())?;
        let own = |secret: &&docker::Secret| {
            secret.name == name && secret.labels.get(GENERATION_OF) == Some(&self.name)
        };
        secrets.iter().find(own).map(|secret| secret.id.clone()).ok_or_else(|| {
            Diagnostic::error(
                format!("Cannot create secret `{name}`"),
                "A secret of that name exists, but it is no generation of this resource.",
            )
        })
    }

    /// Makes the secret of a fixed name anew, which only works while no service uses the old one.
    async fn remake(&mut self, prior: &Self, data: &[u8], context: &mut Context<Docker>) -> Result<()> {
        let old = prior.id.get()?;
        context
            .client
            .remove_secret(old)
            .await
            .found()
            .map_err(|error| self.in_use("give new data to", &error))?;
        self.make(data, context).await
    }

    /// Removes older generations that no service uses any more. Those still in use go at the service's own update, or
    /// at this resource's next change.
    async fn remove_superseded(&self, context: &mut Context<Docker>) {
        let Ok(secrets) = context.client.secrets_now().await else { return };
        for secret in secrets.iter() {
            let superseded =
                secret.labels.get(GENERATION_OF) == Some(&self.name) && self.id.known() != Some(&secret.id);
            if superseded && let Err(error) = context.client.remove_secret(&secret.id).await.found() {
                tracing::debug!(secret = secret.name, %error, "an older generation stays");
            }
        }
    }

    async fn taken(&self, error: &docker::Error, context: &Context<Docker>) -> Diagnostic {
        let secrets = context.client.secrets_now().await.ok();
        let holder = secrets
            .iter()
            .flat_map(|secrets| secrets.iter())
            .find(|secret| secret.name.eq_ignore_ascii_case(&self.name));
        let id = holder.map_or(self.name.as_str(), |secret| &secret.id);
        let mut diagnostic = failure(&format!("create secret `{}`", self.name), error);
        diagnostic.detail.push_str(&format!(
            " To manage that one here, import it: terraform import ADDRESS {id}. Its data cannot be read back, so make sure that it is the data that you mean."
        ));
        diagnostic.at("name")
    }

    fn in_use(&self, verb: &str, error: &docker::Error) -> Diagnostic {
        let mut diagnostic = failure(&format!("{verb} secret `{}`", self.name), error);
        if matches!(error, docker::Error::InUse { .. }) {
            diagnostic.detail.push_str(if self.generations {
                " Take it out of that service first."
            } else {
                " Docker cannot change or remove a secret that a service uses. Take it out of that service first; or set \
                 `generations = true`, and new data makes a new secret to which services are pointed."
            });
        }
        diagnostic
    }
}

/// Whether there is new data: another version of a write-only value, or another plain value.
fn new_data(changes: impl Fn(&str) -> bool, is_null: impl Fn(&str) -> bool) -> bool {
    changes("data_wo_version") || ["data", "data_base64"].iter().any(|name| changes(name) && !is_null(name))
}

/// The labels that are not the provider's own.
fn foreign(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(key, _)| !key.starts_with(OWN_LABELS))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn data_size(data: &str) -> Result<(), String> {
    size(data.len())
}

fn base64_size(data: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(data).map_err(|_| "it does not read as base64 with padding".to_owned())?;
    size(bytes.len())
}

fn size(bytes: usize) -> Result<(), String> {
    if (1..=MAX_DATA).contains(&bytes) {
        Ok(())
    } else {
        Err(format!("a secret has 1 to {MAX_DATA} bytes, and this has {bytes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Object, Value};

    fn found(pairs: &[(&str, Value)]) -> Vec<String> {
        let config = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        SwarmSecret::validate(&Config(Object(config))).iter().map(|found| found.path.to_string()).collect()
    }

    #[test]
    fn data_is_given_once_and_what_is_not_known_yet_may_be_null() {
        let (known, unknown) = (Value::from("x"), Value::UNKNOWN);
        assert_eq!(found(&[("data_wo", known.clone()), ("data", known.clone())]), ["data"]);
        assert_eq!(found(&[("data_wo", unknown.clone()), ("data", unknown)]), [""; 0]);
        assert_eq!(found(&[("data_wo", known)]), [""; 0]);
    }

    #[test]
    fn write_only_data_has_a_size_and_its_value_is_not_shown() {
        let big = "geheim".repeat(100_000);
        assert_eq!(found(&[("data_wo", Value::from(big.as_str()))]), ["data_wo"]);
        assert!(!data_size(&big).unwrap_err().contains("geheim"));
        assert!(data_size(&"x".repeat(MAX_DATA)).is_ok() && data_size("").is_err());
    }
}
