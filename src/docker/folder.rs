//! Whether a folder is on the Engine's own host.

use super::{
    Docker,
    call::Request,
    error::{Error, Result},
};

/// An image that no Engine has: the digest of nothing that was ever hashed.
const NO_IMAGE: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

impl Docker {
    /// Whether the host of the Engine that is asked has something at a path, which a service could bind. The Engine says so when
    /// it looks at the mounts of a container, before it finds that there is no such image; nothing is made. Engines from 29 on
    /// may look for the image first: then everything seems to be there.
    ///
    /// # Errors
    /// Whatever keeps the Engine from answering.
    pub async fn has_path(&self, path: &str) -> Result<bool> {
        let mount = serde_json::json!({ "Type": "bind", "Source": path, "Target": "/bound" });
        let container = serde_json::json!({ "Image": NO_IMAGE, "HostConfig": { "Mounts": [mount] } });
        let request = Request::post("/containers/create").json(&container)?;
        match self.call_once(&request).await {
            Err(Error::Api { status: 400, message })
                if message.contains("bind source path does not exist") =>
            {
                Ok(false)
            }
            Err(Error::NotFound { .. } | Error::Api { status: 400..500, .. }) | Ok(_) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
