//! Why a connection failed, and what to do about it.

use std::{error::Error as StdError, io};

/// Why a connection failed, in words.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub text: String,
    pub hint: Option<&'static str>,
    /// Whether another attempt may do better.
    pub passing: bool,
}

impl Cause {
    pub(super) fn new(text: impl Into<String>, hint: Option<&'static str>, passing: bool) -> Self {
        Self { text: text.into(), hint, passing }
    }
}

/// Explains why a socket could not be connected to.
pub(super) fn explain_io(error: &io::Error, local: bool) -> Cause {
    use io::ErrorKind as Kind;
    let (text, hint, passing) = match (error.kind(), local) {
        (Kind::NotFound, true) => ("the socket does not exist", "Is the Docker Engine running there?", true),
        (Kind::PermissionDenied, true) => (
            "permission denied on the socket",
            "Run as root or as a member of the group `docker`, or name another Engine",
            false,
        ),
        (Kind::ConnectionRefused, true) => {
            ("connection refused: nothing listens on the socket", "Is the Docker Engine running there?", true)
        }
        (Kind::ConnectionRefused, false) => (
            "connection refused",
            "Check the port, that the Docker Engine runs, and that it listens on TCP",
            true,
        ),
        (Kind::TimedOut, _) => {
            ("no connection came about in time", "Check the address, the network and the firewall", true)
        }
        (Kind::ConnectionReset | Kind::BrokenPipe | Kind::UnexpectedEof, _) => {
            return Cause::new(error.to_string(), None, true);
        }
        _ => {
            let text = error.to_string();
            let lookup = text.contains("lookup address");
            let hint = lookup.then_some("Check the name of the host");
            return Cause::new(text, hint, false);
        }
    };
    Cause::new(text, Some(hint), passing)
}

/// Explains why a TLS session did not come about.
pub(super) fn explain_tls(error: &io::Error) -> Cause {
    match tls_error(error) {
        Some(error) => explain_rustls(error),
        None => explain_io(error, false),
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn explain_rustls(error: &rustls::Error) -> Cause {
    use rustls::{AlertDescription as Alert, CertificateError as Certificate, Error};
    let hint = match error {
        Error::InvalidCertificate(Certificate::UnknownIssuer) => Some(
            "The Engine's certificate is signed by none of the known authorities. Give the CA certificate that signed it",
        ),
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            Some("The Engine's certificate has expired. Renew it there")
        }
        Error::InvalidCertificate(Certificate::NotValidYet | Certificate::NotValidYetContext { .. }) => {
            Some("The Engine's certificate is not valid yet. Check the clocks")
        }
        Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => Some("The Engine's certificate does not name this host. Use a name or address that it holds"),
        Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::HandshakeFailure,
        ) => Some(
            "The Engine wants a client certificate of its own authority. Give the right client certificate and key",
        ),
        Error::AlertReceived(Alert::CertificateExpired) => {
            Some("The client certificate has expired. Make a new one")
        }
        Error::InvalidMessage(_) => Some("The Engine does not speak TLS on this port"),
        _ => None,
    };
    Cause::new(error.to_string(), hint, false)
}

/// Finds the cause in the chain of an error of hyper.
///
/// The innermost error says most; outer ones ("client error (Connect)") say nothing to a person.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> Cause {
    let mut texts = error.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<super::connect::ConnectError>() {
            return found.0.clone();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            if let Some(inner) =
                error.get_ref().and_then(|inner| inner.downcast_ref::<super::ssh::SessionEnded>())
            {
                return inner.explain();
            }
            return explain_tls(error);
        }
        texts = error.to_string();
        next = error.source();
    }
    Cause::new(texts, None, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription, CertificateError};

    fn hint(error: rustls::Error) -> String {
        explain_tls(&io::Error::new(io::ErrorKind::InvalidData, error)).hint.unwrap_or_default().to_owned()
    }

    #[test]
    fn tls_failures_say_what_to_do() {
        assert!(hint(CertificateError::UnknownIssuer.into()).contains("CA certificate"));
        assert!(hint(CertificateError::Expired.into()).contains("expired"));
        assert!(hint(CertificateError::NotValidForName.into()).contains("name this host"));
        assert!(
            hint(rustls::Error::AlertReceived(AlertDescription::CertificateRequired))
                .contains("client certificate")
        );
    }
}
