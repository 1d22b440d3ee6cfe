//! Versions of the Engine API, and the agreement on one.

use super::error::{Error, Result};
use std::{fmt, str::FromStr};

/// A version of the Engine API, such as 1.41: major and minor, compared in that order.
///
/// The Engine's own version (`20.10.24+dfsg1`) is free text and decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(pub u16, pub u16);

impl ApiVersion {
    /// The oldest version that is spoken: Engine 20.10, the first with job modes and `CapabilityAdd`.
    pub const OLDEST: Self = Self(1, 41);

    /// The newest version that is asked for (Engine 29.0).
    ///
    /// The highest common version is always used, for an Engine drops fields that are newer than the version
    /// of the request, and so a low version would reset what others have set.
    pub const NEWEST: Self = Self(1, 52);
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Text that is no version of the form `1.41`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version of the Engine API, such as 1.41")]
pub struct NotAVersion(pub String);

impl FromStr for ApiVersion {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let parse = || {
            let (major, minor) = text.trim().split_once('.')?;
            Some(Self(major.parse().ok()?, minor.parse().ok()?))
        };
        parse().ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

/// Answers the version to speak with an Engine that offers `newest` down to `oldest`.
///
/// # Errors
/// [`Error::NoCommonVersion`] where the two ranges do not meet.
pub(super) fn agree(host: &str, newest: ApiVersion, oldest: Option<ApiVersion>) -> Result<ApiVersion> {
    let version = newest.min(ApiVersion::NEWEST);
    let oldest = oldest.unwrap_or(ApiVersion::OLDEST).max(ApiVersion::OLDEST);
    if version >= oldest {
        return Ok(version);
    }
    Err(Error::NoCommonVersion { host: host.to_owned(), engine_newest: newest, engine_oldest: oldest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(major: u16, minor: u16) {
            let version = ApiVersion(major, minor);
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }
    }

    fn agreed(newest: &str, oldest: &str) -> Result<ApiVersion, String> {
        agree("unix:///s", newest.parse().unwrap(), Some(oldest.parse().unwrap()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_highest_common_version_is_spoken() {
        assert_eq!(agreed("1.41", "1.12"), Ok(ApiVersion(1, 41)));
        assert_eq!(agreed("1.45", "1.24"), Ok(ApiVersion(1, 45)));
        assert_eq!(agreed("1.52", "1.44"), Ok(ApiVersion::NEWEST), "Engine 29.0 raised its minimum");
        assert_eq!(agreed("1.54", "1.40"), Ok(ApiVersion::NEWEST));
    }

    #[test]
    fn what_cannot_meet_is_refused_in_words() {
        let old = agreed("1.40", "1.12").unwrap_err();
        assert!(old.contains("1.40") && old.contains("20.10"), "{old}");
        let new = agreed("1.70", "1.60").unwrap_err();
        assert!(new.contains("1.60") && new.contains("newer"), "{new}");
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(ApiVersion(1, 9) < ApiVersion(1, 41));
        assert!("1".parse::<ApiVersion>().is_err() && "1.x".parse::<ApiVersion>().is_err());
    }
}
