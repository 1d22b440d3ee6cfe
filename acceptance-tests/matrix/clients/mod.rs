//! Clients of the provider that nobody here wrote.
//!
//! Terraform is the host that the provider is made for, and that its own tests have. What Terraform forgives, others may
//! not: here the handshake, TLS, gRPC, the protocol's definition and the codec of values on the other side come from
//! people who read the same protocol and none of this code.

mod cdktf;
mod host;
mod lint;

use crate::testbed::{root, succeeded};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// tofusoup and what it is made of, in the releases that were tried.
const TOFUSOUP: &[&str] =
    &["tofusoup==0.8.2", "pyvider==0.8.1", "pyvider-cty==0.6.3", "pyvider-rpcplugin==0.5.5"];

/// The folder with these packages, brought if it is not there.
fn packages(kind: &str, packages: &[&str]) -> PathBuf {
    let mut command = Command::new(root().join("acceptance-tests/testbed/testbed"));
    let output = command.arg(kind).args(packages).output().unwrap();
    succeeded(&format!("testbed {kind}"), &output).trim().into()
}

/// Python with tofusoup.
fn python() -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages("python", TOFUSOUP)).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// The folder of these tests' files.
fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/matrix/clients")
}
