//! Planning: schema, configuration and prior state become the planned state and what it replaces.
//!
//! A pure function, so that the second plan during apply is the first one with more known.

use super::{
    Attribute, Diagnostic, Field, Kind, Model, Nesting, Object, Path, Private, Schema, Step, Value,
    equivalence::settle, schema::Unset,
};
use std::collections::{BTreeMap, BTreeSet};

/// A configuration, or another object of which parts may be unknown, with typed peeks at what is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config(pub Object);

impl Config {
    /// The value at a dotted path such as `update.order`; unknown beneath what is unknown, null where nothing is.
    pub fn get(&self, path: &str) -> &Value {
        static UNKNOWN: Value = Value::UNKNOWN;
        let mut parts = path.split('.');
        let mut value = self.0.get(parts.next().unwrap_or_default());
        for part in parts {
            if value.is_unknown() {
                return &UNKNOWN;
            }
            value = value.get(part);
        }
        value
    }

    /// The value at a path, if it is set and wholly known.
    pub fn known<F: Field>(&self, path: &str) -> Option<F> {
        let value = self.get(path);
        if value.is_null() || !value.is_wholly_known() {
            return None;
        }
        F::decode(value.clone()).ok()
    }

    /// Whether something is there, known or not.
    pub fn is_set(&self, path: &str) -> bool {
        !self.get(path).is_null()
    }

    /// Whether it is known now, be it null.
    pub fn is_known(&self, path: &str) -> bool {
        self.get(path).is_wholly_known()
    }
}

/// A plan in the making. What the schema says has been done; a resource's [`plan`](super::Resource::plan) refines it.
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// The state before, unless the resource is to be created.
    pub prior: Option<Config>,
    /// The private state before.
    pub private: Private,
    planned: Config,
    replace: Vec<Path>,
    settled: BTreeSet<String>,
}

impl Plan {
    /// Applies what the schema says: defaults, what is computed, what means the same, what replaces.
    pub(super) fn new(schema: &Schema, config: Object, prior: Option<Object>, private: Private) -> Self {
        let held: Option<Value> = prior.clone().map(Value::from);
        let planned = plan_object(&schema.attributes, &config.clone().into(), held.as_ref());
        let planned = match planned {
            Value::Map(attributes) => Object(attributes),
            _ => Object::default(),
        };
        Plan {
            config: Config(config),
            prior: prior.map(Config),
            private,
            planned: Config(planned),
            replace: vec![],
            settled: BTreeSet::new(),
        }
    }

    /// Whether there is nothing yet.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// The planned value at a dotted path; unknown beneath what is unknown.
    pub fn get(&self, path: &str) -> &Value {
        self.planned.get(path)
    }

    /// The planned value at a path, if it is set and wholly known.
    pub fn known<F: Field>(&self, path: &str) -> Option<F> {
        self.planned.known(path)
    }

    /// The planned state as it stands.
    pub fn planned(&self) -> &Config {
        &self.planned
    }

    /// A part of the resource as an apply of this plan will see it, write-only values included, if all of it is known.
    pub fn applied<M: Model>(&self) -> Option<M> {
        let attributes = M::attributes();
        let object = with_write_only(&attributes, self.planned.0.clone(), &self.config.0);
        if !attributes.iter().all(|(name, _)| object.get(name).is_wholly_known()) {
            return None;
        }
        M::decode(object).ok()
    }

    /// Whether what is planned at a path differs from what is there; always for a resource to be created.
    pub fn changes(&self, path: &str) -> bool {
        self.prior.as_ref().is_none_or(|prior| prior.get(path) != self.get(path))
    }

    /// Plans a value that the configuration leaves to the provider. What the configuration sets stays.
    pub fn derive<F: Field>(&mut self, path: &str, value: F) {
        if !self.config.is_set(path) {
            self.put(path, value.encode());
        }
    }

    /// The same for one attribute of each object in a list; `value` makes it of the object, unless it cannot tell yet.
    pub fn derive_each<F: Field>(&mut self, path: &str, member: &str, value: impl Fn(&Value) -> Option<F>) {
        let Some(Value::List(items)) = self.planned.0.0.get_mut(path) else { return };
        for (index, item) in items.iter_mut().enumerate() {
            let is_set = match self.config.get(path) {
                Value::List(config) => config.get(index).is_some_and(|config| !config.get(member).is_null()),
                _ => false,
            };
            let derived = value(item).map(F::encode);
            if let (false, Some(value), Value::Map(members)) = (is_set, derived, item) {
                members.insert(member.to_owned(), value);
            }
        }
    }

    /// Plans a computed value that is already certain: apply must come to the same.
    pub fn set<F: Field>(&mut self, path: &str, value: F) {
        self.put(path, value.encode());
    }

    /// Plans a computed value that only apply will know.
    pub fn set_unknown(&mut self, path: &str) {
        self.put(path, Value::UNKNOWN);
    }

    /// Plans to replace the resource, because of the attribute at a path.
    pub fn replace(&mut self, path: &str) {
        self.replace.push(Path::of(path));
    }

    fn put(&mut self, path: &str, value: Value) {
        self.settled.insert(path.to_owned());
        let mut steps = path.split('.').peekable();
        let mut attributes = &mut self.planned.0.0;
        while let Some(step) = steps.next() {
            if steps.peek().is_none() {
                attributes.insert(step.to_owned(), value);
                return;
            }
            match attributes.get_mut(step) {
                Some(Value::Map(nested)) => attributes = nested,
                // Beneath what is null or unknown there is nothing to plan.
                _ => return,
            }
        }
    }

    /// The planned state and the paths that replace the resource, after the resource's own planning.
    pub(super) fn finish(mut self, schema: &Schema) -> (Object, Vec<Path>) {
        let Some(prior) = self.prior.take() else { return (self.planned.0, vec![]) };
        for (name, attribute) in &schema.attributes {
            // With what was derived meanwhile, more may mean the same as before.
            if let Some(value) = self.planned.0.0.remove(*name) {
                self.planned.0.0.insert((*name).to_owned(), settle(attribute, value, prior.get(name)));
            }
        }
        let volatile: Vec<&str> = schema
            .attributes
            .iter()
            .filter(|(name, attribute)| {
                attribute.unset == Unset::Volatile
                    && !self.config.is_set(name)
                    && !self.settled.contains(*name)
            })
            .map(|(name, _)| *name)
            .collect();
        let changed = schema
            .attributes
            .iter()
            .any(|(name, _)| !volatile.contains(name) && prior.get(name) != self.planned.get(name));
        if changed {
            for name in volatile {
                self.planned.0.0.insert(name.to_owned(), Value::UNKNOWN);
            }
        }
        for (name, attribute) in &schema.attributes {
            replacements(
                attribute,
                prior.get(name),
                self.planned.get(name),
                &Path::of(name),
                &mut self.replace,
            );
        }
        self.replace.retain(|path| exists(prior.0.get_path(path)) || exists(self.planned.0.get_path(path)));
        (self.planned.0, self.replace)
    }

    /// What is wrong with the plan as far as the schema can tell: a bug of the provider.
    pub(super) fn bug(&self, schema: &Schema) -> Option<Diagnostic> {
        let unplanned = self.planned.0.0.keys().find(|name| schema.attribute(name).is_none())?;
        Some(Diagnostic::bug(format!(
            "A value was planned for `{unplanned}`, which the schema does not have."
        )))
    }
}

fn exists(value: Option<&Value>) -> bool {
    value.is_some()
}

impl Object {
    fn get_path(&self, path: &Path) -> Option<&Value> {
        let mut steps = path.0.iter();
        let Some(Step::Attribute(first)) = steps.next() else { return None };
        let mut value = self.0.get(first)?;
        for step in steps {
            value = match (step, value) {
                (Step::Attribute(name), Value::Map(items)) | (Step::Key(name), Value::Map(items)) => {
                    items.get(name)?
                }
                (Step::Index(index), Value::List(items)) => items.get(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }
}

/// The attributes whose change replaces the resource, and did change.
fn replacements(attribute: &Attribute, prior: &Value, planned: &Value, path: &Path, found: &mut Vec<Path>) {
    if prior == planned {
        return;
    }
    if attribute.replace {
        found.push(path.clone());
    } else if let Kind::Nested(Nesting::Single, members) = &attribute.kind {
        for (name, member) in members {
            let path = path.then(Step::Attribute((*name).to_owned()));
            replacements(member, prior.get(name), planned.get(name), &path, found);
        }
    }
}

/// The planned value of one attribute. `prior` is none where there was no object before: a value that was null is
/// known to be, which is something else.
fn plan_attribute(attribute: &Attribute, config: &Value, prior: Option<&Value>) -> Value {
    if attribute.write_only {
        return Value::Null;
    }
    let held = prior.unwrap_or(&Value::Null);
    match config {
        Value::Null if !attribute.computed => Value::Null,
        Value::Null => match (&attribute.unset, &attribute.kind) {
            (Unset::Default(value), _) => settle(attribute, value.clone(), held),
            // A derived object is made of its members' own defaults and derivations.
            (Unset::Derived, Kind::Nested(Nesting::Single, members)) => {
                plan_object(members, &Value::Map(BTreeMap::new()), object(prior))
            }
            (Unset::Derived, _) => Value::UNKNOWN,
            (Unset::Prior | Unset::Volatile, _) => prior.cloned().unwrap_or(Value::UNKNOWN),
        },
        Value::Unknown(_) => config.clone(),
        known => settle(attribute, plan_known(&attribute.kind, known, held), held),
    }
}

fn object(prior: Option<&Value>) -> Option<&Value> {
    prior.filter(|prior| matches!(prior, Value::Map(_)))
}

fn plan_known(kind: &Kind, config: &Value, prior: &Value) -> Value {
    let Kind::Nested(nesting, members) = kind else { return config.clone() };
    match (nesting, config) {
        (Nesting::Single, config) => plan_object(members, config, object(Some(prior))),
        (Nesting::List, Value::List(items)) => {
            let before: &[Value] = if let Value::List(before) = prior { before } else { &[] };
            let planned = items
                .iter()
                .enumerate()
                .map(|(index, item)| plan_object(members, item, object(before.get(index))));
            Value::List(planned.collect())
        }
        (Nesting::Set, Value::List(items)) => {
            Value::List(items.iter().map(|item| plan_object(members, item, None)).collect())
        }
        (Nesting::Map, Value::Map(items)) => {
            let planned = items
                .iter()
                .map(|(key, item)| (key.clone(), plan_object(members, item, object(Some(prior.get(key))))));
            Value::Map(planned.collect())
        }
        _ => config.clone(),
    }
}

fn plan_object(members: &[(&'static str, Attribute)], config: &Value, prior: Option<&Value>) -> Value {
    let Value::Map(_) = config else { return config.clone() };
    let planned = members.iter().map(|(name, member)| {
        ((*name).to_owned(), plan_attribute(member, config.get(name), prior.map(|prior| prior.get(name))))
    });
    Value::Map(planned.collect())
}

/// What an apply sees: the plan, with write-only values laid over it from the configuration.
pub(super) fn with_write_only(
    attributes: &[(&'static str, Attribute)],
    planned: Object,
    config: &Object,
) -> Object {
    let mut planned = Value::from(planned);
    lay_write_only(attributes, &mut planned, &config.clone().into());
    Object::from_value(planned).unwrap_or_default()
}

fn lay_write_only(members: &[(&'static str, Attribute)], planned: &mut Value, config: &Value) {
    let Value::Map(planned) = planned else { return };
    for (name, member) in members {
        if member.write_only {
            planned.insert((*name).to_owned(), config.get(name).clone());
            continue;
        }
        let (Kind::Nested(nesting, members), Some(planned)) = (&member.kind, planned.get_mut(*name)) else {
            continue;
        };
        match (nesting, planned, config.get(name)) {
            (Nesting::Single, planned, config) => lay_write_only(members, planned, config),
            (Nesting::Map, Value::Map(items), config) => {
                items.iter_mut().for_each(|(key, item)| lay_write_only(members, item, config.get(key)));
            }
            (Nesting::List, Value::List(items), Value::List(config)) => {
                items.iter_mut().zip(config).for_each(|(item, config)| lay_write_only(members, item, config));
            }
            // Terraform allows nothing write-only in a set, whose items have no place.
            _ => {}
        }
    }
}
