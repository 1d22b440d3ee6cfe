//! Which struct is which object.

use super::{Attribute, Object, Result, Schema, managed::with_defaults, plan::with_write_only};

/// A struct that is an object of a schema: `#[derive(Model)]` makes it from its fields.
///
/// A field with `#[tf(flatten)]` is a model whose attributes stand among the struct's own: what several resources have
/// in common is written once.
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

    /// The struct that an object of values is, whose other attributes it leaves there.
    ///
    /// # Errors
    /// A value is of another type than its field; the diagnostic has its path.
    fn take_from(object: &mut Object) -> Result<Self>;

    /// Puts the struct's values into an object. What is computed and not set yet is unknown.
    fn put_into(self, object: &mut Object);

    /// The struct that an object of values is.
    ///
    /// # Errors
    /// Those of [`Model::take_from`].
    fn decode(mut object: Object) -> Result<Self> {
        Self::take_from(&mut object)
    }

    /// The object of values that the struct is. What is computed and not set yet is unknown.
    fn encode(self) -> Object {
        let mut object = Object::default();
        self.put_into(&mut object);
        object
    }

    /// The struct that a configuration alone makes, as an apply of it would see it: with the schema's defaults where it is
    /// silent, and nothing where those are a matter of planning.
    ///
    /// # Errors
    /// Those of [`Model::take_from`].
    fn configured(config: Object) -> Result<Self> {
        let schema = Schema { version: 0, docs: Self::DOCS, attributes: Self::attributes() };
        let planned = with_defaults(&schema, config.clone());
        Self::decode(with_write_only(&schema.attributes, planned, &config))
    }
}
