//! `tls`: the certificate with which the registry serves.

use super::{
    absolute,
    file::{Content, File, Role},
    one_of, some, web_address,
};
use crate::{
    registry::configuration::{Section, Texts, paths},
    resources::service::{Mount, not_empty},
    terraform::{Model, Sensitive, WriteOnly},
};

/// The certificate with which the registry serves (`http.tls`). One of `certificate` and `certificate_secret`, and
/// one of `private_key`, `private_key_wo` and `private_key_secret`; or `lets_encrypt` alone.
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

    /// ID or name of a secret with such certificates.
    pub client_ca_secret: Option<String>,

    /// What is asked of a client where there is a `client_ca` (`http.tls.clientauth`): `request-client-cert`,
    /// `require-any-client-cert`, `verify-client-cert-if-given` or `require-and-verify-client-cert`. Without it the last of
    /// them. Distribution 3.0 and later.
    #[tf(check = client_auth)]
    pub client_auth: Option<String>,

    /// The oldest version of TLS that is spoken (`http.tls.minimumtls`): `tls1.2` or `tls1.3`; also `tls1.0` and `tls1.1` in
    /// Distribution 2.8. Without it `tls1.2`.
    #[tf(check = minimum)]
    pub minimum: Option<String>,

    /// The cipher suites of TLS 1.2 that are spoken, such as `TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384`
    /// (`http.tls.ciphersuites`). Without it those that Distribution takes for good.
    #[tf(default = Vec::new(), check = cipher_suites)]
    pub cipher_suites: Vec<String>,

    /// Certificates that the registry gets by itself. Distribution 3.0 and later: that of before speaks a protocol that Let's
    /// Encrypt has shut down.
    pub lets_encrypt: Option<LetsEncrypt>,
}

/// Certificates of Let's Encrypt, or of another authority that speaks ACME (`http.tls.letsencrypt`). It asks for its proof at
/// port 443 of each host, so that must lead to the one registry. One of `volume` and `bind`.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct LetsEncrypt {
    /// Address for letters about certificates that expire.
    #[tf(check = not_empty)]
    pub email: Option<String>,

    /// The hosts that certificates are for.
    #[tf(check = some)]
    pub hosts: Vec<String>,

    /// Address of the authority's directory, such as `https://acme-staging-v02.api.letsencrypt.org/directory`
    /// (`directoryurl`). Without it that of Let's Encrypt.
    #[tf(check = web_address)]
    pub directory_url: Option<String>,

    /// Name of the volume that keeps the certificates (`cachefile`). Each node has its own of that name. Let's Encrypt gives
    /// only a few of the same hosts in a week, so they must not be lost with a task.
    #[tf(check = not_empty)]
    pub volume: Option<String>,

    /// Folder of the node that keeps them. It must exist there.
    #[tf(check = absolute)]
    pub bind: Option<String>,
}

/// The cipher suites that all dialects know.
const CIPHER_SUITES: [&str; 19] = [
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// The cipher suites that 2.8 alone knows.
pub(super) const OLD_CIPHER_SUITES: [&str; 6] = [
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

/// The versions of TLS that 2.8 alone speaks.
pub(super) const OLD_VERSIONS: [&str; 2] = ["tls1.0", "tls1.1"];

impl Tls {
    /// `http.tls`
    pub fn section(&self) -> Section {
        let is_given = self.lets_encrypt.is_none();
        let client_cas: Vec<String> =
            self.authorities().iter().map(|_| paths::CLIENT_CA.to_owned()).collect();
        Section::new()
            .with("certificate", is_given.then_some(paths::CERTIFICATE))
            .with("key", is_given.then_some(paths::PRIVATE_KEY))
            .with("clientcas", Texts(&client_cas))
            .with("clientauth", &self.client_auth)
            .with("minimumtls", &self.minimum)
            .with("ciphersuites", Texts(&self.cipher_suites))
            .with("letsencrypt", self.lets_encrypt.as_ref().map(LetsEncrypt::section))
    }

    /// The certificate, its key, and the authorities of the clients.
    pub fn files(&self) -> Vec<File> {
        let (mut certificate, mut key) = (None, None);
        if self.lets_encrypt.is_none() {
            certificate = Some(Content::given(&self.certificate, &self.certificate_secret));
            key = Some(Content::secret(
                &self.private_key,
                &self.private_key_wo,
                self.private_key_wo_version,
                &self.private_key_secret,
            ));
        }
        File::all([
            (Role::Certificate, "tls.certificate", certificate),
            (Role::Key, "tls.private_key", key),
            (Role::ClientCa, "tls.client_ca", self.authorities()),
        ])
    }

    fn authorities(&self) -> Option<Content> {
        Content::optional(&self.client_ca, &self.client_ca_secret)
    }

    /// What is mounted where the registry keeps certificates that it got by itself.
    pub fn mount(&self) -> Option<Mount> {
        self.lets_encrypt.as_ref()?.mount()
    }

    /// Takes that mount from those of a service. One that no attribute here can tell stays among the others, so that it
    /// shows.
    pub fn take_mount(&mut self, mounts: &mut Vec<Mount>) {
        let Some(lets_encrypt) = &mut self.lets_encrypt else { return };
        let at = mounts.iter().position(|mount| mount.target == paths::ACME);
        let found = at.map(|at| mounts.remove(at));
        if found == lets_encrypt.mount() {
            return;
        }
        let source = |kind: &str| found.as_ref().filter(|mount| mount.r#type == kind)?.source.clone();
        (lets_encrypt.volume, lets_encrypt.bind) = (source("volume"), source("bind"));
        if found != lets_encrypt.mount() {
            (lets_encrypt.volume, lets_encrypt.bind) = (None, None);
            mounts.extend(found);
        }
    }
}

impl LetsEncrypt {
    fn mount(&self) -> Option<Mount> {
        let choices = [("volume", &self.volume), ("bind", &self.bind)];
        let (kind, source) = choices.into_iter().find(|(_, source)| source.is_some())?;
        Some(Mount::plain(kind, source.clone(), paths::ACME.to_owned()))
    }

    fn section(&self) -> Section {
        Section::new()
            .with("cachefile", paths::ACME)
            .with("email", &self.email)
            .with("hosts", Texts(&self.hosts))
            .with("directoryurl", &self.directory_url)
    }
}

fn client_auth(client_auth: &str) -> Result<(), String> {
    let known = [
        "request-client-cert",
        "require-any-client-cert",
        "verify-client-cert-if-given",
        "require-and-verify-client-cert",
    ];
    one_of(client_auth, &known)
}

fn minimum(minimum: &str) -> Result<(), String> {
    one_of(minimum, &[&["tls1.2", "tls1.3"][..], &OLD_VERSIONS].concat())
}

fn cipher_suites(suites: &[String]) -> Result<(), String> {
    let known = [&CIPHER_SUITES[..], &OLD_CIPHER_SUITES].concat();
    suites.iter().try_for_each(|suite| one_of(suite, &known))
}
