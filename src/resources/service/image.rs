//! The image of a service, and the digest that Docker may have added to it.

use crate::registry::image::Reference;
use crate::terraform::{Plan, Value};

/// Refuses what is no image, and an image's ID, which other nodes could not pull.
pub fn image_reference(image: &str) -> Result<(), String> {
    image.parse::<Reference>().map(drop).map_err(|error| error.to_string())
}

/// `registry` and `docker.io/library/registry:latest` are one image.
pub fn same_image(a: &Value, b: &Value) -> bool {
    let canonical = |value: &Value| Some(value.as_str()?.parse::<Reference>().ok()?.canonical());
    canonical(a).is_some_and(|a| canonical(b) == Some(a))
}

/// Whether an image that is there is what is asked for: a digest that Docker added is no difference.
pub fn is_met(wanted: &str, found: &str) -> bool {
    match (wanted.parse::<Reference>(), found.parse::<Reference>()) {
        (Ok(wanted), Ok(found)) => wanted.is_met_by(&found),
        _ => wanted == found,
    }
}

/// The image to write; none where what was `found` is what is wanted. `before` is what was wanted before: a digest that the
/// user has taken out goes, one that Docker has put in stays.
pub fn to_write<'a>(wanted: &'a str, before: Option<&str>, found: Option<&str>) -> Option<&'a str> {
    let unpinned = before.is_some_and(|before| before != wanted && digest(before).is_some());
    let is_there = found.is_some_and(|found| found == wanted || (!unpinned && is_met(wanted, found)));
    (!is_there).then_some(wanted)
}

/// The digest that an image is pinned to.
pub fn digest(image: &str) -> Option<String> {
    image.parse::<Reference>().ok()?.digest().map(str::to_owned)
}

/// Plans the digest: without a change of the image it stays; with one it is that of the new reference.
pub fn plan_digest(plan: &mut Plan) {
    if !plan.is_create() && !plan.changes("image") {
        return;
    }
    match plan.known::<String>("image") {
        Some(image) => plan.set("image_digest", digest(&image)),
        None if plan.get("image").is_unknown() => plan.set_unknown("image_digest"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_digest_of_the_user_s_is_taken_out() {
        let pinned = format!("registry:2@sha256:{}", "a".repeat(64));
        assert_eq!(to_write("registry:2", None, None), Some("registry:2"));
        assert_eq!(to_write("registry:2", Some("registry:2"), Some(&pinned)), None, "Docker has put it in");
        assert_eq!(to_write("registry:2", Some(&pinned), Some(&pinned)), Some("registry:2"));
        assert_eq!(
            to_write("registry:2", Some("registry:3"), Some(&pinned)),
            None,
            "somebody was there first"
        );
        assert_eq!(to_write(&pinned, Some("registry:2"), Some("registry:2")), Some(pinned.as_str()));
        assert_eq!(to_write("registry:3", Some("registry:2"), Some(&pinned)), Some("registry:3"));
    }
}
