//! A provider that does nothing, on the same plugin layer and with the same schemas: what Terraform and the protocol cost.
//!
//! It reads an object as what the state says. The benchmarks give it the states that the real one made.

use async_trait::async_trait;
use std::{process::ExitCode, sync::OnceLock};
use swarm::{
    resources::{SwarmNodeLabel, SwarmSecret, SwarmService},
    terraform::{
        AnyResource, Attribute, ClientSlot, Config, Context, Diagnostic, Diagnostics, Managed, Model, Object,
        Provider, Resource, Result, Schema,
    },
};

const ADDRESS: &str = "localhub/nothing";

/// A resource of which nothing is there.
struct Nothing<R>(R);

impl<R: Resource> Model for Nothing<R> {
    const DOCS: &'static str = R::DOCS;

    fn attributes() -> Vec<(&'static str, Attribute)> {
        R::attributes()
    }

    fn take_from(object: &mut Object) -> Result<Self> {
        R::take_from(object).map(Nothing)
    }

    fn put_into(self, object: &mut Object) {
        self.0.put_into(object);
    }
}

fn refused<T>() -> Result<T> {
    Err(Diagnostic::error("Nothing can be done", "This provider reads what the state says."))
}

impl<R: Resource> Resource for Nothing<R> {
    const TYPE: &'static str = R::TYPE;
    const VERSION: i64 = R::VERSION;
    const IDENTITY: &'static [&'static str] = R::IDENTITY;
    type Client = ();

    async fn create(&mut self, _: &mut Context<()>) -> Result<()> {
        refused()
    }

    async fn read(self, _: &mut Context<()>) -> Result<Option<Self>> {
        Ok(Some(self))
    }

    async fn update(&mut self, _: &Self, _: &mut Context<()>) -> Result<()> {
        refused()
    }

    async fn delete(self, _: &mut Context<()>) -> Result<()> {
        refused()
    }

    async fn import(_: &str, _: &mut Context<()>) -> Result<Option<Self>> {
        refused()
    }

    async fn list(_: &mut Context<()>) -> Result<Vec<Self>> {
        refused()
    }
}

struct Idle {
    schema: OnceLock<Schema>,
    client: ClientSlot<()>,
    resources: Vec<Box<dyn AnyResource>>,
}

impl Idle {
    fn new() -> Self {
        let client = ClientSlot::default();
        let resources: Vec<Box<dyn AnyResource>> = vec![
            Box::new(Managed::<Nothing<SwarmSecret>>::new(ADDRESS, &client)),
            Box::new(Managed::<Nothing<SwarmNodeLabel>>::new(ADDRESS, &client)),
            Box::new(Managed::<Nothing<SwarmService>>::new(ADDRESS, &client)),
        ];
        Idle { schema: OnceLock::new(), client, resources }
    }
}

#[async_trait]
impl Provider for Idle {
    fn address(&self) -> &'static str {
        ADDRESS
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: 0, docs: "Nothing.", attributes: vec![] })
    }

    fn resources(&self) -> &[Box<dyn AnyResource>] {
        &self.resources
    }

    fn validate(&self, _: &Config) -> Diagnostics {
        vec![]
    }

    async fn configure(&self, _: &Config, _: &str) -> Diagnostics {
        self.client.set(Some(()));
        vec![]
    }

    fn stop(&self) {}
}

fn main() -> ExitCode {
    swarm::plugin::run(Idle::new)
}
