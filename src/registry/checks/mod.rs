//! What can be told from a deployment's configuration alone: whether it would lose images, stand open, or never start.
//!
//! Each rule is pure, bears a stable name, and says what to do instead. What is not known yet is given as `None`, and
//! the rules that need it stay silent; they are asked again when everything is known.

mod environment;
mod publishing;
mod storage;
mod updates;

pub use environment::{environment, templates};
pub use publishing::{Access, Port, PublishMode, access, ports, url};
pub use storage::{Filesystem, Mount, StorageUse, storage};
pub use updates::{FailureAction, Updates, updates};

use super::{Dialect, Finding, image::Reference};

/// How many tasks a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// One on every node that satisfies the constraints.
    Global,
    /// So many.
    Count(u64),
}

impl Replicas {
    /// Whether there may be more than one task. A global service counts as many.
    pub fn are_many(self) -> bool {
        !matches!(self, Self::Count(0 | 1))
    }

    fn in_words(self) -> String {
        match self {
            Self::Global => "The tasks of a global service".to_owned(),
            Self::Count(count) => format!("{count} replicas"),
        }
    }
}

/// P22: the dialect, from `distribution` if that is set, else from the image's tag.
///
/// # Errors
/// The finding to report where neither tells.
pub fn dialect(distribution: Option<Dialect>, image: &Reference) -> Result<Dialect, Finding> {
    distribution.or_else(|| image.effective_tag().and_then(Dialect::of_tag)).ok_or_else(|| {
        Finding::error(
            "P22",
            "distribution",
            format!(
                "It can't be told from the image {image} which version of Distribution is in it, and the configuration \
                 file depends on that. Set distribution to \"2.8\", \"3.0\" or \"3.1\", or use a tag such as \
                 registry:3."
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_the_dialect_must_be_known() {
        let image = |text: &str| text.parse::<Reference>().unwrap();
        assert_eq!(dialect(None, &image("registry:2.8.3")), Ok(Dialect::V2_8));
        assert_eq!(dialect(Some(Dialect::V3_0), &image("hub.local/own:latest")), Ok(Dialect::V3_0));
        for text in ["registry", "registry:latest", "hub.local/own:1"] {
            let finding = dialect(None, &image(text)).unwrap_err();
            assert_eq!((finding.code, finding.is_error()), ("P22", true));
        }
    }
}
