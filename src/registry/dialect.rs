//! Distribution's configuration dialects.

use std::{fmt, str::FromStr};

/// The dialect of Distribution's configuration file that an image speaks.
///
/// Keys came and went between these versions, and the registry ignores unknown ones without a word, so whoever
/// renders a file must know which one reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Distribution 2.x; the official images `registry:2`, `registry:2.8`, `registry:2.8.3`.
    V2_8,
    /// Distribution 3.0.
    V3_0,
    /// Distribution 3.1 and what follows it in the 3 line.
    V3_1,
}

impl Dialect {
    /// All dialects, oldest first.
    pub const ALL: [Self; 3] = [Self::V2_8, Self::V3_0, Self::V3_1];

    /// The dialect that an image tag promises; `None` where a tag promises nothing.
    ///
    /// `latest` moved from 2 to 3 in 2025, and a missing tag means `latest`, so neither can be told. A bare `3`
    /// and any newer 3.x are read as the newest known. A leading `v` and a suffix such as `-alpine` don't matter.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let version = tag.strip_prefix('v').unwrap_or(tag);
        let version = version.split_once(['-', '_']).map_or(version, |(version, _)| version);
        let mut numbers = version.split('.').map(number);
        let major = numbers.next()??;
        let minor = match numbers.next() {
            Some(minor) => Some(minor?),
            None => None,
        };
        match (major, minor) {
            (2, _) => Some(Self::V2_8),
            (3, Some(0)) => Some(Self::V3_0),
            (3, _) => Some(Self::V3_1),
            _ => None,
        }
    }

    /// Whether this is Distribution 3.
    pub fn is_3(self) -> bool {
        self >= Self::V3_0
    }

    /// What the container's environment needs in this dialect beside the configuration file.
    ///
    /// Distribution 3 sends traces to `localhost:4318` unless told otherwise and logs an error for each
    /// (distribution issue 4270); images built before 2025-07-09 don't tell it.
    pub fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V2_8 => &[],
            Self::V3_0 | Self::V3_1 => &[("OTEL_TRACES_EXPORTER", "none")],
        }
    }
}

fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V2_8 => "2.8",
            Self::V3_0 => "3.0",
            Self::V3_1 => "3.1",
        })
    }
}

/// A word that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Distribution dialect; choose \"2.8\", \"3.0\" or \"3.1\"")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.to_string() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_promise_a_dialect() {
        for (tag, dialect) in [
            ("2", Dialect::V2_8),
            ("2.8", Dialect::V2_8),
            ("2.8.3", Dialect::V2_8),
            ("v2.8.3", Dialect::V2_8),
            ("2.7.1", Dialect::V2_8),
            ("3", Dialect::V3_1),
            ("3.0", Dialect::V3_0),
            ("3.0.0", Dialect::V3_0),
            ("3.0.0-rc.1", Dialect::V3_0),
            ("3.1.1", Dialect::V3_1),
            ("3.7", Dialect::V3_1),
            ("3-alpine", Dialect::V3_1),
        ] {
            assert_eq!(Dialect::of_tag(tag), Some(dialect), "{tag}");
        }
    }

    #[test]
    fn tags_that_promise_nothing() {
        for tag in ["latest", "", "edge", "1", "0.9.1", "4", "3.x", "2.", "20", "main", "v", "+2", "-3"] {
            assert_eq!(Dialect::of_tag(tag), None, "{tag}");
        }
    }

    #[test]
    fn names_go_both_ways() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert!("3".parse::<Dialect>().is_err());
    }
}
