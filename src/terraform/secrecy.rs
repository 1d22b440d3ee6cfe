//! Values that nobody may see: they cannot be printed, and write-only ones cannot be stored.

use super::{Builder, Diagnostic, Field, Result, Value};
use std::fmt;

/// A value that Terraform hides, but keeps in its state: `Debug` prints no value.
#[derive(Clone, Default, PartialEq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// The value, for the one who needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Sensitive(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sensitive(…)")
    }
}

impl<T: Field> Field for Sensitive<T> {
    type Known = T::Known;
    fn attribute() -> Builder<T::Known> {
        T::attribute().sensitive()
    }
    fn decode(value: Value) -> Result<Self> {
        T::decode(value).map(Sensitive)
    }
    fn encode(self) -> Value {
        self.0.encode()
    }
}

/// Present while applying, never in plan or state: it encodes to null whatever it holds, and prints no value.
#[derive(Clone)]
pub struct WriteOnly<T>(Option<T>);

impl<T> Default for WriteOnly<T> {
    fn default() -> Self {
        WriteOnly(None)
    }
}

impl<T> WriteOnly<T> {
    /// The value, where the configuration has one and this is an apply.
    pub fn expose(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value.
    ///
    /// # Errors
    /// The configuration has none, although it must.
    pub fn required(&self, name: &str) -> Result<&T> {
        self.0.as_ref().ok_or_else(|| {
            Diagnostic::error(
                "A write-only value is missing",
                format!("`{name}` must be in the configuration, since it is kept nowhere else."),
            )
            .at(name)
        })
    }
}

impl<T> fmt::Debug for WriteOnly<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WriteOnly(…)")
    }
}

impl<T: Field> Field for WriteOnly<T> {
    type Known = T::Known;
    fn attribute() -> Builder<T::Known> {
        T::attribute().optional().write_only()
    }
    fn decode(value: Value) -> Result<Self> {
        match value {
            Value::Null | Value::Unknown(_) => Ok(WriteOnly(None)),
            known => T::decode(known).map(|known| WriteOnly(Some(known))),
        }
    }
    fn encode(self) -> Value {
        Value::Null
    }
}
