//! A load balancer before a registry's nodes, as a company has one: haproxy, which passes TCP connections on.

use crate::testbed::Testbed;
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A running load balancer, which tries another node where one refuses.
pub struct Balancer {
    process: Child,
    statistics: PathBuf,
    /// The port of this machine's loopback on which it listens.
    pub port: u16,
}

impl Balancer {
    /// Starts it before that port of those hosts, with its files in `folder`.
    pub fn start(folder: &Path, testbed: &Testbed, hosts: &[&str], to: u16) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (configuration, statistics) = (folder.join("haproxy.cfg"), folder.join("haproxy.sock"));
        let mut text = format!(
            "global\n  stats socket {} level user\n\
             defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 30s\n  timeout server 30s\n  \
             retries 5\n  option redispatch 1\n\
             listen hub\n  bind 127.0.0.1:{port}\n  balance roundrobin\n",
            statistics.display()
        );
        for host in hosts {
            let address = testbed.address(host);
            text += &format!("  server {host} {address}:{to} check inter 100ms fall 1 rise 1\n");
        }
        fs::write(&configuration, text).unwrap();
        let mut haproxy = Command::new("haproxy");
        haproxy.args(["-db", "-q", "-f"]).arg(&configuration).stderr(Stdio::null());
        Balancer { process: haproxy.spawn().unwrap(), statistics, port }
    }

    /// How many connections each host has got, and how many of them it refused.
    pub fn connections(&self, host: &str) -> (u64, u64) {
        let mut socket = UnixStream::connect(&self.statistics).unwrap();
        socket.write_all(b"show stat\n").unwrap();
        let mut table = String::new();
        socket.read_to_string(&mut table).unwrap();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
        let row =
            rows.iter().find(|row| row.get(1) == Some(&host)).unwrap_or_else(|| panic!("{host} in {table}"));
        let column = |name: &str| {
            let at = rows[0].iter().position(|title| *title == name).unwrap();
            row[at].parse().unwrap_or(0)
        };
        (column("stot"), column("wretr"))
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}
