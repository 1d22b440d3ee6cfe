//! `swarm_registry_tags`: the tags of a repository.

use crate::docker::Docker;
use crate::resources::{RegistryAccess, refusal, repository_name};
use crate::terraform::{Computed, Context, Diagnostic, Model, Result, Source};
use regex_lite::Regex;
use semver::Version;
use std::cmp::Ordering;

/// The tags of a repository, all or those that match.
#[derive(Debug, Model)]
pub struct SwarmRegistryTagsData {
    /// The registry.
    registry: RegistryAccess,

    /// Name of the repository, such as `library/alpine`.
    #[tf(check = repository_name)]
    repository: String,

    /// Regular expression that a tag must match, such as `^3\.`. It may match any part of the tag.
    #[tf(check = expression)]
    filter: Option<String>,

    /// Order of the tags. `name`: letter by letter. `version`: what is no version first, then the versions from the lowest
    /// to the highest, as semantic versioning has them; `v1.2`, `1.2` and `1.2.0` are the same version.
    #[tf(default = "name", check = order)]
    order: String,

    /// The tags.
    tags: Computed<Vec<String>>,

    /// The tag with the highest version among them, or null where none is a version. A version with something after it,
    /// such as `3.20.1-rc1`, counts only where all have that.
    latest: Computed<Option<String>>,
}

impl Source for SwarmRegistryTagsData {
    const TYPE: &'static str = "swarm_registry_tags";
    type Client = Docker;

    async fn read(&mut self, context: &mut Context<Docker>) -> Result<()> {
        let registry = self.registry.open(&context.client).await.map_err(|error| error.under("registry"))?;
        let what = || format!("list the tags of {}/{}", registry.registry(), self.repository);
        let mut tags = registry.tags(&self.repository).await.map_err(|error| {
            let at = if error.is_not_found() { "repository" } else { "registry" };
            refusal(&what(), &error).at(at)
        })?;
        if let Some(filter) = &self.filter {
            let filter = Regex::new(filter).map_err(|error| {
                Diagnostic::error("The filter cannot be used", format!("{error}.")).at("filter")
            })?;
            tags.retain(|tag| filter.is_match(tag));
        }
        tags.sort();
        tags.dedup();
        let by_version = by_version(&tags);
        self.latest = latest(&by_version).into();
        self.tags = if self.order == "version" { by_version } else { tags }.into();
        Ok(())
    }
}

fn expression(text: &str) -> Result<(), String> {
    Regex::new(text).map(drop).map_err(|error| format!("it is no regular expression: {error}"))
}

fn order(order: &str) -> Result<(), String> {
    match order {
        "name" | "version" => Ok(()),
        _ => Err("an order is `name` or `version`".to_owned()),
    }
}

/// The version that a tag is, if it is one: with `v` or without, and with one number at least.
fn version(tag: &str) -> Option<Version> {
    let text = tag.strip_prefix('v').unwrap_or(tag);
    let (numbers, rest) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let missing = match numbers.split('.').count() {
        1 => ".0.0",
        2 => ".0",
        _ => "",
    };
    Version::parse(&format!("{numbers}{missing}{rest}")).ok()
}

/// What is no version first, then the versions; of those that are the same, the shorter first.
fn by_version(tags: &[String]) -> Vec<String> {
    let mut keyed: Vec<(Option<Version>, &String)> = tags.iter().map(|tag| (version(tag), tag)).collect();
    keyed.sort_by(|(one, a), (other, b)| match (one, other) {
        (Some(one), Some(other)) => one.cmp(other).then_with(|| a.len().cmp(&b.len())).then_with(|| a.cmp(b)),
        (None, None) => a.cmp(b),
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
    });
    keyed.into_iter().map(|(_, tag)| tag.clone()).collect()
}

fn latest(by_version: &[String]) -> Option<String> {
    let versions = || by_version.iter().rev().filter_map(|tag| Some((version(tag)?, tag)));
    let released = versions().find(|(version, _)| version.pre.is_empty());
    released.or_else(|| versions().next()).map(|(_, tag)| tag.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_people_do() {
        let sorted =
            |tags: &[&str]| by_version(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        let found =
            sorted(&["3.9", "v3.10.1", "latest", "3.10", "3", "3.10.0-rc1", "edge", "3.10.0", "20240101"]);
        let wanted = ["edge", "latest", "3", "3.9", "3.10.0-rc1", "3.10", "3.10.0", "v3.10.1", "20240101"];
        assert_eq!(found, wanted);
        assert_eq!(latest(&sorted(&["1.0.0", "1.1.0-rc1", "0.9"])).as_deref(), Some("1.0.0"));
        assert_eq!(latest(&sorted(&["3.9-alpine", "3.10-alpine"])).as_deref(), Some("3.10-alpine"));
        assert_eq!(latest(&sorted(&["latest", "1.2.3.4"])), None);
    }

    #[test]
    fn a_filter_is_a_regular_expression() {
        assert!(expression("^3\\.").is_ok() && expression("(").unwrap_err().contains("regular expression"));
    }
}
