//! P20 to P22 and P24: which image it is.

use crate::registry::{Dialect, Finding, image::Reference};

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
                "The tag of the image {image} does not say which version of Distribution is in it, and the format of its \
                 configuration file depends on that: registry:latest was 2 for years and is 3 now. Use a tag such as \
                 registry:3.1, or set distribution to \"2.8\", \"3.0\" or \"3.1\"."
            ),
        )
    })
}

/// Applies P20, P21 and P24; `url` is how clients call the registry.
pub fn image(image: &Reference, url: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if url.and_then(authority).is_some_and(|own| own.eq_ignore_ascii_case(image.domain())) {
        let message = format!(
            "The image would be pulled from {}, which is this registry itself: it could not start anywhere, once it is \
             down. Take the image from another registry.",
            image.domain()
        );
        findings.push(Finding::error("P20", "image", message));
    }
    if image.digest().is_none() && image.effective_tag() == Some("latest") {
        let message = format!(
            "{} is another image from one day to the next (registry:latest moved from 2 to 3 in 2025), and nodes that pull \
             it at different times run different ones. Use a tag such as registry:3.1, best with a digest.",
            image.familiar_name()
        );
        findings.push(Finding::warning("P21", "image", message));
    }
    findings.extend(flaws(image));
    findings
}

/// Host and port of a URL, as they stand in an image's name.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())
}

/// P24. Only of CNCF's images the tags are Distribution's versions.
fn flaws(image: &Reference) -> Option<Finding> {
    let name = image.path().rsplit('/').next()?;
    if !matches!(name, "registry" | "distribution") {
        return None;
    }
    let tag = image.tag()?;
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let version = version.split(['-', '_']).next().unwrap_or(version);
    let numbers: Vec<u32> = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    let (flaws, newer) = match numbers.as_slice() {
        [2, 0..=7, ..] | [2, 8, 0..=1] => ("CVE-2023-2253, by which a client can use up its memory", "2.8.3"),
        [3, 0, ..] | [3, 1, 0] => (
            match numbers.get(1) {
                Some(0) => {
                    "CVE-2026-33540, CVE-2026-35172 and CVE-2026-41888, by which the credentials of a cache leak and images \
                     can be deleted although that is off"
                }
                _ => "CVE-2026-41888, by which tags can be deleted although that is off",
            },
            "3.1.1",
        ),
        _ => return None,
    };
    let message = format!("Distribution {version} has known flaws: {flaws}. Use {newer} or later.");
    Some(Finding::warning("P24", "image", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str, url: Option<&str>) -> Vec<(bool, &'static str)> {
        let reference = text.parse::<Reference>().unwrap();
        image(&reference, url).iter().map(|finding| (finding.is_error(), finding.code)).collect()
    }

    #[test]
    fn p20_a_registry_that_would_have_to_pull_itself() {
        let url = Some("https://hub.example.com:5000/");
        assert_eq!(codes("hub.example.com:5000/registry:3.1.1", url), [(true, "P20")]);
        assert_eq!(codes("HUB.example.com:5000/registry:3.1.1", url), [(true, "P20")]);
        assert_eq!(codes("hub.example.com/registry:3.1.1", url), []);
        assert_eq!(codes("registry:3.1.1", url), []);
        assert_eq!(codes("registry:3.1.1", None), []);
    }

    #[test]
    fn p21_the_image_of_the_day() {
        let digest = format!("registry:latest@sha256:{}", "a".repeat(64));
        assert_eq!(codes("registry", None), [(false, "P21")]);
        assert_eq!(codes("registry:latest", None), [(false, "P21")]);
        assert_eq!(codes(&digest, None), []);
        assert_eq!(codes("registry:3", None), []);
    }

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

    #[test]
    fn p24_versions_with_known_flaws() {
        for flawed in
            ["2.7.1", "2.8.1", "2.6", "3.0", "3.0.0", "v3.0.1", "3.1.0", "3.1.0-alpine", "3.0.0-rc.1"]
        {
            assert_eq!(codes(&format!("registry:{flawed}"), None), [(false, "P24")], "{flawed}");
        }
        for good in ["2", "2.8", "2.8.2", "2.8.3", "3", "3.1", "3.1.1", "3.2.0"] {
            assert_eq!(codes(&format!("registry:{good}"), None), [], "{good}");
        }
        assert_eq!(codes("hub.example.com/own:3.0.0", None), []);
        assert_eq!(codes("ghcr.io/distribution/distribution:3.0.0", None), [(false, "P24")]);
    }
}
