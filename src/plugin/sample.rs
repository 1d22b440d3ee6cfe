//! A provider with one of everything, for the tests of this layer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::terraform::{
    Action, AnyAction, AnyFunction, AnyResource, AnySource, Called, ClientSlot, Computed, Config, Context,
    Diagnostic, Diagnostics, Function, Invocation, Invoked, Managed, Model, MoveSource, Number, Provider,
    Resource, Result, Schema, Sensitive, Source, Sourced, WriteOnly,
};

type Json = serde_json::Map<String, serde_json::Value>;

/// The provider's address.
pub(super) const ADDRESS: &str = "acme/sample";
/// Its one resource type.
pub(super) const NOTE: &str = "sample_note";
/// Its one data source.
pub(super) const NOTES: &str = "sample_notes";
/// Its one ephemeral resource type.
pub(super) const INK: &str = "sample_ink";
/// Its one action.
pub(super) const SHRED: &str = "sample_shred";
/// Its one function.
pub(super) const FOLD: &str = "fold";

/// A note, which is kept nowhere.
#[derive(Debug, Model)]
pub(super) struct Note {
    /// Given by the provider.
    pub id: Computed<String>,
    /// What the note is called. `fail`, `wait` and `panic` are taken by their word.
    #[tf(replace)]
    pub name: String,
    /// What it says.
    pub text: Option<String>,
    /// What it weighs.
    pub weight: Option<Number>,
    /// What it says only once.
    pub secret_wo: WriteOnly<String>,
    /// Its pages.
    pub pages: Option<Vec<Page>>,
}

/// A page of a note.
#[derive(Debug, Model)]
pub(super) struct Page {
    /// How many lines it has.
    #[tf(default = 40)]
    pub lines: Option<i64>,
}

/// What the resource works with.
#[derive(Clone, Default)]
pub(super) struct Desk {
    pub(super) stopped: CancellationToken,
    pub(super) created: Arc<AtomicUsize>,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) ended: Arc<AtomicUsize>,
}

impl Note {
    fn named(name: &str) -> Self {
        Note {
            id: format!("note-{name}").into(),
            name: name.to_owned(),
            text: None,
            weight: None,
            secret_wo: WriteOnly::default(),
            pages: None,
        }
    }
}

impl Resource for Note {
    const TYPE: &'static str = NOTE;
    const IDENTITY: &'static [&'static str] = &["name"];
    const VERSION: i64 = 1;
    type Client = Desk;

    async fn create(&mut self, context: &mut Context<Desk>) -> Result<()> {
        let number = context.client.created.fetch_add(1, Ordering::SeqCst);
        self.id = format!("note-{number}").into();
        context.private.set("number", number);
        match self.name.as_str() {
            "fail" => Err(Diagnostic::error("The note tore", "It was too thin.").at("text")),
            "panic" => panic!("the ink is out"),
            "wait" => {
                context.client.waiting.fetch_add(1, Ordering::SeqCst);
                context.client.stopped.cancelled().await;
                context.client.ended.fetch_add(1, Ordering::SeqCst);
                Err(Diagnostic::error("Stopped", "Terraform was asked to stop."))
            }
            _ => Ok(()),
        }
    }

    async fn read(self, _: &mut Context<Desk>) -> Result<Option<Self>> {
        match self.name.as_str() {
            "gone" => Ok(None),
            _ => Ok(Some(self)),
        }
    }

    async fn update(&mut self, _: &Self, _: &mut Context<Desk>) -> Result<()> {
        Ok(())
    }

    async fn delete(self, _: &mut Context<Desk>) -> Result<()> {
        Ok(())
    }

    async fn import(id: &str, _: &mut Context<Desk>) -> Result<Option<Self>> {
        Ok(id.strip_prefix("note-").map(Note::named))
    }

    async fn list(_: &mut Context<Desk>) -> Result<Vec<Self>> {
        Ok(NAMES.map(Note::named).into())
    }

    fn upgrade(_: i64, mut attributes: Json) -> Result<Json> {
        // Version 0 called it a title.
        if let Some(title) = attributes.remove("title") {
            attributes.insert("name".into(), title);
        }
        Ok(attributes)
    }

    fn moved(source: &MoveSource) -> Option<Result<Json>> {
        (source.type_name == "other_note").then(|| Ok(source.attributes.clone()))
    }
}

/// The notes that there are.
#[derive(Debug, Model)]
pub(super) struct Notes {
    /// Only those that begin so. `none` finds none, and `panic` is taken by its word.
    #[tf(default = "", check = lower_case)]
    prefix: String,
    /// How many there are at most.
    limit: Option<i64>,
    /// Their names.
    names: Computed<Vec<String>>,
}

impl Source for Notes {
    const TYPE: &'static str = NOTES;
    type Client = Desk;

    fn validate(config: &Config) -> Diagnostics {
        match config.known::<i64>("limit") {
            Some(limit) if limit < 1 => vec![Diagnostic::error("Too few notes", "").at("limit")],
            _ => vec![],
        }
    }

    async fn read(&mut self, context: &mut Context<Desk>) -> Result<()> {
        context.warn(Diagnostic::warning("It is dark", "Some notes may not be seen."));
        match self.prefix.as_str() {
            "none" => return Err(Diagnostic::error("No such note", "Write one.").at("prefix")),
            "panic" => panic!("the lamp fell"),
            "forget" => return Ok(()),
            _ => {}
        }
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let names = NAMES.iter().filter(|name| name.starts_with(&self.prefix)).take(limit);
        self.names = names.map(|name| (*name).to_owned()).collect::<Vec<_>>().into();
        Ok(())
    }
}

fn lower_case(text: &str) -> Result<(), String> {
    match text.contains(char::is_uppercase) {
        true => Err("it is in lower case".to_owned()),
        false => Ok(()),
    }
}

/// The notes that there always are.
const NAMES: [&str; 2] = ["shopping", "travel"];

/// Ink that vanishes.
#[derive(Debug, Model)]
pub(super) struct Ink {
    /// Its colour.
    colour: String,
    /// What it is made of.
    recipe: Computed<Sensitive<String>>,
}

impl Source for Ink {
    const TYPE: &'static str = INK;
    type Client = Desk;

    async fn read(&mut self, _: &mut Context<Desk>) -> Result<()> {
        self.recipe = Sensitive::from(format!("oak galls and {}", self.colour)).into();
        Ok(())
    }
}

/// Shreds notes.
#[derive(Debug, Model)]
pub(super) struct Shred {
    /// How many. With 13, the shredder jams; 99 makes it explode.
    notes: i64,
    /// Whether it waits for the lid after the first.
    #[tf(default = false)]
    waits: bool,
}

impl Action for Shred {
    const TYPE: &'static str = SHRED;
    type Client = Desk;

    fn validate(config: &Config) -> Diagnostics {
        match config.known::<i64>("notes") {
            Some(notes) if notes < 1 => vec![Diagnostic::error("Nothing to shred", "").at("notes")],
            _ => vec![],
        }
    }

    async fn check(config: &Config, _: &Desk) -> Diagnostics {
        match config.known::<i64>("notes") {
            Some(notes) if notes > 7 => vec![Diagnostic::warning("The basket is full", "").at("notes")],
            _ => vec![],
        }
    }

    async fn invoke(self, invocation: &mut Invocation<Desk>) -> Result<()> {
        let desk = &invocation.client;
        for note in 1..=self.notes {
            invocation.progress.report(format!("note {note}"));
            if self.waits {
                desk.waiting.fetch_add(1, Ordering::SeqCst);
                desk.stopped.cancelled().await;
                desk.ended.fetch_add(1, Ordering::SeqCst);
                return Err(Diagnostic::error("Stopped", "Terraform was asked to stop."));
            }
        }
        match self.notes {
            13 => Err(Diagnostic::error("It jammed", "Fewer notes.").at("notes")),
            99 => panic!("sparks"),
            _ => Ok(()),
        }
    }
}

/// Folds a sheet.
///
/// Nobody folds one more than seven times.
#[derive(Debug, Model)]
pub(super) struct Fold {
    /// What is written on it.
    text: String,
    /// How often.
    times: i64,
    /// The colour of the ribbon.
    ribbon: Option<String>,
}

/// A folded sheet.
#[derive(Debug, Model)]
pub(super) struct Folded {
    /// How many layers it has.
    layers: i64,
    /// What is written on it, and with what it is tied.
    label: Option<String>,
}

impl Function for Fold {
    const NAME: &'static str = FOLD;
    type Answer = Folded;

    fn call(self) -> Result<Folded> {
        match self.times {
            0..=7 => {
                let label = self.ribbon.map(|ribbon| format!("{} ({ribbon})", self.text));
                Ok(Folded { layers: 1 << self.times, label })
            }
            _ => Err(Diagnostic::error("It does not fold", "Seven times is all.").at("times")),
        }
    }
}

/// The provider.
pub(super) struct Sample {
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnySource>>,
    ephemeral_resources: Vec<Box<dyn AnySource>>,
    actions: Vec<Box<dyn AnyAction>>,
    functions: Vec<Box<dyn AnyFunction>>,
    pub(super) desk: Desk,
}

impl Default for Sample {
    fn default() -> Self {
        let (slot, desk) = (ClientSlot::default(), Desk::default());
        slot.set(Some(desk.clone()));
        Sample {
            schema: Schema { version: 0, docs: "A sample.", attributes: Page::attributes() },
            resources: vec![Box::new(Managed::<Note>::new(ADDRESS, &slot))],
            data_sources: vec![Box::new(Sourced::<Notes>::new(&slot))],
            ephemeral_resources: vec![Box::new(Sourced::<Ink>::new(&slot))],
            actions: vec![Box::new(Invoked::<Shred>::new(&slot))],
            functions: vec![Box::new(Called::<Fold>::default())],
            desk,
        }
    }
}

#[async_trait]
impl Provider for Sample {
    fn address(&self) -> &'static str {
        ADDRESS
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Box<dyn AnySource>] {
        &self.data_sources
    }

    fn ephemeral_resources(&self) -> &[Box<dyn AnySource>] {
        &self.ephemeral_resources
    }

    fn actions(&self) -> &[Box<dyn AnyAction>] {
        &self.actions
    }

    fn functions(&self) -> &[Box<dyn AnyFunction>] {
        &self.functions
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        match config.known::<i64>("lines") {
            Some(lines) if lines < 1 => {
                vec![Diagnostic::error("Too few lines", "A page has one at least.").at("lines")]
            }
            _ => vec![],
        }
    }

    async fn configure(&self, _: &Config, terraform_version: &str) -> Diagnostics {
        match terraform_version {
            "" => vec![Diagnostic::error("No version", "")],
            _ => vec![],
        }
    }

    fn stop(&self) {
        self.desk.stopped.cancel();
    }
}
