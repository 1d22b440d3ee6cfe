//! A provider with one resource type, for the tests of this layer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::terraform::{
    AnyResource, ClientSlot, Computed, Config, Context, Diagnostic, Diagnostics, Managed, Model, MoveSource,
    Number, Provider, Resource, Result, Schema, WriteOnly,
};

type Json = serde_json::Map<String, serde_json::Value>;

/// The provider's address.
pub(super) const ADDRESS: &str = "acme/sample";
/// Its one resource type.
pub(super) const NOTE: &str = "sample_note";

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
        Ok(["shopping", "travel"].map(Note::named).into())
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

/// The provider.
pub(super) struct Sample {
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    pub(super) desk: Desk,
}

impl Default for Sample {
    fn default() -> Self {
        let (slot, desk) = (ClientSlot::default(), Desk::default());
        slot.set(Some(desk.clone()));
        Sample {
            schema: Schema { version: 0, docs: "A sample.", attributes: Page::attributes() },
            resources: vec![Box::new(Managed::<Note>::new(ADDRESS, &slot))],
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
