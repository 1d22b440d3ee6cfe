//! Typed peeks at a configuration of which parts may be unknown.

use crate::{
    registry::{
        Dialect,
        checks::{Given, Replicas},
        image::Reference,
    },
    resources::service::list,
    terraform::{Config, Number, Size, Value},
};

/// A configuration as the rules look at it: what is not known yet is none, and they stay silent.
#[derive(Clone, Copy)]
pub(super) struct Look<'c>(pub &'c Config);

impl<'c> Look<'c> {
    pub fn text(self, path: &str) -> Option<&'c str> {
        self.0.get(path).as_str()
    }

    /// A text, which may be left out.
    pub fn given(self, path: &str) -> Given<&'c str> {
        match self.0.get(path) {
            Value::Null => Given::Unset,
            Value::String(text) => Given::Is(text),
            _ => Given::Unknown,
        }
    }

    /// Whether something is set, if that is certain.
    pub fn is_set(self, path: &str) -> Option<bool> {
        match self.0.get(path) {
            Value::Null => Some(false),
            Value::Unknown(_) => None,
            _ => Some(true),
        }
    }

    /// Whether one of several attributes of an object is set, if that is certain.
    pub fn any_set<const N: usize>(self, object: &str, names: [&str; N]) -> Option<bool> {
        crate::registry::checks::any_set(names.map(|name| self.is_set(&format!("{object}.{name}"))))
    }

    /// A switch, which may be left out.
    pub fn flag(self, path: &str, default: bool) -> Option<bool> {
        match self.0.get(path) {
            Value::Null => Some(default),
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A number, which may be left out.
    pub fn number(self, path: &str) -> Option<i64> {
        self.0.known(path)
    }

    /// A size in bytes, which may be left out.
    pub fn bytes(self, path: &str) -> Option<i64> {
        self.0.known::<Size>(path).map(|size| size.bytes())
    }

    /// Thousand-millionths of a number.
    pub fn nano(self, path: &str) -> Option<i64> {
        self.0.known::<Number>(path)?.scaled(9)
    }

    /// One attribute of each object in a list, as text; none where it is not set or not known.
    pub fn texts(self, path: &str, member: &str) -> Vec<Option<&'c str>> {
        list(self.0.get(path)).iter().map(|item| item.get(member).as_str()).collect()
    }

    /// A port, which may be left out.
    pub fn port(self, path: &str) -> Option<u16> {
        self.number(path).and_then(|port| u16::try_from(port).ok())
    }

    /// How many tasks there are.
    pub fn replicas(self) -> Option<Replicas> {
        if self.text("mode") == Some("global") {
            return Some(Replicas::Global);
        }
        self.number("replicas").and_then(|replicas| u64::try_from(replicas).ok()).map(Replicas::Count)
    }

    /// The image, with the schema's default.
    pub fn image(self) -> Option<Reference> {
        let image = match self.given("image") {
            Given::Unknown => return None,
            Given::Unset => "registry:3",
            Given::Is(image) => image,
        };
        image.parse().ok()
    }

    /// The version of Distribution, if it can be told.
    pub fn dialect(self) -> Option<Dialect> {
        match self.given("distribution") {
            Given::Unknown => None,
            Given::Is(dialect) => dialect.parse().ok(),
            Given::Unset => Dialect::of_tag(self.image()?.effective_tag()?),
        }
    }

    /// A published port.
    pub fn number_of(value: &Value) -> Option<u16> {
        match value {
            Value::Number(number) => Number::to_i64(number).and_then(|port| u16::try_from(port).ok()),
            _ => None,
        }
    }
}
