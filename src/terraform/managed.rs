//! From the typed [`Resource`] to the dynamic [`AnyResource`]: what all resources have in common, once.

use super::{
    AnyResource, Applied, Apply, Config, Context, Diagnostic, Diagnostics, Imported, ListFilter, Listed,
    MoveSource, Object, Path, Plan, Planned, Private, Read, Resource, Result, Schema, Step, Value,
    equivalence::arrange_object, plan::with_write_only, schema::Unset, validate::validate,
};
use async_trait::async_trait;
use futures_util::FutureExt;
use std::{
    any::Any,
    marker::PhantomData,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

type Json = serde_json::Map<String, serde_json::Value>;

/// Where the provider puts its client when it is configured, and the resources find it.
pub struct ClientSlot<C>(Arc<RwLock<Option<C>>>);

impl<C> Clone for ClientSlot<C> {
    fn clone(&self) -> Self {
        ClientSlot(Arc::clone(&self.0))
    }
}

impl<C> Default for ClientSlot<C> {
    fn default() -> Self {
        ClientSlot(Arc::default())
    }
}

impl<C: Clone> ClientSlot<C> {
    /// Puts the client in; `None` while the provider's configuration is not known.
    pub fn set(&self, client: Option<C>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = client;
    }

    /// The client, if there is one.
    pub fn get(&self) -> Option<C> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A [`Resource`] under one of its names.
pub struct Managed<R: Resource> {
    type_name: &'static str,
    other_names: &'static [&'static str],
    provider: &'static str,
    client: ClientSlot<R::Client>,
    schema: OnceLock<Schema>,
    resource: PhantomData<fn() -> R>,
}

impl<R: Resource> Managed<R> {
    /// The resource under its own name, in the provider of that address.
    pub fn new(provider: &'static str, client: &ClientSlot<R::Client>) -> Self {
        Managed {
            type_name: R::TYPE,
            other_names: &[],
            provider,
            client: client.clone(),
            schema: OnceLock::new(),
            resource: PhantomData,
        }
    }

    /// The resource under another name; `moved` blocks may move it between the two.
    pub fn named(mut self, type_name: &'static str, other_names: &'static [&'static str]) -> Self {
        self.type_name = type_name;
        self.other_names = other_names;
        self
    }

    fn context(&self, private: Private) -> Option<Context<R::Client>> {
        Some(Context { client: self.client.get()?, private, warnings: vec![] })
    }

    async fn create(
        &self,
        context: &mut Context<R::Client>,
        planned: Object,
        config: &Object,
    ) -> (Option<Object>, Diagnostics) {
        let schema = self.schema();
        let mut model = match R::decode(with_write_only(&schema.attributes, planned.clone(), config)) {
            Ok(model) => model,
            Err(error) => return (None, vec![error]),
        };
        let outcome = caught(model.create(context)).await;
        let state = model.encode();
        match outcome {
            Ok(()) => {
                let bugs = inconsistencies(&planned, &state);
                (Some(without_unknowns(state)), bugs)
            }
            Err(error) if set_something(schema, &planned, &state) => {
                (Some(without_unknowns(state)), vec![error])
            }
            Err(error) => (None, vec![error]),
        }
    }

    async fn update(
        &self,
        context: &mut Context<R::Client>,
        before: Object,
        planned: Object,
        config: &Object,
    ) -> (Option<Object>, Diagnostics) {
        let schema = self.schema();
        let decoded = R::decode(with_write_only(&schema.attributes, planned.clone(), config))
            .and_then(|model| Ok((model, R::decode(before.clone())?)));
        let (mut model, prior) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return (Some(before), vec![error]),
        };
        let outcome = caught(model.update(&prior, context)).await;
        let state = model.encode();
        match outcome {
            Ok(()) => {
                let bugs = inconsistencies(&planned, &state);
                (Some(without_unknowns(state)), bugs)
            }
            Err(error) => {
                // What the update made is what to look for; without anything made, what was there before.
                let known =
                    if set_something(schema, &planned, &state) { without_unknowns(state) } else { before };
                (Some(self.actual(context, known).await), vec![error])
            }
        }
    }

    /// What is really there after a failure; what is known of it if that cannot be read either.
    async fn actual(&self, context: &mut Context<R::Client>, known: Object) -> Object {
        let Ok(model) = R::decode(known.clone()) else { return known };
        match caught(model.read(context)).await {
            Ok(Some(found)) => self.arranged(found.encode(), &known),
            _ => known,
        }
    }

    /// What was read, in the spelling and order of the state, which it keeps where reading says nothing.
    fn arranged(&self, found: Object, held: &Object) -> Object {
        let mut found = Object(arrange_object(&self.schema().attributes, found.0, &held.0));
        for (name, value) in &mut found.0 {
            if value.is_unknown() {
                *value = held.get(name).clone();
            }
        }
        without_unknowns(found)
    }
}

#[async_trait]
impl<R: Resource> AnyResource for Managed<R> {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: R::VERSION, docs: R::DOCS, attributes: R::attributes() })
    }

    fn validate(&self, config: Object, write_only_allowed: bool) -> Diagnostics {
        let mut found = validate(self.schema(), &config, write_only_allowed);
        found.extend(R::validate(&Config(config)));
        found
    }

    async fn plan(&self, config: Option<Object>, prior: Option<Object>, private: Private) -> Planned {
        let Some(config) = config else {
            return Planned { state: None, replace: vec![], diagnostics: vec![] };
        };
        let schema = self.schema();
        // What was kept for an object that is gone, or is replaced, says nothing of the next one.
        let private = if prior.is_some() { private } else { Private::default() };
        let mut plan = Plan::new(schema, config, prior, private);
        let mut diagnostics: Diagnostics = R::plan(&mut plan).err().into_iter().collect();
        diagnostics.extend(plan.bug(schema));
        if diagnostics.is_empty()
            && let Some(client) = self.client.get()
        {
            diagnostics.extend(R::check(&plan, &client).await);
        }
        let (planned, replace) = plan.finish(schema);
        Planned { state: Some(planned), replace, diagnostics }
    }

    async fn apply(&self, apply: Apply) -> Applied {
        let Apply { prior, planned, config, private } = apply;
        let private = if prior.is_some() { private } else { Private::default() };
        let Some(mut context) = self.context(private.clone()) else {
            return Applied { state: prior, private, diagnostics: vec![unconfigured()] };
        };
        let config = config.unwrap_or_default();
        let (state, mut diagnostics) = match (prior, planned) {
            (None, None) => (None, vec![]),
            (None, Some(planned)) => self.create(&mut context, planned, &config).await,
            (Some(before), Some(planned)) => self.update(&mut context, before, planned, &config).await,
            (Some(before), None) => {
                let deleted = match R::decode(before.clone()) {
                    Ok(model) => caught(model.delete(&mut context)).await,
                    Err(error) => Err(error),
                };
                match deleted {
                    Ok(()) => (None, vec![]),
                    Err(error) => (Some(before), vec![error]),
                }
            }
        };
        diagnostics.extend(context.warnings);
        Applied { state, private: context.private, diagnostics }
    }

    async fn read(&self, state: Object, private: Private) -> Read {
        let Some(mut context) = self.context(private.clone()) else {
            let note = Diagnostic::warning(
                "Not refreshed",
                "The provider's configuration is not known yet, so the state is taken to be as it was.",
            );
            return Read { state: Some(state), private, diagnostics: vec![note] };
        };
        let found = match R::decode(state.clone()) {
            Ok(model) => caught(model.read(&mut context)).await,
            Err(error) => Err(error),
        };
        let mut diagnostics = std::mem::take(&mut context.warnings);
        let (state, private) = match found {
            Ok(found) => (found.map(|found| self.arranged(found.encode(), &state)), context.private),
            Err(error) => {
                diagnostics.push(error);
                (Some(state), private)
            }
        };
        Read { state, private, diagnostics }
    }

    async fn import(&self, id: &str) -> Imported {
        let Some(mut context) = self.context(Private::default()) else {
            return Imported { state: None, private: Private::default(), diagnostics: vec![unconfigured()] };
        };
        let found = caught(R::import(id, &mut context)).await;
        let mut diagnostics = context.warnings;
        let state = match found {
            Ok(Some(model)) => Some(without_unknowns(model.encode())),
            Ok(None) => {
                diagnostics.push(Diagnostic::error(
                    format!("Cannot import {} `{id}`", self.type_name),
                    "There is nothing of that name or ID. Look at what there is, then import one of them.",
                ));
                None
            }
            Err(error) => {
                diagnostics.push(error);
                None
            }
        };
        Imported { state, private: context.private, diagnostics }
    }

    fn identity(&self) -> &'static [&'static str] {
        R::IDENTITY
    }

    async fn list(&self, filter: &ListFilter) -> Result<Vec<Listed>> {
        let mut context = self.context(Private::default()).ok_or_else(unconfigured)?;
        let found = caught(R::list(&mut context)).await?;
        let listed = found.into_iter().map(|model| without_unknowns(model.encode()));
        Ok(listed
            .filter(|state| filter.admits(state))
            .map(|state| {
                let identity = self.identity_of(&state);
                let words = || -> Vec<&str> {
                    R::IDENTITY.iter().filter_map(|name| identity.get(name).as_str()).collect()
                };
                let display_name =
                    state.get("name").as_str().map_or_else(|| words().join("/"), str::to_owned);
                Listed { display_name, identity, state }
            })
            .collect())
    }

    fn upgrade(&self, version: i64, attributes: Json) -> Result<Json> {
        R::upgrade(version, attributes)
    }

    fn move_from(&self, source: MoveSource) -> Result<(Json, Vec<u8>)> {
        let own = source.provider.ends_with(&format!("/{}", self.provider));
        if own && self.other_names.contains(&source.type_name.as_str()) {
            return Ok((R::upgrade(source.version, source.attributes)?, source.private));
        }
        match R::moved(&source) {
            Some(moved) => Ok((moved?, vec![])),
            None => Err(Diagnostic::error(
                format!("Cannot move {} to {}", source.type_name, self.type_name),
                format!(
                    "The state of {} (provider {}) has no counterpart in {}. Remove it from the state and import it instead.",
                    source.type_name, source.provider, self.type_name
                ),
            )),
        }
    }
}

/// Runs an operation; a panic in it becomes a diagnostic, and what the operation did so far is not lost.
pub(super) async fn caught<T>(operation: impl Future<Output = Result<T>>) -> Result<T> {
    match AssertUnwindSafe(operation).catch_unwind().await {
        Ok(outcome) => outcome,
        Err(panic) => Err(Diagnostic::bug(format!("It panicked: {}.", panic_message(&*panic)))),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

pub(super) fn unconfigured() -> Diagnostic {
    Diagnostic::error(
        "The provider is not configured",
        "The configuration of the provider is not known, so there is no connection to work with.",
    )
}

/// A configuration with what the schema says where it is silent; what is optional and computed is null then.
pub(super) fn with_defaults(schema: &Schema, config: Object) -> Object {
    let mut planned = Plan::new(schema, config, None, Private::default()).planned().0.clone();
    for (name, attribute) in &schema.attributes {
        if let Some(value) = planned.0.get_mut(*name)
            && attribute.optional
            && value.is_unknown()
        {
            *value = Value::Null;
        }
    }
    planned
}

/// A configuration with its write-only values, and with what the schema says where it is silent.
pub(super) fn with_values(schema: &Schema, config: Object) -> Object {
    let planned = with_defaults(schema, config.clone());
    with_write_only(&schema.attributes, planned, &config)
}

/// What an operation that succeeded never set: bugs of the provider.
pub(super) fn left_open(state: &Object) -> Diagnostics {
    inconsistencies(state, state)
}

/// Whether an operation set something that only the server knows: then the object exists.
fn set_something(schema: &Schema, planned: &Object, state: &Object) -> bool {
    schema.attributes.iter().any(|(name, attribute)| {
        matches!(attribute.unset, Unset::Prior | Unset::Volatile)
            && attribute.computed
            && planned.get(name).is_unknown()
            && !state.get(name).is_unknown()
            && !state.get(name).is_null()
    })
}

/// The object with null for what is unknown, since a state knows everything.
pub(super) fn without_unknowns(object: Object) -> Object {
    fn known(value: Value) -> Value {
        match value {
            Value::Unknown(_) => Value::Null,
            Value::List(items) => Value::List(items.into_iter().map(known).collect()),
            Value::Map(items) => {
                Value::Map(items.into_iter().map(|(key, item)| (key, known(item))).collect())
            }
            other => other,
        }
    }
    Object(object.0.into_iter().map(|(name, value)| (name, known(value))).collect())
}

/// What an operation that succeeded did otherwise than planned, or left open: bugs of the provider, named by
/// attribute before Terraform names them.
fn inconsistencies(planned: &Object, state: &Object) -> Diagnostics {
    fn compare(planned: &Value, state: &Value, path: &Path, found: &mut Vec<Path>) {
        match (planned, state) {
            (_, state) if state.is_unknown() => found.push(path.clone()),
            (Value::Unknown(_), _) => {}
            (Value::Map(planned), Value::Map(state)) => {
                for (name, value) in planned {
                    let path = path.then(Step::Attribute(name.clone()));
                    compare(value, state.get(name).unwrap_or(&Value::Null), &path, found);
                }
            }
            (Value::List(planned), Value::List(state)) if planned.len() == state.len() => {
                for (index, (planned, state)) in planned.iter().zip(state).enumerate() {
                    compare(planned, state, &path.then(Step::Index(index)), found);
                }
            }
            (planned, state) if planned == state => {}
            _ => found.push(path.clone()),
        }
    }
    let mut found = vec![];
    compare(&planned.clone().into(), &state.clone().into(), &Path::default(), &mut found);
    found
        .into_iter()
        .map(|path| {
            Diagnostic::bug(format!("After apply, `{path}` is not what was planned, or was never set."))
                .at(path)
        })
        .collect()
}
