//! How long Terraform waits for the handshake line, from starting the binary until the line is read; and how long for the line
//! of a static program that does nothing but write one, start by start in turn.
//!
//! Terraform starts a provider two to five times in one command, each time for nothing but this. Run it on an idle
//! machine: `cargo bench --bench handshake`.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const STARTS: usize = 50;
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let certificate = certificate()?;
    let folder = tempfile::tempdir()?;
    let empty = empty(folder.path())?;
    for (name, certificate) in [("mutual TLS", Some(&certificate)), ("plain text", None)] {
        let (mut own, mut its) = (vec![], vec![]);
        for _ in 0..STARTS {
            own.push(start(certificate)?);
            its.push(first_line(Command::new(&empty))?.0);
        }
        let all = |times: &mut Vec<Duration>| {
            times.sort();
            [times[0], times[STARTS / 2], times[STARTS * 95 / 100]].map(milliseconds)
        };
        let ([min, median, p95], [_, empty, _]) = (all(&mut own), all(&mut its));
        writeln!(
            io::stdout(),
            "{name}: min {min}, median {median}, p95 {p95} over {STARTS} starts; an empty program's median {empty}"
        )?;
    }
    Ok(())
}

/// A program that writes a line, linked statically.
fn empty(folder: &Path) -> io::Result<PathBuf> {
    let (source, program) = (folder.join("empty.rs"), folder.join("empty"));
    std::fs::write(&source, "fn main() { println!(\"1|6|unix|/nowhere|grpc|\"); }")?;
    let mut rustc = Command::new("rustc");
    rustc
        .args(["-O", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-o"])
        .arg(&program)
        .arg(source);
    if rustc.status()?.success() {
        Ok(program)
    } else {
        Err(io::Error::other("rustc refuses an empty program"))
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// Starts the binary as Terraform does, and ends it when it has said its line.
fn start(certificate: Option<&String>) -> io::Result<Duration> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_terraform-provider-swarm"));
    command.env(COOKIE.0, COOKIE.1).env("PLUGIN_PROTOCOL_VERSIONS", "5,6").env_remove("PLUGIN_CLIENT_CERT");
    command.envs(certificate.map(|pem| ("PLUGIN_CLIENT_CERT", pem)));
    let (took, line) = first_line(command)?;
    let fields: Vec<_> = line.trim_end().split('|').collect();
    let [_, _, _, socket, _, proof] = fields[..] else { return Err(io::Error::other("no handshake line")) };
    if let Some(folder) = Path::new(socket).parent() {
        std::fs::remove_dir_all(folder)?;
    }
    if proof.is_empty() == certificate.is_some() {
        return Err(io::Error::other("a certificate where none is wanted, or none where one is"));
    }
    Ok(took)
}

/// Starts a program, and ends it when it has said a line, which took as long as is said.
fn first_line(mut command: Command) -> io::Result<(Duration, String)> {
    let began = Instant::now();
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    if let Some(out) = process.stdout.take() {
        BufReader::new(out).read_line(&mut line)?;
    }
    let took = began.elapsed();
    process.kill()?;
    process.wait()?;
    Ok((took, line))
}

/// A certificate like Terraform's own, in PEM.
fn certificate() -> Result<String, rcgen::Error> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512)?;
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()])?.self_signed(&key)?;
    let text = STANDARD.encode(certificate.der());
    Ok(format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"))
}
