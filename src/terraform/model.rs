//! Which struct is which object.

use super::{Attribute, Object, Result};

/// A struct that is an object of a schema: `#[derive(Model)]` makes the three from its fields.
///
/// The type of a field says whether the attribute is required (`T`), optional (`Option<T>`), computed
/// ([`Computed<T>`](super::Computed)), write-only ([`WriteOnly<T>`](super::WriteOnly)) or sensitive
/// ([`Sensitive<T>`](super::Sensitive)). Its doc comment is the published documentation.
/// `#[tf(…)]` holds what a type cannot say: each option is a method of [`Builder`](super::Builder).
pub trait Model: Sized {
    /// The struct's doc comment.
    const DOCS: &'static str;

    /// The attributes, in the order of the fields.
    fn attributes() -> Vec<(&'static str, Attribute)>;

    /// The struct that an object of values is.
    ///
    /// # Errors
    /// A value is of another type than its field; the diagnostic has its path.
    fn decode(object: Object) -> Result<Self>;

    /// The object of values that the struct is. What is computed and not set yet is unknown.
    fn encode(self) -> Object;
}
