//! What the container says while it works.

/// One line of what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It is Distribution of this version.
    Version(String),
    /// That the registry does not write is proven.
    ReadOnly,
    /// What is used in a repository is being looked for.
    Repository(String),
    /// How many blobs are used, and how many are not.
    Marked {
        /// Used.
        used: u64,
        /// Not used.
        unused: u64,
    },
    /// How many of the blobs that are not used were taken.
    Deleting {
        /// Taken.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// How many blobs were, or would be, collected, and how many bytes they had, where that can be seen.
    Collected {
        /// Blobs.
        blobs: u64,
        /// Their bytes; none where the images are no files.
        bytes: Option<u64>,
    },
    /// It did not do what it was to do.
    Refused(Refusal),
    /// It did what it was to do.
    Done,
    /// Anything else, such as the words of an error.
    Other(String),
}

/// Why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about, in a word: `storage`, `proxy`, `redis`, `program`, `configuration`, `read-only`, `collection`.
    pub about: String,
    /// Why, for a person.
    pub why: String,
}

impl Line {
    /// Reads a line.
    pub fn of(line: &str) -> Self {
        Self::understood(line).unwrap_or_else(|| Line::Other(line.to_owned()))
    }

    fn understood(line: &str) -> Option<Self> {
        let (word, rest) = line.strip_prefix("::")?.split_once(' ').unwrap_or((line.strip_prefix("::")?, ""));
        let mut numbers = rest.split(' ').map(|number| number.parse().ok());
        let mut number = || -> Option<u64> { numbers.next().flatten() };
        Some(match word {
            "version" => Line::Version(rest.to_owned()),
            "read-only" => Line::ReadOnly,
            "repository" => Line::Repository(rest.to_owned()),
            "marked" => Line::Marked { used: number()?, unused: number()? },
            "deleting" => Line::Deleting { done: number()?, of: number()? },
            "collected" => Line::Collected { blobs: number()?, bytes: number() },
            "refused" => {
                let (about, why) = rest.split_once(": ")?;
                Line::Refused(Refusal { about: about.to_owned(), why: why.to_owned() })
            }
            "done" => Line::Done,
            _ => return None,
        })
    }

    /// The line for people; none where it would tell them nothing.
    pub fn told(&self) -> Option<String> {
        Some(match self {
            Line::ReadOnly => "it is proven that the registry does not write".to_owned(),
            Line::Repository(name) => format!("looking for what is used in {name}"),
            Line::Marked { used, unused } => format!("{used} blobs are used, {unused} are not"),
            Line::Deleting { done, of } => format!("{done} of {of} blobs are deleted"),
            Line::Version(_) | Line::Collected { .. } | Line::Refused(_) | Line::Done | Line::Other(_) => {
                return None;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood_and_others_are_kept() {
        assert_eq!(Line::of("::version 2.8.2+ds1"), Line::Version("2.8.2+ds1".into()));
        assert_eq!(Line::of("::marked 3 6"), Line::Marked { used: 3, unused: 6 });
        assert_eq!(Line::of("::collected 6 200896"), Line::Collected { blobs: 6, bytes: Some(200_896) });
        assert_eq!(Line::of("::collected 6 "), Line::Collected { blobs: 6, bytes: None });
        assert_eq!(Line::of("::done"), Line::Done);
        let refusal = Refusal { about: "storage".into(), why: "nothing: at all".into() };
        assert_eq!(Line::of("::refused storage: nothing: at all"), Line::Refused(refusal));
        for other in ["panic: x", "::marked", "::unheard of", "", "::"] {
            assert_eq!(Line::of(other), Line::Other(other.into()));
        }
    }
}
