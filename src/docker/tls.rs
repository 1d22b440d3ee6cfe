//! TLS to the Engine: certificates as PEM text, verified unless the user said otherwise.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::{fmt, fs, io::ErrorKind, path::Path, sync::Arc};
use zeroize::Zeroizing;

/// Certificates and key for TLS, as PEM text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsMaterial {
    /// Certificates of the authorities that may have signed the Engine's certificate; those of the
    /// system where there are none.
    pub ca: Option<String>,
    /// The client's certificate and what lies between it and its authority.
    pub cert: Option<String>,
    /// The client's private key.
    pub key: Option<Zeroizing<String>>,
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial")
            .field("ca", &self.ca.is_some())
            .field("cert", &self.cert.is_some())
            .field("key", &self.key.is_some())
            .finish()
    }
}

impl TlsMaterial {
    /// Reads `ca.pem`, `cert.pem` and `key.pem` of a folder, each of which may be missing.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
            }
        };
        Ok(Self { ca: read("ca.pem")?, cert: read("cert.pem")?, key: read("key.pem")?.map(Zeroizing::new) })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ca.is_none() && self.cert.is_none() && self.key.is_none()
    }

    /// Makes the configuration of the TLS client, or says which part of the material is wrong.
    ///
    /// The provider of the cryptography is given here, so that no default of the process is needed.
    pub(super) fn client(&self, skip_verify: bool) -> Result<ClientConfig, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = if skip_verify {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
        } else {
            let roots = Arc::new(self.roots()?);
            let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|error| format!("the CA certificates cannot be used: {error}"))?;
            builder.with_webpki_verifier(verifier)
        };
        match (&self.cert, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(cert), Some(key)) => builder
                .with_client_auth_cert(certificates("client certificate", cert)?, private_key(key)?)
                .map_err(|error| {
                    format!("the client certificate and its key cannot be used together: {error}")
                }),
            (Some(_), None) => Err("there is a client certificate but no key for it".to_owned()),
            (None, Some(_)) => Err("there is a client key but no certificate for it".to_owned()),
        }
    }

    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = &self.ca {
            for certificate in certificates("CA certificate", ca)? {
                roots
                    .add(certificate)
                    .map_err(|error| format!("a CA certificate cannot be used: {error}"))?;
            }
        } else {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err("the system has no CA certificates, and no CA certificate is given".to_owned());
            }
        }
        Ok(roots)
    }
}

fn certificates(what: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the {what} is no valid PEM text: {error}"))?;
    if found.is_empty() {
        return Err(format!("the {what} holds no `BEGIN CERTIFICATE` block"));
    }
    Ok(found)
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        "the client key holds no unencrypted private key as PEM text (PKCS#8, PKCS#1 or SEC1)".to_owned()
    })
}

/// Accepts any certificate of the Engine; made only where the user asked not to verify.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn problem(ca: Option<&str>, cert: Option<&str>, key: Option<&str>) -> String {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let material = TlsMaterial { ca: owned(ca), cert: owned(cert), key: owned(key).map(Zeroizing::new) };
        material.client(false).unwrap_err()
    }

    #[test]
    fn wrong_material_is_named_and_never_shown() {
        let made = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        let pem = |kind: &str, der: &[u8]| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
        };
        let cert = pem("CERTIFICATE", made.cert.der());
        let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
        assert!(problem(Some("junk"), None, None).contains("CA certificate holds no"));
        assert!(problem(Some(&cert), Some(&cert), None).contains("no key"));
        assert!(problem(Some(&cert), None, Some(&key)).contains("no certificate"));
        let shown = problem(Some(&cert), Some(&cert), Some("SECRET"));
        assert!(shown.contains("private key") && !shown.contains("SECRET"), "{shown}");
        let whole = TlsMaterial { ca: Some(cert.clone()), cert: Some(cert), key: Some(Zeroizing::new(key)) };
        assert!(whole.client(false).is_ok());
        assert!(!format!("{whole:?}").contains("BEGIN"));
    }
}
