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
