//! `storage.oss`: images in a bucket of Alibaba's object store.

use super::super::file::in_file;
use crate::{
    registry::configuration::Section,
    resources::service::not_empty,
    terraform::{Model, Sensitive, Size, WriteOnly},
};

/// Images in a bucket of Alibaba's object store (`storage.oss`), which Distribution 3 has no more. The ID and the secret
/// of an access key are each given in one of two ways.
#[derive(Clone, Debug, Model)]
pub struct Oss {
    /// Name of the bucket. It must exist.
    #[tf(check = not_empty)]
    pub bucket: String,

    /// Region of the bucket, such as `oss-cn-beijing`.
    #[tf(check = not_empty)]
    pub region: String,

    /// ID of the access key (`accesskeyid`). It is kept in the state: better use `access_key_id_wo`.
    pub access_key_id: Option<Sensitive<String>>,

    /// ID of the access key, kept in neither plan nor state.
    pub access_key_id_wo: WriteOnly<String>,

    /// Secret of the access key (`accesskeysecret`). It is kept in the state: better use `access_key_secret_wo`.
    pub access_key_secret: Option<Sensitive<String>>,

    /// Secret of the access key, kept in neither plan nor state.
    pub access_key_secret_wo: WriteOnly<String>,

    /// Raise it to send `access_key_id_wo` and `access_key_secret_wo` again.
    pub credentials_wo_version: Option<i64>,

    /// Address of the store, with the bucket's name in it, where it is not the region's own.
    #[tf(check = not_empty)]
    pub endpoint: Option<String>,

    /// Whether the region's internal endpoint is used, which can be reached from within the region alone. Clients outside
    /// of it need `redirect = false`.
    #[tf(default = false)]
    pub internal: bool,

    /// Whether the store encrypts what it keeps.
    #[tf(default = false)]
    pub encrypt: bool,

    /// Whether TLS is used.
    #[tf(default = true)]
    pub secure: bool,

    /// Size of the parts of an upload, at least `"5MiB"` (`chunksize`). Without it 10 MiB.
    #[tf(check = chunk)]
    pub chunk_size: Option<Size>,

    /// Prefix of all names (`rootdirectory`).
    #[tf(check = not_empty)]
    pub root_directory: Option<String>,
}

impl Oss {
    /// `storage.oss`
    pub(super) fn section(&self) -> Section {
        let version = self.credentials_wo_version;
        Section::new()
            .with("bucket", &self.bucket)
            .with("region", &self.region)
            .with("accesskeyid", in_file(&self.access_key_id, &self.access_key_id_wo, version))
            .with("accesskeysecret", in_file(&self.access_key_secret, &self.access_key_secret_wo, version))
            .with("endpoint", &self.endpoint)
            .with("internal", self.internal)
            .with("encrypt", self.encrypt)
            .with("secure", self.secure)
            .with("chunksize", self.chunk_size.as_ref().map(Size::bytes))
            .with("rootdirectory", &self.root_directory)
    }
}

fn chunk(size: &Size) -> Result<(), String> {
    if size.bytes() >= 5 << 20 { Ok(()) } else { Err("a size of at least 5MiB (S10)".to_owned()) }
}
