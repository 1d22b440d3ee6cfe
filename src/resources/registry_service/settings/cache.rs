//! `cache`: how descriptions of blobs are kept at hand (`storage.cache`, `redis`).

use crate::registry::configuration::Section;

/// `storage.cache`
pub fn section() -> Section {
    Section::new().with("blobdescriptor", "inmemory")
}
