//! `swarm_config`: a config of the swarm.

use super::{
    blob::{self, Labels, Made, Wanted},
    failure::{Doing, ready, within},
    names,
};
use crate::docker::{self, BlobKind, Docker, Found};
use crate::terraform::{
    Computed, Config, Context, Diagnostic, Diagnostics, Duration, Model, MoveSource, Plan, Resource, Result,
    Timeouts,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A config: a file for the services of the swarm that is no secret, since everybody who may list configs can read it.
///
/// Docker cannot change the data of a config, so new data makes a new config. With `generations`, `name` is a logical
/// name: the new config, `NAME-DIGEST`, is made beside the old one, services are pointed to it, and the old one goes when
/// no service uses it. With a fixed name, new data is refused while a service uses the config.
///
/// An imported config has its data in `data` where it is text, else in `data_base64`.
///
/// A `moved` block takes over a `docker_config` of kreuzwerker/docker, whose `data_raw` is `data` here, and whose `data`
/// is `data_base64`.
#[derive(Debug, Model)]
pub struct SwarmConfig {
    /// Name of the config, unique in the swarm regardless of case. With `generations`, what its generations have in
    /// common.
    #[tf(replace, check = names::object_name)]
    name: String,

    /// Whether new data makes a new config beside the old one, under a name of its own.
    #[tf(replace, default = false)]
    generations: bool,

    /// The data, as text.
    #[tf(check = data_size)]
    data: Option<String>,

    /// The data in base64, for what is no text. Exactly one of `data` and `data_base64` is set.
    #[tf(check = base64_size)]
    data_base64: Option<String>,

    /// What fills in templates in the data, such as `{{ .Service.Name }}`, for each task: `golang`. A change of it makes
    /// a new config, as new data does.
    #[tf(check = names::template_driver)]
    template_driver: Option<String>,

    /// Labels of the config. Without it they are left to others.
    #[tf(check = names::labels)]
    labels: Option<Labels>,

    /// How long the operations may take: a minute to create and update, five to delete, unless it says otherwise.
    timeouts: Option<Timeouts>,

    /// ID of the config. With `generations` it changes with the data.
    id: Computed<String>,

    /// Name of the config in the swarm: `name`, or `NAME-DIGEST` with `generations`.
    config_name: Computed<String>,
}

/// The two attributes of which one has the data.
const DATA: [&str; 2] = ["data", "data_base64"];

/// How long creating and changing may take, unless `timeouts` says otherwise.
const LIMIT: Duration = Duration::minutes(1);

impl Resource for SwarmConfig {
    const TYPE: &'static str = "swarm_config";
    const IDENTITY: &'static [&'static str] = &["name"];
    type Client = Docker;

    fn validate(config: &Config) -> Diagnostics {
        blob::validate(config, &DATA)
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        let has_new_data = plan.prior.as_ref().is_some_and(|prior| {
            let is_known = DATA.iter().all(|name| plan.planned().is_known(name));
            plan.changes("template_driver") || !is_known || differ(&given(plan.planned()), &given(prior))
        });
        blob::plan(plan, BlobKind::Config, &DATA, has_new_data)
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
        let found = context.client.blob(BlobKind::Config, self.id.get()?).await.found();
        let Some(config) = found.doing(|| self.action("read"))? else { return Ok(None) };
        if self.bytes().is_ok_and(|data| *data != config.data) {
            (self.data, self.data_base64) = spelt(config.data.clone());
        }
        self.config_name = config.name.clone().into();
        if self.labels.is_some() {
            self.labels = Some(blob::foreign_labels(&config));
        }
        if !self.generations {
            self.name.clone_from(&config.name);
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
        self.config_name = prior.config_name.clone();
        Ok(())
    }

    async fn delete(self, context: &mut Context<Docker>) -> Result<()> {
        let limit = Timeouts::delete_or(self.timeouts.as_ref(), Duration::minutes(5)).to_std();
        let id = self.id.get()?;
        self.wanted().remove(id, limit, context).await
    }

    async fn import(id: &str, context: &mut Context<Docker>) -> Result<Option<Self>> {
        Ok(blob::find(BlobKind::Config, id, &context.client).await?.map(Self::of))
    }

    async fn list(context: &mut Context<Docker>) -> Result<Vec<Self>> {
        ready(&context.client, || "list the configs".to_owned()).await?;
        Ok(blob::all(BlobKind::Config, &context.client).await?.into_iter().map(Self::of).collect())
    }

    fn moved(source: &MoveSource) -> Option<Result<serde_json::Map<String, serde_json::Value>>> {
        blob::moved(BlobKind::Config, source)
    }
}

impl SwarmConfig {
    /// A config that somebody else made.
    fn of(config: docker::Blob) -> Self {
        let labels = blob::foreign_labels(&config);
        let (name, generations) = (blob::logical_name(&config).to_owned(), blob::has_generations(&config));
        let template_driver = blob::template_driver(&config);
        let (data, data_base64) = spelt(config.data);
        SwarmConfig {
            name,
            generations,
            data,
            data_base64,
            template_driver,
            labels: (!labels.is_empty()).then_some(labels),
            timeouts: None,
            id: config.id.into(),
            config_name: config.name.into(),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            kind: BlobKind::Config,
            name: &self.name,
            generations: self.generations,
            labels: self.labels.as_ref(),
            driver: None,
            template_driver: self.template_driver.as_deref(),
        }
    }

    fn found(&mut self, made: Made) {
        self.id = made.id.into();
        self.config_name = made.name.into();
    }

    fn has_new_data(&self, prior: &Self) -> bool {
        let data = |config: &Self| config.bytes().ok();
        self.template_driver != prior.template_driver || differ(&data(self), &data(prior))
    }

    /// The data, from the one attribute that has it.
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        blob::bytes(self.data.as_deref(), self.data_base64.as_deref())?.ok_or_else(|| {
            Diagnostic::error(
                "The data of the config is missing",
                "A new config has to be made, but neither `data` nor `data_base64` is set.",
            )
        })
    }

    fn action(&self, verb: &str) -> String {
        format!("{verb} config `{}`", self.name)
    }
}

/// The data as text where it is that, else in base64.
fn spelt(data: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(data) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
    }
}

/// The data that a plan or a state has, if it has any.
fn given(object: &Config) -> Option<Zeroizing<Vec<u8>>> {
    let (text, encoded) = (object.known::<String>("data"), object.known::<String>("data_base64"));
    blob::bytes(text.as_deref(), encoded.as_deref()).ok()?
}

/// Whether there is new data. Data that is no longer given says nothing of what there is.
fn differ(new: &Option<Zeroizing<Vec<u8>>>, old: &Option<Zeroizing<Vec<u8>>>) -> bool {
    new.is_some() && new != old
}

fn data_size(data: &str) -> Result<(), String> {
    blob::size(BlobKind::Config, data.len())
}

fn base64_size(data: &str) -> Result<(), String> {
    blob::base64_size(BlobKind::Config, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_text_where_it_can_be() {
        assert_eq!(spelt("grüße\n".into()), (Some("grüße\n".into()), None));
        assert_eq!(spelt(vec![0, 255]), (None, Some("AP8=".into())));
    }

    #[test]
    fn a_config_may_be_nearly_a_megabyte() {
        assert!(data_size(&"x".repeat(1_023_999)).is_ok());
        assert!(data_size(&"x".repeat(1_024_000)).unwrap_err().contains("1023999"));
    }
}
