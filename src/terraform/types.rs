//! The type of a value.

use std::collections::BTreeMap;

/// A type constraint as Terraform has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// `any`: each value carries its own type.
    Dynamic,
    /// `list(…)`.
    List(Box<Type>),
    /// `set(…)`.
    Set(Box<Type>),
    /// `map(…)`, with string keys.
    Map(Box<Type>),
    /// `tuple([…])`.
    Tuple(Vec<Type>),
    /// `object({…})`: every attribute is always there, if only as null.
    Object(BTreeMap<String, Type>),
}

impl Type {
    /// `list(item)`.
    pub fn list(item: Type) -> Self {
        Type::List(Box::new(item))
    }

    /// `set(item)`.
    pub fn set(item: Type) -> Self {
        Type::Set(Box::new(item))
    }

    /// `map(item)`.
    pub fn map(item: Type) -> Self {
        Type::Map(Box::new(item))
    }
}
