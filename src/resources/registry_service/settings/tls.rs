//! `tls`: the certificate with which the registry serves.

use super::file::{Content, File, Role};
use crate::{
    registry::configuration::{Section, Texts, paths},
    terraform::{Model, Sensitive, WriteOnly},
};

/// The certificate with which the registry serves (`http.tls`). One of `certificate` and `certificate_secret`, and
/// one of `private_key`, `private_key_wo` and `private_key_secret`.
#[derive(Clone, Debug, Model)]
pub struct Tls {
    /// The certificate and its chain as PEM text, the registry's own certificate first.
    pub certificate: Option<String>,

    /// ID or name of a secret with the certificate.
    pub certificate_secret: Option<String>,

    /// The private key as PEM text. It is kept in the state: better use `private_key_wo`.
    pub private_key: Option<Sensitive<String>>,

    /// The private key as PEM text, kept in neither plan nor state.
    pub private_key_wo: WriteOnly<String>,

    /// Raise it to send `private_key_wo` again.
    pub private_key_wo_version: Option<i64>,

    /// ID or name of a secret with the private key.
    pub private_key_secret: Option<String>,

    /// Certificates as PEM text, by one of which a client's certificate must be signed.
    pub client_ca: Option<String>,

    /// The oldest version of TLS that is spoken: `tls1.2` or `tls1.3`; also `tls1.0` and `tls1.1` in Distribution 2.8.
    pub minimum: Option<String>,
}

impl Tls {
    /// `http.tls`
    pub fn section(&self) -> Section {
        let client_cas: Vec<String> = self.client_ca.iter().map(|_| paths::CLIENT_CA.to_owned()).collect();
        Section::new()
            .with("certificate", paths::CERTIFICATE)
            .with("key", paths::PRIVATE_KEY)
            .with("clientcas", Texts(&client_cas))
            .with("minimumtls", &self.minimum)
    }

    /// The certificate, its key, and the authorities of the clients.
    pub fn files(&self, prior: Option<&Tls>) -> Vec<File> {
        let certificate = Content::given(&self.certificate, &self.certificate_secret);
        let is_sent = prior.is_some_and(|prior| prior.private_key_wo_version == self.private_key_wo_version);
        let key = Content::secret(&self.private_key, &self.private_key_wo, is_sent, &self.private_key_secret);
        let client_ca = self.client_ca.as_ref().map(|pem| Content::bytes(pem));
        File::all([
            (Role::Certificate, "tls.certificate", Some(certificate)),
            (Role::Key, "tls.private_key", Some(key)),
            (Role::ClientCa, "tls.client_ca", client_ca),
        ])
    }
}
