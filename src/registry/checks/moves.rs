//! S17 and P23: what changes in a registry that is there already would lose or break.

use crate::registry::{Dialect, Finding};

/// Where images are: the driver, and what tells one place of it from another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The driver's attribute, such as `s3`.
    pub driver: &'static str,
    /// The attributes beneath `storage.DRIVER` that name the place, and what they say; `None` where one is left out.
    pub parts: Vec<(&'static str, Option<String>)>,
}

/// S17: the images stay where they were.
pub fn storage_moves(before: &Place, after: &Place) -> Option<Finding> {
    let path = if before.driver != after.driver {
        format!("storage.{}", after.driver)
    } else {
        let changed = after.parts.iter().find(|part| !before.parts.contains(part))?;
        format!("storage.{}.{}", after.driver, changed.0)
    };
    let message = "The registry would look for its images at another place, and none are moved there: it starts with what is \
                   there, which may be nothing. Copy them first, with the registry stopped or read-only, unless that is \
                   meant; the old place keeps them.";
    Some(Finding::warning("S17", path, message))
}

/// What of a configuration another major version of Distribution reads differently.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upgrade<'a> {
    /// Whether the provider writes the configuration file; else the image's own is in charge.
    pub is_rendered: bool,
    /// Names in `env`.
    pub env: &'a [&'a str],
    /// Paths in the container at which files are mounted: targets of `configs`, `secrets` and `mounts`.
    pub files: &'a [&'a str],
}

/// P23: what a step from one major version to another means for this configuration.
pub fn upgrade(before: Dialect, after: Dialect, uses: &Upgrade<'_>) -> Option<Finding> {
    if before.is_3() == after.is_3() {
        return None;
    }
    let news = if after.is_3() { forward(uses) } else { back(uses) };
    let message = format!(
        "Distribution {before} becomes {after}. Images stay as they are, in the same layout. {} Pin the version by the image's \
         tag, and try the step on a copy first.",
        news.join(" ")
    );
    Some(Finding::warning("P23", "image", message))
}

fn forward(uses: &Upgrade<'_>) -> Vec<&'static str> {
    let has_env = |prefix: &str| uses.env.iter().any(|name| name.starts_with(prefix));
    let mut news = vec!["Manifests of schema 1, which Docker wrote before 1.10, can no longer be pulled."];
    let mut add = |applies: bool, text| {
        if applies {
            news.push(text);
        }
    };
    add(
        !uses.is_rendered,
        "The image's own configuration now allows deletion, logs at debug level, and opens a debug listener with metrics on \
         port 5001 of every interface.",
    );
    add(
        !uses.is_rendered && uses.files.contains(&"/etc/docker/registry/config.yml"),
        "The file /etc/docker/registry/config.yml is no longer read; it is /etc/distribution/config.yml now.",
    );
    add(
        has_env("REGISTRY_REDIS_"),
        "REGISTRY_REDIS_ADDR and REGISTRY_REDIS_POOL_… are ignored now; the section is another.",
    );
    add(
        has_env("REGISTRY_STORAGE_S3_REGIONENDPOINT"),
        "REGISTRY_STORAGE_S3_REGIONENDPOINT needs REGISTRY_STORAGE_S3_FORCEPATHSTYLE=true beside it for most stores.",
    );
    add(
        has_env("REGISTRY_STORAGE_AZURE_"),
        "Azure's store needs REGISTRY_STORAGE_AZURE_CREDENTIALS_TYPE beside its key.",
    );
    add(
        has_env("REGISTRY_STORAGE_SWIFT_") || has_env("REGISTRY_STORAGE_OSS_"),
        "The storage drivers swift and oss are gone.",
    );
    add(
        has_env("REGISTRY_REPORTING_") || has_env("REGISTRY_COMPATIBILITY_"),
        "REGISTRY_REPORTING_… and REGISTRY_COMPATIBILITY_… are ignored now.",
    );
    news
}

fn back(uses: &Upgrade<'_>) -> Vec<&'static str> {
    let mut news = vec!["Settings that came with 3 are refused or ignored."];
    if !uses.is_rendered {
        news.push("The image's own configuration does not allow deletion.");
        if uses.files.contains(&"/etc/distribution/config.yml") {
            news.push(
                "The file /etc/distribution/config.yml is not read; it is /etc/docker/registry/config.yml there.",
            );
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(name: &str) -> Place {
        Place { driver: "filesystem", parts: vec![("volume", Some(name.to_owned())), ("bind", None)] }
    }

    #[test]
    fn s17_images_stay_behind() {
        assert_eq!(storage_moves(&volume("hub"), &volume("hub")), None);
        let finding = storage_moves(&volume("hub"), &volume("new")).unwrap();
        assert_eq!(
            (finding.code, finding.path.as_str(), finding.is_error()),
            ("S17", "storage.filesystem.volume", false)
        );
        let s3 = Place { driver: "s3", parts: vec![("bucket", Some("hub".to_owned()))] };
        assert_eq!(storage_moves(&volume("hub"), &s3).unwrap().path, "storage.s3");
    }

    #[test]
    fn p23_a_new_major_version_says_what_it_breaks_here() {
        let said =
            |before, after, uses: &Upgrade<'_>| upgrade(before, after, uses).map(|finding| finding.message);
        let rendered = Upgrade { is_rendered: true, ..Upgrade::default() };
        assert_eq!(said(Dialect::V3_0, Dialect::V3_1, &rendered), None);
        assert_eq!(said(Dialect::V2_8, Dialect::V2_8, &rendered), None);
        let words = said(Dialect::V2_8, Dialect::V3_1, &rendered).unwrap();
        assert!(words.contains("schema 1") && !words.contains("5001"), "{words}");
        let own = Upgrade {
            env: &["REGISTRY_REDIS_ADDR"],
            files: &["/etc/docker/registry/config.yml"],
            ..Upgrade::default()
        };
        let words = said(Dialect::V2_8, Dialect::V3_1, &own).unwrap();
        for word in ["5001", "REGISTRY_REDIS_ADDR", "/etc/distribution/config.yml"] {
            assert!(words.contains(word), "{words}");
        }
        let words = said(Dialect::V3_1, Dialect::V2_8, &Upgrade::default()).unwrap();
        assert!(words.contains("does not allow deletion"), "{words}");
    }
}
