//! The Engine that a resource acts on, where it is not the provider's: a host that is to become a node.

use crate::docker::{Docker, Settings};
use crate::terraform::{Diagnostic, Model, Result};

/// The Engine of one host. What it leaves out is as in the provider block.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Connection {
    /// Address of the Engine: `ssh://user@host`, `tcp://host:2376` or `unix:///var/run/docker.sock`.
    pub host: String,
}

impl Connection {
    /// The Engine there; all resources that name the same one share its connections.
    ///
    /// # Errors
    /// The settings mean nothing.
    pub fn open(&self, provider: &Docker) -> Result<Docker> {
        let settings = Settings { hosts: vec![self.host.clone()], ..Settings::default() };
        provider.elsewhere(&settings).map_err(|error| {
            Diagnostic::error(format!("Cannot connect to {}", self.host), format!("{error}."))
                .at("connection")
        })
    }
}
