//! `validation` and `policy`: which manifests the registry takes; `catalog` and `tags`: how much it lists at once.

use super::{at_least_one, one_of};
use crate::{
    registry::configuration::{Section, Texts},
    terraform::Model,
};
use regex_syntax::ast::{ErrorKind, parse::Parser};

/// Which manifests the registry takes (`validation`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Validation {
    /// Whether manifests are checked at all (`validation.disabled`).
    #[tf(default = true)]
    pub enabled: bool,

    /// Regular expressions, one of which the address of a layer that lies elsewhere must match
    /// (`validation.manifests.urls.allow`). Without `allow_urls` and `deny_urls` such layers are refused.
    #[tf(default = Vec::new(), check = expressions)]
    pub allow_urls: Vec<String>,

    /// Regular expressions, none of which such an address may match (`validation.manifests.urls.deny`).
    #[tf(default = Vec::new(), check = expressions)]
    pub deny_urls: Vec<String>,

    /// Which images of an index must be there. Distribution 3.0 and later.
    pub indexes: Option<Indexes>,
}

/// Which images of an index must be there when it is pushed (`validation.manifests.indexes`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Indexes {
    /// `all`, `none`, or `list`: those of `platforms` (`platforms`).
    #[tf(default = "all", check = require)]
    pub require: String,

    /// The platforms that `list` means, such as `linux/amd64` (`platformlist`).
    #[tf(default = Vec::new(), check = platforms)]
    pub platforms: Vec<String>,
}

/// What may be in a repository (`policy.repository`).
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Policy {
    /// The classes of content that are taken: `image` or `plugin` (`policy.repository.classes`). Without it all are.
    #[tf(default = Vec::new(), check = classes)]
    pub repository_classes: Vec<String>,
}

/// How much the registry lists at once.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Limits {
    /// How many repositories a page of the catalog may have (`catalog.maxentries`). Without it 1000.
    #[tf(check = at_least_one)]
    pub catalog_page: Option<i64>,

    /// How many tags a page may have (`tags.maxtags`). Without it 1000. Distribution 3.1 and later; those before list all
    /// tags at once.
    #[tf(check = at_least_one)]
    pub tags_page: Option<i64>,
}

impl Validation {
    /// `validation`
    pub fn section(&self) -> Section {
        let urls = Section::new().with("allow", Texts(&self.allow_urls)).with("deny", Texts(&self.deny_urls));
        let manifests =
            Section::new().with("urls", urls).with("indexes", self.indexes.as_ref().map(Indexes::section));
        Section::new().with("disabled", !self.enabled).with("manifests", manifests)
    }
}

impl Indexes {
    fn section(&self) -> Section {
        let platform = |platform: &String| {
            let (os, architecture) = platform.split_once('/').unwrap_or((platform, ""));
            Section::new().with("os", os).with("architecture", architecture)
        };
        Section::new()
            .with("platforms", &self.require)
            .with("platformlist", self.platforms.iter().map(platform).collect::<Vec<_>>())
    }
}

impl Policy {
    /// `policy`
    pub fn section(&self) -> Section {
        Section::new().with("repository", Section::new().with("classes", Texts(&self.repository_classes)))
    }
}

impl Limits {
    /// `catalog` and `tags`
    pub fn sections(&self) -> Section {
        Section::new()
            .with("catalog", Section::new().with("maxentries", self.catalog_page))
            .with("tags", Section::new().with("maxtags", self.tags_page))
    }
}

/// C8: an expression that Go cannot read makes the registry panic. Go and this reader differ in little things, so only what
/// neither can read is refused.
fn expressions(expressions: &[String]) -> Result<(), String> {
    for expression in expressions {
        let Err(error) = Parser::new().parse(expression) else { continue };
        let is_wrong = matches!(
            error.kind(),
            ErrorKind::ClassUnclosed
                | ErrorKind::ClassRangeInvalid
                | ErrorKind::EscapeUnexpectedEof
                | ErrorKind::GroupUnclosed
                | ErrorKind::GroupUnopened
                | ErrorKind::RepetitionCountInvalid
                | ErrorKind::RepetitionMissing
                | ErrorKind::UnsupportedBackreference
                | ErrorKind::UnsupportedLookAround
        );
        if is_wrong {
            return Err(format!("`{expression}` is no regular expression of Go's: {} (C8)", error.kind()));
        }
    }
    Ok(())
}

fn require(require: &str) -> Result<(), String> {
    one_of(require, &["all", "none", "list"])
}

fn platforms(platforms: &[String]) -> Result<(), String> {
    let is_pair = |platform: &&String| {
        let mut parts = platform.split('/');
        let parts = [parts.next(), parts.next(), parts.next()];
        matches!(parts, [Some(os), Some(architecture), None] if !os.is_empty() && !architecture.is_empty())
    };
    match platforms.iter().find(|platform| !is_pair(platform)) {
        None => Ok(()),
        Some(_) => Err("a platform is a system and an architecture, such as `linux/amd64`".to_owned()),
    }
}

fn classes(classes: &[String]) -> Result<(), String> {
    classes.iter().try_for_each(|class| one_of(class, &["image", "plugin"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c8_what_go_cannot_read_is_refused() {
        let check = |expression: &str| expressions(&[expression.to_owned()]);
        for good in [
            "",
            "^https?://([^/]+\\.)?example\\.com/",
            "a{",
            "a{,5}",
            "\\Qa.b\\E",
            "\\pN",
            "(?i)a|b",
            "[[:alpha:]]",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["(a", "a)", "[a", "*a", "a\\", "[z-a]", "(?=a)", "(?<!a)b", "(a)\\1", "a{3,2}"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn platforms_are_pairs() {
        let check = |platform: &str| platforms(&[platform.to_owned()]);
        assert_eq!(check("linux/amd64"), Ok(()));
        for bad in ["linux", "linux/", "/amd64", "linux/arm/v7", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
