//! What all objects of the Engine API have in common.

use serde::{Deserialize, Serialize};

/// Fields that this provider does not know. They are kept, so that what is read, changed and written back loses
/// nothing that a newer Engine or another client has put there.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// The version index of an object, which an update has to name. It moves without us, so it is never kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// The index in the swarm's log. Engines leave a zero out.
    #[serde(rename = "Index", default)]
    pub index: u64,
}

/// Declares objects of the Engine API: every field is optional, is left out when it is `None`, and has the name of
/// the API in its spelling unless it says otherwise; unknown fields are kept in `extra`.
macro_rules! engine_object {
    ($($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(
                $(#[$field_about])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
            /// Fields that this provider does not know.
            #[serde(flatten)]
            pub extra: $crate::docker::object::Extra,
        }
    )*};
}
pub(super) use engine_object;

/// Declares words of the Engine API as an enum that also holds words that are not known yet.
///
/// bollard's enums have no such variant, and there one new word makes a whole list unreadable.
macro_rules! engine_words {
    ($($(#[$about:meta])* $name:ident { $($(#[$word_about:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_about])* #[serde(rename = $word)] $variant,)*
            /// A word that this provider does not know.
            #[serde(untagged)]
            Other(String),
        }

        impl $name {
            /// The word of the Engine API.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::Other(String::new())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}
pub(super) use engine_words;

/// Reads `null` as the default: Go writes an absent list or map so.
pub(super) fn null_as_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(input)?.unwrap_or_default())
}
