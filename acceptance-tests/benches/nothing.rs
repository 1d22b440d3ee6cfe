//! A provider that does nothing, on the same plugin layer and with the same schemas: what Terraform and the protocol cost.
//!
//! It reads an object as what the state says. What it makes is as it was planned; where only a server would know a value, it
//! says when that was, in nanoseconds since 1970, so that a benchmark can tell what Terraform does afterwards.

use async_trait::async_trait;
use std::{
    process::ExitCode,
    sync::OnceLock,
    time::{SystemTime, UNIX_EPOCH},
};
use swarm::{
    resources::{SwarmNodeLabel, SwarmSecret, SwarmService},
    terraform::{
        AnyResource, Attribute, ClientSlot, Config, Context, Diagnostic, Diagnostics, Managed, Model, Number,
        Object, Plan, Provider, Resource, Result, Schema, Type, Value,
    },
};

const ADDRESS: &str = "localhub/nothing";

/// A resource of which nothing is there but its state.
struct Nothing<R> {
    described: R,
    /// When it was made, if that was just now.
    made: Option<String>,
}

impl<R: Resource> Model for Nothing<R> {
    const DOCS: &'static str = R::DOCS;

    fn attributes() -> Vec<(&'static str, Attribute)> {
        R::attributes()
    }

    fn take_from(object: &mut Object) -> Result<Self> {
        Ok(Nothing { described: R::take_from(object)?, made: None })
    }

    fn put_into(self, object: &mut Object) {
        self.described.put_into(object);
        if let Some(made) = self.made {
            for (name, attribute) in R::attributes() {
                if let Some(value) = object.0.get_mut(name) {
                    *value = told(std::mem::take(value), &attribute.kind.value_type(), &made);
                }
            }
        }
    }
}

/// The value, with something in it wherever it is unknown.
fn told(value: Value, r#type: &Type, made: &str) -> Value {
    match (value, r#type) {
        (Value::Unknown(_), Type::String) => made.into(),
        (Value::Unknown(_), Type::Number) => Value::Number(Number::from(0_i64)),
        (Value::Unknown(_), Type::Bool) => Value::Bool(false),
        (Value::Unknown(_), Type::List(_) | Type::Set(_)) => Value::List(vec![]),
        (Value::Unknown(_), _) => Value::Null,
        (Value::Map(members), Type::Object(types)) => {
            let member = |(name, value)| {
                let r#type = types.get(&name).unwrap_or(&Type::Dynamic);
                let value = told(value, r#type, made);
                (name, value)
            };
            Value::Map(members.into_iter().map(member).collect())
        }
        (Value::List(items), Type::List(item) | Type::Set(item)) => {
            Value::List(items.into_iter().map(|value| told(value, item, made)).collect())
        }
        (known, _) => known,
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

    fn plan(plan: &mut Plan) -> Result<()> {
        // What follows from the configuration belongs to the schema: without it, what there is would be planned anew.
        R::plan(plan)
    }

    async fn create(&mut self, _: &mut Context<()>) -> Result<()> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.made = Some(since.as_nanos().to_string());
        Ok(())
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
