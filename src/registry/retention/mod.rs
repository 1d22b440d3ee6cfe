//! Which tags of a repository have had their time.
//!
//! Distribution keeps everything for ever and does not know when something was pushed; what is known is when an image
//! was built, from its own configuration.

mod sweep;

pub use sweep::Survey;

use regex_lite::Regex;
use std::time::{Duration, SystemTime};

/// A tag, as far as the rule looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// When its image was built; none where the image does not say so, and such a tag is kept.
    pub created: Option<SystemTime>,
}

/// By which rule tags are kept. A tag goes that none of its conditions keeps.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Names that are kept for ever.
    pub keep_matching: Vec<Regex>,
    /// So many of the newest of the others are kept.
    pub keep_last: Option<usize>,
    /// What is younger is kept.
    pub older_than: Option<Duration>,
}

impl Rule {
    /// The tags that go, oldest first. A rule that sets neither a number nor an age keeps everything.
    pub fn expired(&self, tags: &[Tag], now: SystemTime) -> Vec<Tag> {
        if self.keep_last.is_none() && self.older_than.is_none() {
            return vec![];
        }
        let mut others: Vec<(SystemTime, &Tag)> = tags
            .iter()
            .filter(|tag| !self.keep_matching.iter().any(|kept| kept.is_match(&tag.name)))
            .filter_map(|tag| Some((tag.created?, tag)))
            .collect();
        // Of one moment, the name that sorts last is the newest: versions and dates grow.
        others.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| other.name.cmp(&one.name)));
        let is_old = |created: SystemTime| {
            self.older_than.is_none_or(|age| now.duration_since(created).is_ok_and(|is| is > age))
        };
        let late =
            others.into_iter().skip(self.keep_last.unwrap_or(0)).filter(|(created, _)| is_old(*created));
        let mut late: Vec<Tag> = late.map(|(_, tag)| tag.clone()).collect();
        late.reverse();
        late
    }
}

/// Names of repositories, in which `*` stands for anything but a slash, and `**` for anything.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern such as `team/*`.
    ///
    /// # Errors
    /// It has characters that no repository has.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/*".contains(c);
        if pattern.is_empty() || !pattern.chars().all(is_plain) {
            return Err("a pattern is a repository's name, in which `*` stands for anything but a slash and `**` for \
                        anything, such as `team/*`"
                .to_owned());
        }
        let escaped =
            pattern.replace('.', "\\.").replace("**", "\0").replace('*', "[^/]*").replace('\0', ".*");
        Regex::new(&format!("^{escaped}$")).map(Pattern).map_err(|error| error.to_string())
    }

    /// Whether a repository has such a name.
    pub fn matches(&self, repository: &str) -> bool {
        self.0.is_match(repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 1000 * DAY
    }

    fn tags(days: &[(&str, u32)]) -> Vec<Tag> {
        days.iter()
            .map(|(name, age)| Tag { name: (*name).to_owned(), created: Some(now() - *age * DAY) })
            .collect()
    }

    fn expired(rule: &Rule, tags: &[Tag]) -> Vec<String> {
        rule.expired(tags, now()).into_iter().map(|tag| tag.name).collect()
    }

    fn rule() -> Rule {
        Rule { keep_matching: vec![], keep_last: None, older_than: None }
    }

    #[test]
    fn an_empty_rule_keeps_everything() {
        assert_eq!(expired(&rule(), &tags(&[("a", 900)])), Vec::<String>::new());
    }

    #[test]
    fn the_newest_stay() {
        let rule = Rule { keep_last: Some(2), ..rule() };
        assert_eq!(expired(&rule, &tags(&[("a", 3), ("b", 1), ("c", 2), ("d", 9)])), ["d", "a"]);
        assert_eq!(expired(&rule, &tags(&[("1.0", 1), ("1.1", 1), ("1.2", 1)])), ["1.0"]);
        assert_eq!(expired(&rule, &tags(&[("a", 3), ("b", 1)])), Vec::<String>::new());
    }

    #[test]
    fn both_conditions_keep() {
        let rule = Rule { keep_last: Some(1), older_than: Some(5 * DAY), ..rule() };
        assert_eq!(expired(&rule, &tags(&[("a", 3), ("b", 6), ("c", 7)])), ["c", "b"]);
        assert_eq!(expired(&rule, &tags(&[("only", 90)])), Vec::<String>::new());
        let by_age = Rule { keep_last: None, ..rule };
        assert_eq!(expired(&by_age, &tags(&[("only", 90), ("exactly", 5)])), ["only"]);
    }

    #[test]
    fn names_that_match_count_for_nothing_and_stay() {
        let rule =
            Rule { keep_matching: vec![Regex::new("^v[0-9]+$").unwrap()], keep_last: Some(1), ..rule() };
        assert_eq!(expired(&rule, &tags(&[("v1", 90), ("v2", 1), ("dev", 3), ("old", 4)])), ["old"]);
    }

    #[test]
    fn an_image_without_a_date_stays() {
        let rule = Rule { keep_last: Some(0), ..rule() };
        let undated = Tag { name: "x".to_owned(), created: None };
        assert_eq!(expired(&rule, &[undated]), Vec::<String>::new());
    }

    #[test]
    fn patterns() {
        let matches = |pattern: &str, name: &str| Pattern::parse(pattern).unwrap().matches(name);
        assert!(
            matches("team/*", "team/app") && !matches("team/*", "team/app/web") && !matches("team/*", "team")
        );
        assert!(matches("team/**", "team/app/web") && matches("**", "a/b") && matches("a.b", "a.b"));
        assert!(!matches("a.b", "axb"));
        for pattern in ["", "Team/*", "a(b"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
