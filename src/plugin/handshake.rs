//! What Terraform says in the environment when it starts a plugin, and the one line that it reads back.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// The variable that says "Terraform started this", and its value. It keeps people from running plugins by
/// hand; it is not a secret.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The majors of Terraform's protocol that we speak, lowest first.
const MAJORS: [u32; 1] = [6];

/// The environment of a plugin process, as far as the handshake goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Environment {
    /// Whether the cookie is there and right.
    pub(super) started_by_terraform: bool,
    /// The majors that the host offers, in no particular order.
    pub(super) offered: Vec<u32>,
    /// The host's certificate in PEM; without it the connection is in plain text.
    pub(super) client_certificate: Option<String>,
    /// Where the host wants the socket to be.
    pub(super) socket_folder: Option<String>,
    /// Whether the host asks if its broker may share one connection.
    pub(super) asks_for_multiplexing: bool,
}

impl Environment {
    /// Reads the environment of this process.
    pub(super) fn of_process() -> Self {
        Environment::read(|name| std::env::var(name).ok())
    }

    /// Reads an environment.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Environment {
            started_by_terraform: set(COOKIE.0).as_deref() == Some(COOKIE.1),
            offered: set("PLUGIN_PROTOCOL_VERSIONS")
                .map(|list| list.split(',').filter_map(|major| major.trim().parse().ok()).collect())
                .unwrap_or_default(),
            client_certificate: set("PLUGIN_CLIENT_CERT"),
            socket_folder: set("PLUGIN_UNIX_SOCKET_DIR"),
            asks_for_multiplexing: set("PLUGIN_MULTIPLEX_GRPC").is_some(),
        }
    }

    /// The highest major that both sides speak. Without one it is our lowest: the host then tells the user
    /// which versions it has and which the plugin has, which we could not say as well.
    pub(super) fn major(&self) -> u32 {
        let common = MAJORS.iter().rev().find(|major| self.offered.contains(major));
        *common.unwrap_or(&MAJORS[0])
    }
}

/// Whether a socket's path can stand in the handshake line, whose fields `|` separates.
pub(super) fn can_announce(socket: &Path) -> bool {
    socket.to_str().is_some_and(|path| !path.contains(['|', '\n', '\r']))
}

/// Writes the handshake line, which must be the only thing on standard output and must come after the socket
/// listens: protocol of the handshake, major, network, address, RPC kind, certificate, and whether the broker
/// may multiplex if the host asked.
pub(super) fn announce(
    mut out: impl Write,
    environment: &Environment,
    socket: &Path,
    certificate: Option<&[u8]>,
) -> io::Result<()> {
    if !can_announce(socket) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the socket's path does not fit into the line",
        ));
    }
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    let multiplexing = if environment.asks_for_multiplexing { "|false" } else { "" };
    let (major, socket) = (environment.major(), socket.display());
    writeln!(out, "1|{major}|unix|{socket}|grpc|{certificate}{multiplexing}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn cookie_must_be_exact() {
        assert!(environment(&[COOKIE]).started_by_terraform);
        assert!(!environment(&[(COOKIE.0, "d602")]).started_by_terraform);
        assert!(!environment(&[]).started_by_terraform);
    }

    #[test]
    fn major_is_found_in_any_order_and_falls_back_to_ours() {
        for offered in ["5,6", "6,5", "6", " 6 ", "7,6", "5", "", "nonsense"] {
            assert_eq!(environment(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]).major(), 6, "{offered}");
        }
    }

    #[test]
    fn empty_variables_count_as_unset() {
        let empty = [
            ("PLUGIN_CLIENT_CERT", ""),
            ("PLUGIN_UNIX_SOCKET_DIR", ""),
            ("PLUGIN_MULTIPLEX_GRPC", ""),
            ("PLUGIN_PROTOCOL_VERSIONS", ""),
        ];
        assert_eq!(environment(&empty), Environment::default());
    }

    #[test]
    fn line_has_six_fields_and_a_seventh_on_request() {
        let line = |variables: &[(&str, &str)], certificate| {
            let mut out = vec![];
            announce(&mut out, &environment(variables), Path::new("/tmp/x"), certificate).expect("writes");
            String::from_utf8(out).expect("text")
        };
        assert_eq!(line(&[], None), "1|6|unix|/tmp/x|grpc|\n");
        assert_eq!(line(&[], Some(&[255, 255, 255, 255])), "1|6|unix|/tmp/x|grpc|/////w\n");
        assert_eq!(line(&[("PLUGIN_MULTIPLEX_GRPC", "true")], None), "1|6|unix|/tmp/x|grpc||false\n");
    }
}
