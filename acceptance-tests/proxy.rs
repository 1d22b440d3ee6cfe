//! Docker's proxy variables.

use crate::{
    connections::{secret, works},
    terraform::Workspace,
    testbed::Testbed,
};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// A proxy of HTTP, which tunnels and passes on, and remembers what it was asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || serve(client, &asked));
            }
        });
        proxy
    }

    /// Whoever may use it says so.
    fn url(&self) -> String {
        format!("http://me:secret@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// One connection to the proxy. A connection to an Engine takes its first request's head in the form for servers; those
/// after it are for the same Engine, so they go through in the form for proxies, which a server has to understand as well.
fn serve(client: TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut client = client;
    // `me:secret` in base64.
    if !head.to_lowercase().contains(&"proxy-authorization: basic bWU6c2VjcmV0".to_lowercase()) {
        client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    let line = head.lines().next()?.to_owned();
    let target = line.split(' ').nth(1)?;
    asked.lock().unwrap().push(line.clone());
    let authority = target.strip_prefix("http://").unwrap_or(target).split('/').next()?;
    let mut server = TcpStream::connect(authority).ok()?;
    if line.starts_with("CONNECT") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    } else {
        server.write_all(head.as_bytes()).ok()?;
    }
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
    server.write_all(reader.buffer()).ok()?;
    std::io::copy(reader.get_mut(), &mut server).ok()?;
    server.shutdown(std::net::Shutdown::Write).ok()?;
    back.join().ok()?.ok()?;
    Some(())
}

#[test]
fn dockers_proxy_variables_are_for_tcp_alone_and_no_proxy_stands() {
    let testbed = Testbed::start(&["--tls"], &["proxied"]);
    let plain = Testbed::start(&[], &["plain"]);
    let proxy = Proxy::start();
    let tcp = format!("tcp://{}:2375", plain.address("plain"));
    let mut workspace = Workspace::new(&plain, &secret());
    workspace.set("HTTP_PROXY", &proxy.url());
    workspace.set("https_proxy", &proxy.url());
    works(&workspace);
    assert_eq!(proxy.asked(), [""; 0], "a local socket has no proxy");

    workspace.set("DOCKER_HOST", &tcp);
    works(&workspace);
    let asked = proxy.asked();
    let whole = format!("GET http://{}:2375/", plain.address("plain"));
    assert!(!asked.is_empty() && asked.iter().any(|line| line.starts_with(&whole)), "{asked:?}");

    workspace.set("NO_PROXY", "10.213.0.0/16");
    works(&workspace);
    assert_eq!(proxy.asked(), [""; 0]);

    workspace.set("NO_PROXY", "");
    workspace.set("HTTP_PROXY", &format!("http://127.0.0.1:{}", proxy.port));
    let said = workspace.apply_fails();
    assert!(said.contains("proxy") && said.contains("407"), "{said}");

    workspace.set("HTTP_PROXY", "");
    let host = format!("{}:2376", testbed.address("proxied"));
    workspace.set("DOCKER_HOST", &format!("tcp://{host}"));
    workspace.set("DOCKER_TLS_VERIFY", "1");
    workspace.set("DOCKER_CERT_PATH", &testbed.file("tls").display().to_string());
    works(&workspace);
    let asked = proxy.asked();
    let tunnel = format!("CONNECT {host} HTTP/1.1");
    assert!(!asked.is_empty() && asked.iter().all(|line| *line == tunnel), "{asked:?}");
}
