//! What travels on the wire: a dynamic value that may be null or not yet known.

use super::{Diagnostic, Field, Number, Result, Type};
use std::{collections::BTreeMap, fmt};

/// A dynamic value. Its [`Type`] is known from the schema, so a list, a set and a tuple look alike.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// Absent.
    #[default]
    Null,
    /// Not known before apply, perhaps with what is known of it already.
    Unknown(Option<Box<Refinement>>),
    /// A `bool`.
    Bool(bool),
    /// A `number`.
    Number(Number),
    /// A `string`.
    String(String),
    /// A list, a set or a tuple.
    List(Vec<Value>),
    /// A map or an object.
    Map(BTreeMap<String, Value>),
    /// A value of a dynamically typed attribute, with its own type.
    Dynamic(Box<(Type, Value)>),
}

/// What is known of a value that is not known yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refinement {
    /// It will not be null.
    pub not_null: bool,
    /// It will be a string that begins so.
    pub prefix: Option<String>,
    /// It will be a number not below this (`true`: it may be equal).
    pub lower: Option<(Number, bool)>,
    /// It will be a number not above this (`true`: it may be equal).
    pub upper: Option<(Number, bool)>,
    /// It will be a collection of at least so many elements.
    pub min_length: Option<u64>,
    /// It will be a collection of at most so many elements.
    pub max_length: Option<u64>,
}

impl Value {
    /// A value of which nothing is known.
    pub const UNKNOWN: Value = Value::Unknown(None);

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this value itself is unknown; its elements may be although it is not.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown(_))
    }

    /// Whether neither this value nor anything in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Value::Unknown(_) => false,
            Value::List(items) => items.iter().all(Value::is_wholly_known),
            Value::Map(items) => items.values().all(Value::is_wholly_known),
            Value::Dynamic(typed) => typed.1.is_wholly_known(),
            _ => true,
        }
    }

    /// The text, if this is a known string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The attribute of an object or the element of a map; null where there is none.
    pub fn get(&self, name: &str) -> &Value {
        match self {
            Value::Map(items) => items.get(name).unwrap_or(&Value::Null),
            _ => &Value::Null,
        }
    }

    /// What kind of value it is, for messages: a message never shows the value.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Unknown(_) => "an unknown value",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Dynamic(_) => "a dynamic value",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

/// A value of JSON, all of which is known.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(value),
            // Every number of JSON is one of Terraform's.
            Json::Number(number) => number.to_string().parse().map_or(Value::Null, Value::Number),
            Json::String(text) => Value::String(text),
            Json::Array(items) => Value::List(items.into_iter().map(Value::from).collect()),
            Json::Object(items) => {
                Value::Map(items.into_iter().map(|(key, item)| (key, Value::from(item))).collect())
            }
        }
    }
}

/// Prints the kind only, so that no log line and no panic message can carry a value. Tests see it all.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !cfg!(test) {
            return f.write_str(self.kind());
        }
        match self {
            Value::Null => f.write_str("null"),
            Value::Unknown(None) => f.write_str("unknown"),
            Value::Unknown(Some(refinement)) => write!(f, "unknown {refinement:?}"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(value) => fmt::Display::fmt(value, f),
            Value::String(value) => value.fmt(f),
            Value::List(items) => f.debug_list().entries(items).finish(),
            Value::Map(items) => f.debug_map().entries(items).finish(),
            Value::Dynamic(typed) => write!(f, "{:?} as {:?}", typed.1, typed.0),
        }
    }
}

/// The attributes of one object by name; what is not there is null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(pub BTreeMap<String, Value>);

impl Object {
    /// The value of an attribute; null where there is none.
    pub fn get(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }

    /// Takes an attribute out, as the Rust type that stands for it.
    ///
    /// # Errors
    /// The value is of another type; the diagnostic has the attribute's path.
    pub fn take<F: Field>(&mut self, name: &str) -> Result<F> {
        F::decode(self.0.remove(name).unwrap_or_default()).map_err(|error| error.under(name))
    }

    /// Puts an attribute in.
    pub fn put<F: Field>(&mut self, name: &str, field: F) {
        self.0.insert(name.to_owned(), field.encode());
    }

    /// The object that a value is.
    ///
    /// # Errors
    /// The value is no object.
    pub fn from_value(value: Value) -> Result<Self> {
        match value {
            Value::Map(attributes) => Ok(Object(attributes)),
            other => Err(Diagnostic::wrong_type("an object", &other)),
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Map(object.0)
    }
}
