//! A resource of any type, as the plugin layer sees it: dynamic values in, dynamic values out.

use super::{Diagnostics, Model, Object, Path, Private, Result, Schema};
use async_trait::async_trait;
use std::collections::BTreeMap;

type Json = serde_json::Map<String, serde_json::Value>;

/// The outcome of planning.
pub struct Planned {
    /// The planned state; none when the resource is to be destroyed.
    pub state: Option<Object>,
    /// The attributes whose change replaces the resource.
    pub replace: Vec<Path>,
    /// What is wrong.
    pub diagnostics: Diagnostics,
}

/// What there is to apply.
pub struct Apply {
    /// The state before; none to create.
    pub prior: Option<Object>,
    /// The planned state; none to destroy.
    pub planned: Option<Object>,
    /// The configuration, for write-only values; none when destroying.
    pub config: Option<Object>,
    /// The private state before.
    pub private: Private,
}

/// The outcome of applying.
pub struct Applied {
    /// What exists now; none if nothing does.
    pub state: Option<Object>,
    /// The private state to keep.
    pub private: Private,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// The outcome of reading.
pub struct Read {
    /// What is there; none when it is gone. On an error: the state as it was.
    pub state: Option<Object>,
    /// The private state to keep.
    pub private: Private,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// The outcome of importing.
pub struct Imported {
    /// What was found.
    pub state: Option<Object>,
    /// The private state to keep.
    pub private: Private,
    /// What went wrong.
    pub diagnostics: Diagnostics,
}

/// One object of a list.
pub struct Listed {
    /// What tells it from all others.
    pub identity: Object,
    /// What a person calls it.
    pub display_name: String,
    /// Its state, as an import would find it.
    pub state: Object,
}

/// The `config` block says which of the objects are wanted; without it, all of them are.
#[derive(Clone, Debug, Default, Model)]
pub struct ListFilter {
    /// Only objects whose name begins with this.
    pub name: Option<String>,

    /// Only objects that have all of these labels.
    pub labels: Option<BTreeMap<String, String>>,
}

impl ListFilter {
    /// The schema of the `config` block of a list: what the resource itself has can be asked for.
    pub fn schema(resource: &Schema) -> Schema {
        let mut attributes = ListFilter::attributes();
        attributes.retain(|(name, _)| resource.attribute(name).is_some());
        Schema { version: 0, docs: ListFilter::DOCS, attributes }
    }

    /// Whether an object is wanted.
    pub fn admits(&self, state: &Object) -> bool {
        let named = self.name.as_ref().is_none_or(|prefix| {
            state.get("name").as_str().is_some_and(|name| name.starts_with(prefix.as_str()))
        });
        let labels = state.get("labels");
        let has = |(key, value): (&String, &String)| labels.get(key).as_str() == Some(value.as_str());
        named && self.labels.iter().flatten().all(has)
    }
}

/// The state of a resource that a `moved` block gives another type.
pub struct MoveSource {
    /// The address of the provider that it belonged to, such as `registry.terraform.io/kreuzwerker/docker`.
    pub provider: String,
    /// Its type there.
    pub type_name: String,
    /// The version of the schema that it was stored with.
    pub version: i64,
    /// Its attributes.
    pub attributes: Json,
    /// Its private state.
    pub private: Vec<u8>,
}

/// A resource of any type. [`Managed`](super::Managed) makes one of each [`Resource`](super::Resource).
#[async_trait]
pub trait AnyResource: Send + Sync {
    /// The name of the type in HCL.
    fn type_name(&self) -> &str;

    /// The schema.
    fn schema(&self) -> &Schema;

    /// What is wrong with a configuration, of which parts may be unknown.
    fn validate(&self, config: Object, write_only_allowed: bool) -> Diagnostics;

    /// Plans. No configuration: destroy.
    async fn plan(&self, config: Option<Object>, prior: Option<Object>, private: Private) -> Planned;

    /// Creates, updates or destroys.
    async fn apply(&self, apply: Apply) -> Applied;

    /// Refreshes.
    async fn read(&self, state: Object, private: Private) -> Read;

    /// Finds what the user means by `id`.
    async fn import(&self, id: &str) -> Imported;

    /// The attributes that tell an object from all others.
    fn identity(&self) -> &'static [&'static str];

    /// The part of a state that is its identity.
    fn identity_of(&self, state: &Object) -> Object {
        let part = |name: &&str| ((*name).to_owned(), state.get(name).clone());
        Object(self.identity().iter().map(part).collect())
    }

    /// All objects of the type that there are.
    ///
    /// # Errors
    /// They could not be listed.
    async fn list(&self, filter: &ListFilter) -> Result<Vec<Listed>>;

    /// Brings stored attributes to today's shape.
    ///
    /// # Errors
    /// The state cannot be carried over.
    fn upgrade(&self, version: i64, attributes: Json) -> Result<Json>;

    /// The state of another type as this one's: the attributes and the private state.
    ///
    /// # Errors
    /// That type cannot be moved here.
    fn move_from(&self, source: MoveSource) -> Result<(Json, Vec<u8>)>;
}
