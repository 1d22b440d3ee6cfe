//! Creating an object once, and finding it again where the answer got lost.

use super::call::Request;
use super::error::{Error, Result};
use super::pace::Repeat;
use super::{Docker, decode};
use serde::Deserialize;

/// What a created object is answered with.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "ID", alias = "Id")]
    id: String,
}

/// What became of a creation.
pub(super) enum Creation {
    /// It was made, and this is its ID.
    Made(String),
    /// The name is taken, perhaps by an attempt of ours whose answer got lost.
    TakenPerhapsByUs,
}

impl Docker {
    /// Sends a creation until it is answered.
    pub(super) async fn create(&self, request: &Request) -> Result<Creation> {
        let mut attempts = self.attempts(Repeat::Rewrite);
        let mut unsure = false;
        loop {
            match self.call_once(request).await {
                Ok(bytes) => {
                    return Ok(Creation::Made(decode::<Created>(|| request.what(), &bytes)?.id));
                }
                Err(Error::NameTaken { .. }) if unsure => return Ok(Creation::TakenPerhapsByUs),
                Err(error) => {
                    unsure |= error.may_have_happened();
                    attempts.pause(error).await?;
                }
            }
        }
    }
}
