//! Image references, by the grammar of Distribution's `reference` package and with Docker's defaults.

use std::{fmt, str::FromStr};

/// Docker Hub's name inside of a canonical reference.
const DEFAULT_DOMAIN: &str = "docker.io";
/// Docker Hub's older name, which still means the same.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// Where Docker Hub keeps its official images.
const OFFICIAL: &str = "library";
/// The tag that a reference with neither tag nor digest means.
const DEFAULT_TAG: &str = "latest";
/// `RepositoryNameTotalLengthMax`.
const PATH_LIMIT: usize = 255;
/// The longest tag.
const TAG_LIMIT: usize = 128;

/// A parsed image reference, such as `registry:2.8.3` or `hub.docker.local:5000/team/app@sha256:…`.
///
/// `Display` is the familiar form, which is what Docker shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReference {
    /// Nothing to read.
    #[error("an image reference such as \"registry:3\" is needed, not an empty text")]
    Empty,
    /// A URL.
    #[error("{0:?} is a URL; an image reference has no scheme: leave out everything up to \"//\"")]
    Url(String),
    /// An image ID, which is a name on one machine only.
    #[error(
        "{0:?} is an image ID. It means the image on the machine that built or pulled it, and the other nodes of \
         the Swarm can't pull by it; use a name with a tag or a repository digest (name@sha256:…)"
    )]
    ImageId(String),
    /// Upper case letters in the repository's name.
    #[error("{text:?} has upper case letters in its name; repository names are lower case: {suggestion:?}")]
    UpperCase {
        /// What was given.
        text: String,
        /// The same in lower case.
        suggestion: String,
    },
    /// A host or port that can't be one.
    #[error("{domain:?} in {text:?} is not a registry's host[:port]")]
    Domain {
        /// What was given.
        text: String,
        /// The part in question.
        domain: String,
    },
    /// A repository name with characters or separators that the grammar lacks.
    #[error(
        "{path:?} in {text:?} is not a repository name: it is made of lower case letters and digits, with '.', '_', \
         '__' or dashes between them and '/' between the parts"
    )]
    Path {
        /// What was given.
        text: String,
        /// The part in question.
        path: String,
    },
    /// A repository name that is too long.
    #[error("the repository name in {0:?} is longer than 255 characters")]
    TooLong(String),
    /// A tag with characters that the grammar lacks, or too many of them.
    #[error(
        "{tag:?} in {text:?} is not a tag: up to 128 letters, digits, '_', '.' and '-', and neither '.' nor '-' first"
    )]
    Tag {
        /// What was given.
        text: String,
        /// The part in question.
        tag: String,
    },
    /// A digest of an unknown algorithm or of the wrong length.
    #[error(
        "{digest:?} in {text:?} is not a digest such as sha256: followed by 64 lower case hexadecimal digits"
    )]
    Digest {
        /// What was given.
        text: String,
        /// The part in question.
        digest: String,
    },
}

/// Whether a text is the host of a registry, with its port if it has one, as a reference would name it.
pub fn is_host(text: &str) -> bool {
    // Any repository is as good as another to see whether what is before it is taken for a host.
    format!("{text}/repository").parse::<Reference>().is_ok_and(|reference| reference.domain() == text)
}

impl Reference {
    /// The registry's host with its port, `docker.io` where none is written.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository inside of the registry, with `library/` for Docker Hub's official images.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag as written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The tag that is pulled: as written, `latest` where neither tag nor digest is, else none.
    pub fn effective_tag(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some(DEFAULT_TAG),
            (None, Some(_)) => None,
        }
    }

    /// The digest with its algorithm.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The form with everything written out: `docker.io/library/registry:latest`.
    pub fn canonical(&self) -> String {
        let name = format!("{}/{}", self.domain, self.path);
        with_suffixes(name, self.effective_tag(), self.digest())
    }

    /// The short form that Docker shows: `registry`. It has no tag where none was written.
    pub fn familiar(&self) -> String {
        with_suffixes(self.familiar_name(), self.tag(), self.digest())
    }

    /// The familiar form without tag and digest.
    pub fn familiar_name(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return format!("{}/{}", self.domain, self.path);
        }
        match self.path.split_once('/') {
            Some((OFFICIAL, name)) if !name.contains('/') => name.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// Whether both name the same repository and tag, whatever their digests are.
    ///
    /// `registry`, `docker.io/library/registry:latest` and `registry:latest@sha256:…` are the same but for digests.
    /// A reference by digest alone has no tag, and so differs from one with a tag.
    pub fn same_but_for_digest(&self, other: &Self) -> bool {
        self.domain == other.domain
            && self.path == other.path
            && (self.effective_tag() == other.effective_tag() || self.lost_its_tag_to(other))
    }

    /// Whether `actual`, found on the Engine, is what was asked for with `self`.
    ///
    /// The Engine and the `docker` command add a digest to what the user wrote; that is no difference. Another
    /// digest than the one written is.
    pub fn is_met_by(&self, actual: &Self) -> bool {
        self.same_but_for_digest(actual) && (self.digest.is_none() || self.digest == actual.digest)
    }

    /// This reference with another digest, or with none.
    ///
    /// # Errors
    /// [`NotAReference::Digest`] where `digest` is none.
    pub fn with_digest(&self, digest: Option<&str>) -> Result<Self, NotAReference> {
        if let Some(digest) = digest {
            check_digest(digest, digest)?;
        }
        Ok(Self { digest: digest.map(str::to_owned), ..self.clone() })
    }

    /// `name:tag@digest` against `name@digest`: what pins is the digest, and some engines drop the tag.
    fn lost_its_tag_to(&self, other: &Self) -> bool {
        self.digest.is_some() && self.digest == other.digest && (self.tag.is_none() || other.tag.is_none())
    }
}

fn with_suffixes(mut name: String, tag: Option<&str>, digest: Option<&str>) -> String {
    for (separator, part) in [(':', tag), ('@', digest)] {
        if let Some(part) = part {
            name.push(separator);
            name.push_str(part);
        }
    }
    name
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar())
    }
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        refuse_other_things(text)?;
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        // A colon after the last slash begins a tag; one before it begins a port.
        let (name, tag) = match named.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (named, None),
        };
        let (domain, path) = split_domain(name);
        check_name(&domain, &path, text)?;
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(NotAReference::Tag { text: text.to_owned(), tag: tag.to_owned() });
        }
        if let Some(digest) = digest {
            check_digest(digest, text)?;
        }
        Ok(Self { domain, path, tag: tag.map(str::to_owned), digest: digest.map(str::to_owned) })
    }
}

/// What people write where an image reference belongs.
fn refuse_other_things(text: &str) -> Result<(), NotAReference> {
    if text.is_empty() {
        return Err(NotAReference::Empty);
    }
    if text.contains("://") {
        return Err(NotAReference::Url(text.to_owned()));
    }
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = match text.strip_prefix("sha256:") {
        Some(id) => is_hex(id),
        None => text.len() == 64 && is_hex(text),
    };
    if is_id { Err(NotAReference::ImageId(text.to_owned())) } else { Ok(()) }
}

/// Splits a name at the registry's host as Docker does: the first part is a host when it could not be anything else.
fn split_domain(name: &str) -> (String, String) {
    let (domain, path) = match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':']) || first == "localhost" || first.contains(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, name),
    };
    let domain = if domain == LEGACY_DOMAIN { DEFAULT_DOMAIN } else { domain };
    let path = if domain == DEFAULT_DOMAIN && !path.contains('/') {
        format!("{OFFICIAL}/{path}")
    } else {
        path.to_owned()
    };
    (domain.to_owned(), path)
}

fn check_name(domain: &str, path: &str, text: &str) -> Result<(), NotAReference> {
    if !is_domain(domain) {
        return Err(NotAReference::Domain { text: text.to_owned(), domain: domain.to_owned() });
    }
    if path.contains(char::is_uppercase) {
        // Only the name is lowered: a tag may have upper case letters.
        let suggestion = text.replacen(
            path.strip_prefix("library/").unwrap_or(path),
            &path.strip_prefix("library/").unwrap_or(path).to_lowercase(),
            1,
        );
        return Err(NotAReference::UpperCase { text: text.to_owned(), suggestion });
    }
    if !path.split('/').all(is_path_component) {
        let path = path.strip_prefix("library/").unwrap_or(path).to_owned();
        return Err(NotAReference::Path { text: text.to_owned(), path });
    }
    if path.len() > PATH_LIMIT {
        return Err(NotAReference::TooLong(text.to_owned()));
    }
    Ok(())
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                return after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            }
            _ => return false,
        },
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    let is_label = |label: &str| {
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Runs of lower case letters and digits with `.`, `_`, `__` or any number of dashes between them.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = component.split(alphanumeric).collect::<Vec<_>>();
    // `split` yields an empty text between two neighbours and at both ends of a well-formed component.
    let ends_well = |end: Option<&&str>| end.is_some_and(|end| end.is_empty());
    separators.len() > 1
        && ends_well(separators.first())
        && ends_well(separators.last())
        && separators.iter().all(|separator| {
            matches!(*separator, "" | "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
        })
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    tag.len() <= TAG_LIMIT
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || byte == b'.' || byte == b'-')
}

fn check_digest(digest: &str, text: &str) -> Result<(), NotAReference> {
    let length = |algorithm| match algorithm {
        "sha256" => Some(64),
        "sha384" => Some(96),
        "sha512" => Some(128),
        _ => None,
    };
    let is_digest = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        length(algorithm) == Some(hex.len())
            && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    if is_digest {
        Ok(())
    } else {
        Err(NotAReference::Digest { text: text.to_owned(), digest: digest.to_owned() })
    }
}

#[cfg(test)]
mod tests;
