//! `swarm_secret`: a secret of the swarm.

use super::{
    blob::{self, Labels, Made, Wanted},
    failure::{Doing, ready, within},
    names,
};
use crate::docker::{self, BlobKind, Docker, Found};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, MoveSource, Plan, Resource, Result,
    Sensitive, Timeouts, WriteOnly,
};
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
/// Exactly one of `data_wo`, `data_base64_wo`, `data`, `data_base64` and `driver` says what is in it. An imported secret
/// needs none: what is in it stays.
///
/// A `moved` block takes over a `docker_secret` of kreuzwerker/docker, whose `data` is `data_base64` here.
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

    /// The plugin of the Engines that has the data, instead of the swarm. A change of it makes a new secret, as new data
    /// does.
    driver: Option<SecretDriver>,

    /// What fills in templates in the data, such as `{{ .Service.Name }}`, for each task: `golang`. A change of it makes
    /// a new secret, as new data does.
    #[tf(check = names::template_driver)]
    template_driver: Option<String>,

    /// Labels of the secret. Without it they are left to others.
    #[tf(check = names::labels)]
    labels: Option<Labels>,

    /// How long the operations may take: a minute to create and update, five to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the secret. With `generations` it changes with the data.
    id: Computed<String>,

    /// Name of the secret in the swarm: `name`, or `NAME-DIGEST` with `generations`.
    secret_name: Computed<String>,
}

/// The plugin that has the data of a secret.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct SecretDriver {
    /// Name of the plugin. It must be installed on the managers.
    name: String,

    /// Options of the plugin.
    options: Option<Labels>,
}

/// The attributes of which one says what is in it.
const DATA: [&str; 5] = ["data_wo", "data_base64_wo", "data", "data_base64", "driver"];

/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

impl Resource for SwarmSecret {
    const TYPE: &'static str = "swarm_secret";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        let mut found = blob::validate(config, &DATA);
        // The rules of write-only values are looked at here, since a plan never has the values.
        for (name, size) in [("data_wo", data_size as fn(&str) -> _), ("data_base64_wo", base64_size)] {
            if let Some(Err(rule)) = config.known::<String>(name).map(|data| size(&data)) {
                found.push(blob::invalid(name, &rule));
            }
        }
        found
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        // Data that is no longer set says nothing of the data; the version speaks for write-only values.
        let says = |name: &&str| plan.changes(name) && !plan.get(name).is_null();
        let has_new_data = ["data_wo_version", "data", "data_base64"].iter().any(says)
            || plan.changes("driver")
            || plan.changes("template_driver");
        blob::plan(plan, BlobKind::Secret, &DATA, has_new_data)
    }

    async fn create(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::create_or(self.timeouts.as_ref(), LIMIT);
        let data = self.bytes()?;
        ready(&context.client, || self.action("create")).await?;
        let made = within(&limit, || self.action("create"), self.wanted().make(&data, context)).await?;
        self.found(made);
        // An apply that was killed may have made one, under a name that nobody knows any more.
        self.wanted().remove_superseded(self.id.known().map(String::as_str), context).await;
        Ok(())
    }

    async fn read(mut self, context: &mut Context<Docker>) -> Result<Option<Self>> {
        ready(&context.client, || self.action("read")).await?;
        let found = context.client.blob(BlobKind::Secret, self.id.get()?).await.found();
        let Some(secret) = found.doing(|| self.action("read"))? else { return Ok(None) };
        self.secret_name = secret.name.clone().into();
        if self.labels.is_some() {
            self.labels = Some(blob::foreign_labels(&secret));
        }
        if !self.generations {
            self.name.clone_from(&secret.name);
        }
        Ok(Some(self))
    }

    async fn update(&mut self, prior: &Self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::update_or(self.timeouts.as_ref(), LIMIT);
        let (what, id) = (|| self.action("change"), prior.id.get()?);
        if self.has_new_data(prior) {
            let data = self.bytes()?;
            let made = within(&limit, what, self.wanted().remake(id, &data, context)).await?;
            self.found(made);
            self.wanted().remove_superseded(self.id.known().map(String::as_str), context).await;
            return Ok(());
        }
        if self.labels != prior.labels {
            let had = prior.labels.clone().unwrap_or_default();
            within(&limit, what, self.wanted().write_labels(id, Some(&had), context)).await?;
        }
        self.id = prior.id.clone();
        self.secret_name = prior.secret_name.clone();
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        let id = self.id.get()?;
        self.wanted().remove(id, limit, context).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        Ok(blob::find(BlobKind::Secret, id, &context.client).await?.map(|secret| Self::of(&secret)))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the secrets".to_owned()).await?;
        Ok(blob::all(BlobKind::Secret, &context.client).await?.iter().map(Self::of).collect())
    }

    fn moved(source: &MoveSource) -> Option<Result<serde_json::Map<String, serde_json::Value>>> {
        blob::moved(BlobKind::Secret, source)
    }
}

impl SwarmSecret {
    /// A secret that somebody else made.
    fn of(secret: &docker::Blob) -> Self {
        let labels = blob::foreign_labels(secret);
        SwarmSecret {
            name: blob::logical_name(secret).to_owned(),
            generations: blob::has_generations(secret),
            data_wo: WriteOnly::default(),
            data_base64_wo: WriteOnly::default(),
            data_wo_version: 1,
            data: None,
            data_base64: None,
            driver: secret.driver.as_ref().map(|driver| SecretDriver {
                name: driver.name.clone().unwrap_or_default(),
                options: driver.options.clone().filter(|options| !options.is_empty()),
            }),
            template_driver: blob::template_driver(secret),
            labels: (!labels.is_empty()).then_some(labels),
            timeouts: None,
            id: secret.id.clone().into(),
            secret_name: secret.name.clone().into(),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            kind: BlobKind::Secret,
            name: &self.name,
            generations: self.generations,
            labels: self.labels.as_ref(),
            driver: self.driver.as_ref().map(|driver| docker::Driver {
                name: Some(driver.name.clone()),
                options: driver.options.clone(),
                ..docker::Driver::default()
            }),
            template_driver: self.template_driver.as_deref(),
        }
    }

    fn found(&mut self, made: Made) {
        self.id = made.id.into();
        self.secret_name = made.name.into();
    }

    fn has_new_data(&self, prior: &Self) -> bool {
        fn says<T: PartialEq>(new: &Option<T>, old: &Option<T>) -> bool {
            new.is_some() && new != old
        }
        self.data_wo_version != prior.data_wo_version
            || says(&self.data, &prior.data)
            || says(&self.data_base64, &prior.data_base64)
            || self.driver != prior.driver
            || self.template_driver != prior.template_driver
    }

    /// The data, from the one attribute that has it; nothing where a plugin has it.
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let text = self.data_wo.expose().or(self.data.as_ref().map(Sensitive::expose));
        let encoded = self.data_base64_wo.expose().or(self.data_base64.as_ref().map(Sensitive::expose));
        match blob::bytes(text.map(String::as_str), encoded.map(String::as_str))? {
            Some(data) => Ok(data),
            None if self.driver.is_some() => Ok(Zeroizing::default()),
            None => Err(Diagnostic::error(
                "The data of the secret is missing",
                "A new secret has to be made, but none of `data_wo`, `data_base64_wo`, `data` and `data_base64` is set.",
            )),
        }
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} secret `{}`", self.name)
    }
}

fn data_size(data: &str) -> Result<(), String> {
    blob::size(BlobKind::Secret, data.len())
}

fn base64_size(data: &str) -> Result<(), String> {
    blob::base64_size(BlobKind::Secret, data)
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
        assert!(data_size(&"x".repeat(511_999)).is_ok() && data_size("").is_err());
    }
}
