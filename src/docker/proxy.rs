//! The proxy to an Engine on TCP, as the `docker` command finds it: `HTTP_PROXY` for plain connections, `HTTPS_PROXY` for
//! TLS, but for the hosts in `NO_PROXY`, and never for this machine itself.
//!
//! A plain request is handed to the proxy with its whole address, and TLS goes through a tunnel (`CONNECT`).

use super::explain::Cause;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use std::{fmt, net::IpAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// Bytes of a proxy's answer to `CONNECT` that are read at most.
const HEAD: usize = 8192;

/// What the environment says about proxies.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    except: String,
}

impl Proxies {
    pub(super) fn from_environment(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |upper: &str| env(upper).or_else(|| env(&upper.to_lowercase()));
        Self {
            http: either("HTTP_PROXY"),
            https: either("HTTPS_PROXY"),
            except: either("NO_PROXY").unwrap_or_default(),
        }
    }

    /// The proxy to a host, if there is one.
    ///
    /// # Errors
    /// The variable is no address of a proxy; what it says is not repeated, since it may hold a password.
    pub(super) fn to(&self, host: &str, port: u16, tls: bool) -> Result<Option<Proxy>, String> {
        let (variable, text) = if tls { ("HTTPS_PROXY", &self.https) } else { ("HTTP_PROXY", &self.http) };
        match text {
            Some(text) if !is_this_machine(host) && !self.excepts(host, port) => {
                Proxy::parse(text).map(Some).map_err(|problem| format!("{variable} {problem}"))
            }
            _ => Ok(None),
        }
    }

    /// Whether `NO_PROXY` names the host: by name (which stands for its subdomains too), by `.domain`, by address, by
    /// network, each with a port or without, or by `*`.
    fn excepts(&self, host: &str, port: u16) -> bool {
        let host = host.to_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        self.except.split(',').map(|entry| entry.trim().to_lowercase()).any(|entry| {
            if entry == "*" {
                return true;
            }
            if let Some((network, bits)) = entry.split_once('/') {
                let (Ok(network), Ok(bits), Some(address)) = (network.parse(), bits.parse(), address) else {
                    return false;
                };
                return is_within(address, network, bits);
            }
            let (name, wanted) = match entry.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') || name.ends_with(']') => {
                    (name, digits.parse().ok())
                }
                _ => (entry.as_str(), None),
            };
            if wanted.is_some_and(|wanted: u16| wanted != port) || name.is_empty() {
                return false;
            }
            let name = name.trim_start_matches('[').trim_end_matches(']');
            match (name.parse::<IpAddr>().ok(), address) {
                (None, None) => {}
                (named, address) => return named == address,
            }
            let name = name.strip_prefix('*').unwrap_or(name);
            match name.strip_prefix('.') {
                Some(_) => host.ends_with(name),
                None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
            }
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address.to_canonical(), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (address ^ network).checked_shr(width - bits).unwrap_or_default() == 0
}

/// A proxy.
#[derive(Clone, PartialEq)]
pub(super) struct Proxy {
    pub host: String,
    pub port: u16,
    /// `user:password`
    login: Option<Zeroizing<String>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

impl Proxy {
    /// `[http://][user:password@]host[:port]`
    fn parse(text: &str) -> Result<Self, String> {
        let form = || "is not of the form http://[user:password@]host[:port]".to_owned();
        let rest = match text.split_once("://") {
            None => text,
            Some(("http", rest)) => rest,
            Some((scheme @ ("https" | "socks5" | "socks5h"), _)) => {
                return Err(format!(
                    "names a proxy of the kind `{scheme}`, which is not supported. Use one of the kind `http`"
                ));
            }
            Some(_) => return Err(form()),
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (host, port) = super::endpoint::host_and_port(place).ok_or_else(form)?;
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = login.map(|login| match login.split_once(':') {
            Some((user, password)) => format!("{}:{}", decoded(user), decoded(password)),
            None => format!("{}:", decoded(login)),
        });
        Ok(Self { host, port: port.unwrap_or(80), login: login.map(Zeroizing::new) })
    }

    /// What the proxy knows us by.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let login = self.login.as_ref()?;
        let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(login.as_bytes()))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Asks for a tunnel over a connection to the proxy.
    pub(super) async fn tunnel(&self, stream: &mut TcpStream, authority: &str) -> Result<(), Cause> {
        let authorization = self.authorization();
        let authorization = authorization.as_ref().and_then(|value| value.to_str().ok());
        let line = authorization.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
        let request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{line}\r\n");
        let broken = |error: &std::io::Error| self.cause(&format!("the tunnel broke: {error}"), None, true);
        stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
        // Not a byte beyond the head may be read: what follows is of the Engine.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) if head.len() < HEAD => head.push(byte),
                Ok(_) => return Err(self.cause("it does not speak HTTP", None, false)),
                Err(error) => return Err(broken(&error)),
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.split(' ').nth(1).unwrap_or_default();
        let hint = match status {
            status if status.starts_with('2') && status.len() == 3 => return Ok(()),
            "407" => Some(
                "Give the proxy its user and password in HTTPS_PROXY, or leave the host out with NO_PROXY",
            ),
            _ => Some("Let the proxy connect to that host and port, or leave the host out with NO_PROXY"),
        };
        let line = head.lines().next().unwrap_or_default();
        Err(self.cause(&format!("no tunnel: it answers `{line}`"), hint, status.starts_with('5')))
    }

    /// A failure on the way to the Engine that is the proxy's.
    pub(super) fn cause(&self, text: &str, hint: Option<&'static str>, passing: bool) -> Cause {
        Cause::new(format!("through the proxy {}:{}: {text}", self.host, self.port), hint, passing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    fn proxies(pairs: &[(&str, &str)]) -> Proxies {
        Proxies::from_environment(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn plain_connections_and_tls_have_a_proxy_each_in_either_case() {
        let found = proxies(&[("HTTP_PROXY", "http://plain:3128"), ("https_proxy", "secure")]);
        let plain = found.to("hubmgr", 2375, false).unwrap().unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("plain", 3128));
        let secure = found.to("hubmgr", 2376, true).unwrap().unwrap();
        assert_eq!((secure.host.as_str(), secure.port), ("secure", 80));
        for here in ["localhost", "127.1.2.3", "::1"] {
            assert_eq!(found.to(here, 2375, false), Ok(None), "{here}");
        }
        assert_eq!(proxies(&[]).to("hubmgr", 2375, false), Ok(None));
    }

    #[test]
    fn no_proxy_is_understood_as_go_does() {
        let excepts = |list: &str, host: &str| {
            let found = proxies(&[("HTTP_PROXY", "p"), ("NO_PROXY", list)]);
            found.to(host, 2375, false).unwrap().is_none()
        };
        for (list, host) in [
            ("*", "any"),
            ("hub.local", "hub.local"),
            ("a, HUB.local ,b", "hub.Local"),
            ("hub.local", "m1.hub.local"),
            (".hub.local", "m1.hub.local"),
            ("*.hub.local", "m1.hub.local"),
            ("hub.local:2375", "hub.local"),
            ("10.0.0.0/8", "10.2.3.4"),
            ("10.2.3.4", "10.2.3.4"),
            ("fd00::/8", "fd00::1"),
            ("[fd00::1]:2375", "fd00::1"),
        ] {
            assert!(excepts(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("", "hub"),
            ("hub.local", "nothub.local"),
            (".hub.local", "hub.local"),
            ("hub.local:99", "hub.local"),
            ("10.0.0.0/8", "11.2.3.4"),
            ("10.0.0.0/99", "10.2.3.4"),
            ("10.2.3.4", "m1.10.2.3.4"),
        ] {
            assert!(!excepts(list, host), "{list} {host}");
        }
    }

    #[test]
    fn a_login_is_sent_and_never_shown() {
        let found = proxies(&[("HTTP_PROXY", "http://me:p%40ss@p:1")]);
        let proxy = found.to("hub", 2375, false).unwrap().unwrap();
        let sent = proxy.authorization().unwrap();
        assert_eq!(sent.to_str().unwrap(), format!("Basic {}", STANDARD.encode("me:p@ss")));
        assert!(sent.is_sensitive() && !format!("{proxy:?}").contains("ss@"));
        let wrong = proxies(&[("HTTP_PROXY", "ftp://me:hunter2@p")]).to("hub", 2375, false).unwrap_err();
        assert!(wrong.starts_with("HTTP_PROXY is not of the form") && !wrong.contains("hunter2"), "{wrong}");
    }

    proptest! {
        #[test]
        fn whatever_login_is_written_is_sent(user in "[^:]{0,6}", password in "\\PC{0,6}", port in 1..=u16::MAX) {
            let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let text = format!("http://{}:{}@p:{port}", escaped(&user), escaped(&password));
            let proxy = Proxy::parse(&text).unwrap();
            prop_assert_eq!((proxy.host.as_str(), proxy.port), ("p", port));
            let sent = proxy.authorization().unwrap();
            let sent = sent.to_str().unwrap().strip_prefix("Basic ").map(|login| STANDARD.decode(login).unwrap());
            prop_assert_eq!(sent, Some(format!("{user}:{password}").into_bytes()));
        }
    }
}
