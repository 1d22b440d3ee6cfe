//! A load balancer before a registry's nodes, as a company has one: haproxy as docs/guides/high-availability.md sets it up.

use crate::testbed::Testbed;
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A running load balancer. It ends its clients' TLS, and makes a TLS connection of its own for each request: once that is
/// made, a registry that stops still answers, so nothing is lost; where it cannot be made, another node is tried.
pub struct Balancer {
    process: Child,
    folder: PathBuf,
    /// The port of this machine's loopback on which it listens.
    pub port: u16,
}

impl Balancer {
    /// Starts it before that port of those hosts, with its files in `folder`, a certificate for `name` of its own, which
    /// `front/balancer.crt` there trusts, and trust in the nodes' `certificates`, which are for `name` too.
    pub fn start(
        folder: &Path,
        testbed: &Testbed,
        hosts: &[&str],
        to: u16,
        name: &str,
        certificates: &[&str],
    ) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        fs::create_dir_all(folder.join("front")).unwrap();
        fs::write(folder.join("front/balancer.crt"), own.cert.pem()).unwrap();
        fs::write(folder.join("balancer.pem"), own.cert.pem() + &own.signing_key.serialize_pem()).unwrap();
        let trusted = certificates.iter().map(|file| fs::read_to_string(folder.join(file)).unwrap());
        fs::write(folder.join("nodes.pem"), trusted.collect::<String>()).unwrap();
        let at = folder.display();
        let mut text = format!(
            "global\n  stats socket {at}/haproxy.sock level user\n  log stdout format raw local0\n\
             defaults\n  mode http\n  log global\n  option httplog\n  option http-server-close\n  \
             timeout connect 2s\n  timeout client 1m\n  timeout server 1m\n  retries 5\n  option redispatch 1\n\
             listen hub\n  bind 127.0.0.1:{port} ssl crt {at}/balancer.pem\n  balance roundrobin\n  \
             default-server ssl verify required ca-file {at}/nodes.pem sni str({name}) \
             check inter 500ms fall 1 rise 1\n",
        );
        for host in hosts {
            text += &format!("  server {host} {}:{to}\n", testbed.address(host));
        }
        fs::write(folder.join("haproxy.cfg"), text).unwrap();
        let mut haproxy = Command::new("haproxy");
        haproxy.args(["-db", "-f"]).arg(folder.join("haproxy.cfg"));
        haproxy.stdout(File::create(folder.join("haproxy.log")).unwrap()).stderr(Stdio::null());
        Balancer { process: haproxy.spawn().unwrap(), folder: folder.to_owned(), port }
    }

    /// What its log says of requests that it could not answer from a node.
    pub fn trouble(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("haproxy.log")).unwrap_or_default();
        // The state of a request's end: two dashes, then of cookies, where all went well.
        log.lines()
            .filter(|line| line.contains("HTTP/") && !line.contains(" ---- "))
            .map(str::to_owned)
            .collect()
    }

    /// How many requests a host has got.
    pub fn requests(&self, host: &str) -> u64 {
        let mut socket = UnixStream::connect(self.folder.join("haproxy.sock")).unwrap();
        socket.write_all(b"show stat\n").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        let row =
            rows.iter().find(|row| row.get(1) == Some(&host)).unwrap_or_else(|| panic!("{host} in {table}"));
        let at = rows[0].iter().position(|title| *title == "stot").unwrap();
        row[at].parse().unwrap_or(0)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}
