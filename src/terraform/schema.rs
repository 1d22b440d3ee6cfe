//! The schema: what Terraform is told about each attribute. Every `#[tf(…)]` option is a method of [`Builder`].

use super::{Field, Object, Type, Value};
use std::{borrow::Borrow, fmt, marker::PhantomData, sync::Arc};

/// The schema of a resource, or of the provider block.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Raised when stored states must be upgraded.
    pub version: i64,
    /// What it is, for the published documentation: Markdown.
    pub docs: &'static str,
    /// The attributes, in the order in which the documentation shows them.
    pub attributes: Vec<(&'static str, Attribute)>,
}

impl Schema {
    /// The type of the object that the attributes make.
    pub fn object_type(&self) -> Type {
        object_type(&self.attributes)
    }

    /// A state in which what has a default has it: attributes that were not there yet when it was stored are null.
    pub fn completed(&self, state: Object) -> Object {
        match completed(&self.attributes, state.into()) {
            Value::Map(attributes) => Object(attributes),
            _ => Object::default(),
        }
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|(own, _)| *own == name).map(|(_, attribute)| attribute)
    }
}

fn completed(members: &[(&'static str, Attribute)], object: Value) -> Value {
    let Value::Map(mut object) = object else { return object };
    for (name, member) in members {
        let value = object.remove(*name).unwrap_or_default();
        let value = match (value, &member.unset, &member.kind) {
            (Value::Null, Unset::Default(default), _) if member.computed => default.clone(),
            (Value::List(items), _, Kind::Nested(_, members)) => {
                Value::List(items.into_iter().map(|item| completed(members, item)).collect())
            }
            (Value::Map(items), _, Kind::Nested(Nesting::Map, members)) => {
                Value::Map(items.into_iter().map(|(key, item)| (key, completed(members, item))).collect())
            }
            (object, _, Kind::Nested(Nesting::Single, members)) => completed(members, object),
            (value, ..) => value,
        };
        object.insert((*name).to_owned(), value);
    }
    Value::Map(object)
}

fn object_type(attributes: &[(&'static str, Attribute)]) -> Type {
    Type::Object(
        attributes
            .iter()
            .map(|(name, attribute)| ((*name).to_owned(), attribute.kind.value_type()))
            .collect(),
    )
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A value of a type.
    Plain(Type),
    /// An object with attributes of its own, or several.
    Nested(Nesting, Vec<(&'static str, Attribute)>),
}

/// How many objects a nested attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One.
    Single,
    /// A list of them.
    List,
    /// A set of them.
    Set,
    /// A map of them.
    Map,
}

impl Kind {
    /// The type of the values.
    pub fn value_type(&self) -> Type {
        match self {
            Kind::Plain(plain) => plain.clone(),
            Kind::Nested(nesting, attributes) => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::list(object),
                    Nesting::Set => Type::set(object),
                    Nesting::Map => Type::map(object),
                }
            }
        }
    }

    /// A list, set or map of what this is.
    pub fn collected(self, nesting: Nesting) -> Self {
        match self {
            Kind::Nested(Nesting::Single, attributes) => Kind::Nested(nesting, attributes),
            other => Kind::Plain(match nesting {
                Nesting::Single => other.value_type(),
                Nesting::List => Type::list(other.value_type()),
                Nesting::Set => Type::set(other.value_type()),
                Nesting::Map => Type::map(other.value_type()),
            }),
        }
    }
}

/// What is planned for a computed attribute that the configuration leaves out.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Unset {
    /// The prior value; unknown when there is none. For what only the server knows.
    #[default]
    Prior,
    /// The prior value, but unknown as soon as anything else changes.
    Volatile,
    /// This value, never the prior one, so that drift shows.
    Default(Value),
    /// What the resource's [`plan`](super::Resource::plan) makes of the rest of the configuration.
    Derived,
}

type Check = Arc<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// One attribute of a schema.
#[derive(Clone)]
pub struct Attribute {
    /// What it is, for the published documentation: Markdown, full sentences.
    pub docs: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The configuration must set it.
    pub required: bool,
    /// The configuration may set it.
    pub optional: bool,
    /// The provider may set it.
    pub computed: bool,
    /// Terraform hides it in its output.
    pub sensitive: bool,
    /// It is in the configuration only, and in neither plan nor state.
    pub write_only: bool,
    /// A change of it replaces the resource.
    pub replace: bool,
    /// Why it should no longer be used, and what to use.
    pub deprecated: Option<&'static str>,
    /// What is planned where the configuration leaves it out, if it is computed.
    pub unset: Unset,
    /// It is a list whose order means nothing: a permutation is no difference.
    pub unordered: bool,
    /// Whether two known values mean the same, where that is more than equality.
    pub same: Option<fn(&Value, &Value) -> bool>,
    /// What a known value must satisfy.
    pub checks: Vec<Check>,
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attribute").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// An [`Attribute`] in the making, generic over the Rust type of a *known* value, so that defaults and
/// checks are typed. Its methods are the options of `#[tf(…)]`.
pub struct Builder<T> {
    attribute: Attribute,
    known: PhantomData<fn() -> T>,
}

impl<T> Builder<T> {
    /// A required attribute.
    pub fn new(kind: Kind) -> Self {
        Builder {
            attribute: Attribute {
                docs: "",
                kind,
                required: true,
                optional: false,
                computed: false,
                sensitive: false,
                write_only: false,
                replace: false,
                deprecated: None,
                unset: Unset::Prior,
                unordered: false,
                same: None,
                checks: vec![],
            },
            known: PhantomData,
        }
    }

    /// What it holds.
    pub fn kind(&self) -> &Kind {
        &self.attribute.kind
    }

    /// The documentation; the derive passes the doc comment.
    pub fn docs(mut self, docs: &'static str) -> Self {
        self.attribute.docs = docs;
        self
    }

    /// The configuration may leave it out.
    pub fn optional(mut self) -> Self {
        self.attribute.required = false;
        self.attribute.optional = true;
        self
    }

    /// The provider sets it.
    pub fn computed(mut self) -> Self {
        self.attribute.required = false;
        self.attribute.computed = true;
        self
    }

    /// The provider sets it, with all that is in it.
    pub fn computed_whole(mut self) -> Self {
        fn only_computed(kind: &mut Kind) {
            if let Kind::Nested(_, members) = kind {
                for (_, member) in members {
                    (member.required, member.optional, member.computed) = (false, false, true);
                    (member.replace, member.unset) = (false, Unset::Prior);
                    only_computed(&mut member.kind);
                }
            }
        }
        only_computed(&mut self.attribute.kind);
        self.attribute.optional = false;
        self.computed()
    }

    /// It is read from the configuration only.
    pub fn write_only(mut self) -> Self {
        self.attribute.write_only = true;
        self.sensitive()
    }

    /// A change of it replaces the resource.
    pub fn replace(mut self) -> Self {
        self.attribute.replace = true;
        self
    }

    /// Terraform hides it in its output.
    pub fn sensitive(mut self) -> Self {
        self.attribute.sensitive = true;
        self
    }

    /// Setting it warns, with this text.
    pub fn deprecated(mut self, instead: &'static str) -> Self {
        self.attribute.deprecated = Some(instead);
        self
    }

    /// A computed value that may change whenever anything else of the resource does.
    pub fn volatile(mut self) -> Self {
        self.attribute.unset = Unset::Volatile;
        self.computed()
    }

    /// Where the configuration leaves it out, the resource's plan derives it from the rest.
    pub fn derived(mut self) -> Self {
        self.attribute.unset = Unset::Derived;
        self.optional().computed()
    }

    /// The order of this list means nothing.
    pub fn unordered(mut self) -> Self {
        self.attribute.unordered = true;
        self
    }

    /// Two known values that mean the same are no difference.
    pub fn same(mut self, same: fn(&Value, &Value) -> bool) -> Self {
        self.attribute.same = Some(same);
        self
    }

    /// The value where the configuration has none.
    pub fn default(mut self, value: impl Into<T>) -> Self
    where
        T: Field,
    {
        self.attribute.unset = Unset::Default(value.into().encode());
        self.optional().computed()
    }

    /// Refuses a known value before the plan; unknown and null values are not checked.
    pub fn check<B: ?Sized + 'static>(mut self, check: fn(&B) -> Result<(), String>) -> Self
    where
        T: Field + Borrow<B> + 'static,
    {
        self.attribute.checks.push(Arc::new(move |value| match T::decode(value.clone()) {
            Ok(known) if value.is_wholly_known() => check(known.borrow()),
            // What is not wholly known, or of another type, is not for this check to judge.
            _ => Ok(()),
        }));
        self
    }

    /// Refuses a known value that does not read as one of its type.
    pub(super) fn must_decode(mut self) -> Self
    where
        T: Field + 'static,
    {
        self.attribute
            .checks
            .push(Arc::new(|value| T::decode(value.clone()).map(|_| ()).map_err(|error| error.detail)));
        self
    }

    /// The same attribute, of another Rust type.
    pub fn of<U>(self) -> Builder<U> {
        Builder { attribute: self.attribute, known: PhantomData }
    }

    /// The same attribute, holding something else.
    pub fn holding<U>(mut self, kind: Kind) -> Builder<U> {
        self.attribute.kind = kind;
        self.of()
    }

    /// The attribute.
    pub fn build(self) -> Attribute {
        self.attribute
    }
}
