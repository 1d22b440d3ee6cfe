//! What is an address of an Engine, and which setting goes first.

use super::*;
use proptest::{option, prelude::*};

fn tcp(host: &str, port: u16, tls: bool) -> Address {
    Address::Tcp { host: host.into(), port, tls }
}

#[test]
fn addresses_are_understood_as_the_docker_command_does() {
    let parse = |text: &str| Address::parse(text, false).unwrap();
    assert_eq!(parse("unix:///run/d.sock"), Address::Unix("/run/d.sock".into()));
    assert_eq!(parse("tcp://10.0.0.1"), tcp("10.0.0.1", 2375, false));
    assert_eq!(parse("tcp://h:2376"), tcp("h", 2376, true));
    assert_eq!(parse("tcp://[::1]:99/"), tcp("::1", 99, false));
    assert_eq!(Address::parse("tcp://h", true).unwrap(), tcp("h", 2376, true));
    assert_eq!(
        parse("ssh://u@h:22/run/d.sock"),
        Address::Ssh(SshAddress {
            user: Some("u".into()),
            host: "h".into(),
            port: Some(22),
            socket: Some("/run/d.sock".into())
        })
    );
}

#[test]
fn what_is_no_address_is_refused_with_the_form() {
    for text in [
        "host:2375",
        "unix://run",
        "tcp://",
        "tcp://h:0",
        "tcp://h:99999",
        "tcp://::1",
        "npipe:////./pipe",
        "ssh://",
        "ssh://u:p@h",
        "ssh://-oProxyCommand=x",
        "ssh://-x@h",
    ] {
        assert!(Address::parse(text, false).is_err(), "{text}");
    }
}

fn resolve(settings: &Settings, env: &[(&str, &str)]) -> Result<Endpoint, EndpointError> {
    let env: Vec<(String, String)> =
        env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let lookup = move |name: &str| env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    Endpoint::resolve(settings, &lookup, None)
}

#[test]
fn the_more_explicit_setting_wins_and_is_remembered() {
    let explicit = Settings { hosts: vec!["tcp://a:1".into()], ..Settings::default() };
    let env = [("DOCKER_HOST", "tcp://b:2"), ("DOCKER_CONTEXT", "c")];
    let found = resolve(&explicit, &env).unwrap();
    assert_eq!((found.host().as_str(), found.origin()), ("tcp://a:1", "the provider's `host`"));
    let found = resolve(&Settings::default(), &env).unwrap();
    assert_eq!((found.host().as_str(), found.origin()), ("tcp://b:2", "DOCKER_HOST"));
    let found = resolve(&Settings::default(), &[("DOCKER_HOST", "")]).unwrap();
    assert_eq!(found.origin(), "the default socket");
    let error = resolve(&Settings::default(), &[("DOCKER_HOST", "b:2")]).unwrap_err();
    assert!(error.to_string().starts_with("DOCKER_HOST: `b:2` has no scheme"), "{error}");
}

#[test]
fn tls_files_come_from_the_folder_that_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), "CA").unwrap();
    let path = folder.path().to_str().unwrap();
    let env = [("DOCKER_HOST", "tcp://b:9"), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", path)];
    let found = resolve(&Settings::default(), &env).unwrap();
    assert_eq!(found.tls.ca.as_deref(), Some("CA"));
    assert_eq!(found.addresses, [tcp("b", 9, true)]);
    let tls = TlsMaterial { ca: Some("MINE".into()), ..TlsMaterial::default() };
    let found = resolve(&Settings { tls, ..Settings::default() }, &env).unwrap();
    assert_eq!(found.tls.ca.as_deref(), Some("MINE"));
}

#[test]
fn another_host_has_what_the_provider_has_but_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), "CA").unwrap();
    let ssh = SshSettings { jump_host: Some("j".into()), ..SshSettings::default() };
    let env = [
        ("DOCKER_HOST", "ssh://u@m"),
        ("DOCKER_CERT_PATH", folder.path().to_str().unwrap()),
        ("HTTPS_PROXY", "p"),
    ];
    let provider = resolve(&Settings { ssh, ..Settings::default() }, &env).unwrap();
    let at = |host: &str| Settings { hosts: vec![host.into()], ..Settings::default() };
    let other = provider.elsewhere(&at("tcp://w:9")).unwrap();
    assert_eq!((other.addresses, other.tls.ca.as_deref()), (vec![tcp("w", 9, true)], Some("CA")));
    assert!(other.proxies.to("w", 9, true).unwrap().is_some());
    let other = provider.elsewhere(&at("ssh://w")).unwrap();
    assert_eq!(other.ssh.jump_host.as_deref(), Some("j"));
    let own = tempfile::tempdir().unwrap();
    std::fs::write(own.path().join("ca.pem"), "OWN").unwrap();
    let cert_path = Some(own.path().into());
    let other = provider.elsewhere(&Settings { cert_path, ..at("tcp://w:9") }).unwrap();
    assert_eq!(other.tls.ca.as_deref(), Some("OWN"));
}

fn address() -> impl Strategy<Value = Address> {
    let host = || "[a-z][a-z0-9.-]{0,5}|[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}|::1";
    let ssh = (
        option::of("[a-z][a-z0-9-]{0,3}"),
        host(),
        option::of(1..=u16::MAX),
        option::of("(/[a-z.]{1,4}){1,2}"),
    );
    prop_oneof![
        "(/[a-z._ -]{1,4}){1,3}".prop_map(|path| Address::Unix(path.into())),
        (host(), 1..=u16::MAX, any::<bool>()).prop_map(|(host, port, tls)| Address::Tcp { host, port, tls }),
        ssh.prop_map(|(user, host, port, socket)| Address::Ssh(SshAddress { user, host, port, socket })),
    ]
}

/// An address as it is written.
fn written(address: &Address) -> String {
    let bracketed = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match address {
        Address::Unix(path) => format!("unix://{}", path.display()),
        Address::Tcp { host, port, tls } => {
            format!("{}://{}:{port}", if *tls { "https" } else { "http" }, bracketed(host))
        }
        Address::Ssh(SshAddress { user, host, port, socket }) => {
            let user = user.iter().map(|user| format!("{user}@")).collect::<String>();
            let port = port.iter().map(|port| format!(":{port}")).collect::<String>();
            format!("ssh://{user}{}{port}{}", bracketed(host), socket.as_deref().unwrap_or_default())
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(address in address()) {
        prop_assert_eq!(Address::parse(&written(&address), false), Ok(address));
    }

    #[test]
    fn what_is_read_is_read_again(text in "(unix|tcp|https?|ssh)://[a-z0-9@:/\\[\\]. -]{0,12}", tls: bool) {
        if let Ok(address) = Address::parse(&text, tls) {
            prop_assert_eq!(Address::parse(&written(&address), false), Ok(address), "{}", text);
        }
    }
}
