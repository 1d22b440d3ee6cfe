//! A lie that a test plants, to see that it is found: in debug builds only.

use crate::terraform::{Object, Value};
use std::sync::LazyLock;

/// `unread TYPE ATTRIBUTE`: the attribute is not read back.
const LIE: &str = "SWARM_PLANT_LIE";

static PLANTED: LazyLock<Option<String>> =
    LazyLock::new(|| if cfg!(debug_assertions) { std::env::var(LIE).ok() } else { None });

/// An attribute that is not to be read back, with its value from before.
pub(super) struct Unread(Option<(&'static str, Value)>);

impl Unread {
    pub(super) fn of(r#type: &str, before: &Object) -> Self {
        let planted = PLANTED.as_deref().and_then(|lie| lie.strip_prefix("unread "));
        let attribute = planted.and_then(|lie| lie.strip_prefix(r#type)).map(str::trim_start);
        Unread(attribute.map(|attribute| (attribute, before.get(attribute).clone())))
    }

    /// Puts the value from before into what was read.
    pub(super) fn put_back(self, found: &mut Option<Object>) {
        if let (Some((attribute, before)), Some(found)) = (self.0, found) {
            found.0.insert(attribute.to_owned(), before);
        }
    }
}
