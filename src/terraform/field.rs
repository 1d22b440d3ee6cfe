//! How a Rust type reads as an attribute: `T` is required, `Option<T>` optional, [`Computed<T>`] computed.

use super::{Builder, Diagnostic, Kind, Model, Nesting, Number, Object, Result, Step, Type, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A Rust type that can be an attribute.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a Terraform attribute",
    label = "not an attribute type",
    note = "use bool, i64, Number, String, Duration, Size, Vec<T>, BTreeSet<T>, BTreeMap<String, T> or a `#[derive(Model)]` struct, or one of them in Option, Computed, Sensitive or WriteOnly"
)]
pub trait Field: Sized {
    /// The type of a known value: `String` for `Option<String>`.
    type Known;

    /// The attribute, before its options.
    fn attribute() -> Builder<Self::Known>;

    /// Reads a value.
    ///
    /// # Errors
    /// The value is of another type, or does not mean anything in it. The diagnostic does not show it.
    fn decode(value: Value) -> Result<Self>;

    /// The value.
    fn encode(self) -> Value;
}

impl Field for bool {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(Kind::Plain(Type::Bool))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::Bool(known) => Ok(known),
            other => Err(Diagnostic::wrong_type("a bool", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::Bool(self)
    }
}

impl Field for String {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(Kind::Plain(Type::String))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::String(known) => Ok(known),
            other => Err(Diagnostic::wrong_type("a string", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::String(self)
    }
}

impl Field for Number {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(Kind::Plain(Type::Number))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::Number(known) => Ok(known),
            other => Err(Diagnostic::wrong_type("a number", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::Number(self)
    }
}

impl Field for i64 {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Number::attribute().of::<Self>().must_decode()
    }
    fn decode(value: Value) -> Result<Self> {
        Number::decode(value)?
            .to_i64()
            .ok_or_else(|| Diagnostic::error("Wrong number", "A whole number of at most 63 bits is wanted."))
    }
    fn encode(self) -> Value {
        Value::Number(self.into())
    }
}

impl<T: Field> Field for Vec<T> {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(T::attribute().kind().clone().collected(Nesting::List))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::List(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| T::decode(item).map_err(|error| error.beneath(Step::Index(index))))
                .collect(),
            other => Err(Diagnostic::wrong_type("a list", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::List(self.into_iter().map(T::encode).collect())
    }
}

impl<T: Field + Ord> Field for BTreeSet<T> {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(T::attribute().kind().clone().collected(Nesting::Set))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            // A path has no step for an element of a set: it ends at the set.
            Value::List(items) => items.into_iter().map(T::decode).collect(),
            other => Err(Diagnostic::wrong_type("a set", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::List(self.into_iter().map(T::encode).collect())
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    type Known = Self;
    fn attribute() -> Builder<Self> {
        Builder::new(T::attribute().kind().clone().collected(Nesting::Map))
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::Map(items) => items
                .into_iter()
                .map(|(key, item)| match T::decode(item) {
                    Ok(item) => Ok((key, item)),
                    Err(error) => Err(error.beneath(Step::Key(key))),
                })
                .collect(),
            other => Err(Diagnostic::wrong_type("a map", &other)),
        }
    }
    fn encode(self) -> Value {
        Value::Map(self.into_iter().map(|(key, item)| (key, item.encode())).collect())
    }
}

/// A nested model is an object.
impl<M: Model> Field for M {
    type Known = M;
    fn attribute() -> Builder<M> {
        Builder::new(Kind::Nested(Nesting::Single, M::attributes()))
    }
    fn decode(value: Value) -> Result<Self> {
        M::decode(Object::from_value(value)?)
    }
    fn encode(self) -> Value {
        M::encode(self).into()
    }
}

impl<T: Field> Field for Option<T> {
    type Known = T::Known;
    fn attribute() -> Builder<T::Known> {
        T::attribute().optional()
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            // What the configuration leaves to the server is not there yet.
            Value::Null | Value::Unknown(_) => Ok(None),
            known => T::decode(known).map(Some),
        }
    }
    fn encode(self) -> Value {
        self.map_or(Value::Null, T::encode)
    }
}

/// Decided by the provider: unset in a plan, set once the object exists.
///
/// Unset encodes as unknown: whoever encodes decides what becomes of it (a bug after a success, null after
/// a failure).
#[derive(Clone, Debug, PartialEq)]
pub struct Computed<T>(Option<T>);

impl<T> Default for Computed<T> {
    fn default() -> Self {
        Computed(None)
    }
}

impl<T> From<T> for Computed<T> {
    fn from(value: T) -> Self {
        Computed(Some(value))
    }
}

impl<T> Computed<T> {
    /// The value.
    ///
    /// # Errors
    /// It is not set yet: a bug of the provider, since the object does not exist then.
    pub fn get(&self) -> Result<&T> {
        self.0.as_ref().ok_or_else(|| Diagnostic::bug("A computed value was read before it was set."))
    }

    /// The value, if it is set.
    pub fn known(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T: Field> Field for Computed<T> {
    type Known = T::Known;
    fn attribute() -> Builder<T::Known> {
        T::attribute().computed_whole()
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::Unknown(_) => Ok(Computed(None)),
            // Null is a value where the type has one for it; else nothing was set before the object failed.
            Value::Null => Ok(Computed(T::decode(Value::Null).ok())),
            known => T::decode(known).map(Computed::from),
        }
    }
    fn encode(self) -> Value {
        self.0.map_or(Value::UNKNOWN, T::encode)
    }
}
