//! `storage.swift`: images in a container of OpenStack's object store.

use super::super::{file::in_file, web_address};
use crate::{
    registry::configuration::{Section, Texts},
    resources::service::{not_empty, one_of},
    terraform::{Model, Sensitive, Size, WriteOnly},
};

/// Images in a container of OpenStack's object store (`storage.swift`), which Distribution 3 has no more. One of
/// `password` and `password_wo`.
#[derive(Clone, Debug, Model)]
pub struct Swift {
    /// Name of the user.
    #[tf(check = not_empty)]
    pub username: String,

    /// The password. It is kept in the state: better use `password_wo`.
    pub password: Option<Sensitive<String>>,

    /// The password, kept in neither plan nor state.
    pub password_wo: WriteOnly<String>,

    /// Raise it to send `password_wo` again.
    pub password_wo_version: Option<i64>,

    /// Address at which the user logs in, such as `https://keystone.example.com/v3` (`authurl`).
    #[tf(check = web_address)]
    pub auth_url: String,

    /// Version of the protocol of the login, 1, 2 or 3 (`authversion`). Without it what the address says.
    #[tf(check = version)]
    pub auth_version: Option<i64>,

    /// Name of the container, which is made where there is none.
    #[tf(check = not_empty)]
    pub container: String,

    /// Prefix of all names.
    #[tf(check = not_empty)]
    pub prefix: Option<String>,

    /// Region of the store.
    #[tf(check = not_empty)]
    pub region: Option<String>,

    /// Name of the tenant.
    #[tf(check = not_empty)]
    pub tenant: Option<String>,

    /// ID of the tenant (`tenantid`).
    #[tf(check = not_empty)]
    pub tenant_id: Option<String>,

    /// Name of the user's domain, in version 3.
    #[tf(check = not_empty)]
    pub domain: Option<String>,

    /// ID of the user's domain, in version 3 (`domainid`).
    #[tf(check = not_empty)]
    pub domain_id: Option<String>,

    /// Name of the tenant's domain, in version 3 (`tenantdomain`).
    #[tf(check = not_empty)]
    pub tenant_domain: Option<String>,

    /// ID of the tenant's domain, in version 3 (`tenantdomainid`).
    #[tf(check = not_empty)]
    pub tenant_domain_id: Option<String>,

    /// ID of a trust, in version 3 (`trustid`).
    #[tf(check = not_empty)]
    pub trust_id: Option<String>,

    /// Which of the store's endpoints is used (`endpointtype`): `public`, `internal` or `admin`. Without it `public`.
    #[tf(check = endpoint)]
    pub endpoint_type: Option<String>,

    /// Whether any certificate of the store is good (`insecureskipverify`).
    #[tf(default = false)]
    pub insecure_skip_verify: bool,

    /// Size of the segments of an upload, at least `"1MiB"` (`chunksize`). Without it 20 MiB.
    #[tf(check = chunk)]
    pub chunk_size: Option<Size>,

    /// The secret with which addresses for clients are signed (`secretkey`). It is kept in the state: better use
    /// `secret_key_wo`.
    pub secret_key: Option<Sensitive<String>>,

    /// The secret with which addresses for clients are signed, kept in neither plan nor state.
    pub secret_key_wo: WriteOnly<String>,

    /// Raise it to send `secret_key_wo` again.
    pub secret_key_wo_version: Option<i64>,

    /// The access key with which addresses for clients are signed (`accesskey`).
    #[tf(check = not_empty)]
    pub access_key: Option<String>,

    /// Whether the signing secret is one of the container, where the store does not tell (`tempurlcontainerkey`).
    pub temp_url_container_key: Option<bool>,

    /// Methods for which addresses are signed, where the store does not tell, such as `["GET", "HEAD"]`
    /// (`tempurlmethods`).
    #[tf(default = vec![])]
    pub temp_url_methods: Vec<String>,
}

impl Swift {
    /// `storage.swift`
    pub(super) fn section(&self) -> Section {
        Section::new()
            .with("username", &self.username)
            .with("password", in_file(&self.password, &self.password_wo, self.password_wo_version))
            .with("authurl", &self.auth_url)
            .with("authversion", self.auth_version)
            .with("container", &self.container)
            .with("prefix", &self.prefix)
            .with("region", &self.region)
            .with("tenant", &self.tenant)
            .with("tenantid", &self.tenant_id)
            .with("domain", &self.domain)
            .with("domainid", &self.domain_id)
            .with("tenantdomain", &self.tenant_domain)
            .with("tenantdomainid", &self.tenant_domain_id)
            .with("trustid", &self.trust_id)
            .with("endpointtype", &self.endpoint_type)
            .with("insecureskipverify", self.insecure_skip_verify)
            .with("chunksize", self.chunk_size.as_ref().map(Size::bytes))
            .with("secretkey", in_file(&self.secret_key, &self.secret_key_wo, self.secret_key_wo_version))
            .with("accesskey", &self.access_key)
            .with("tempurlcontainerkey", self.temp_url_container_key)
            .with("tempurlmethods", Texts(&self.temp_url_methods))
    }
}

fn version(version: &i64) -> Result<(), String> {
    one_of(&version.to_string(), &["1", "2", "3"])
}

fn endpoint(kind: &str) -> Result<(), String> {
    one_of(kind, &["public", "internal", "admin"])
}

fn chunk(size: &Size) -> Result<(), String> {
    if size.bytes() >= 1 << 20 { Ok(()) } else { Err("a size of at least 1MiB (S10)".to_owned()) }
}
