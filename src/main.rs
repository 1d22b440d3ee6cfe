//! The binary: Terraform starts it, and people who do so by hand are told what it is.
//!
//! What it serves is in [`swarm::provider`], how in [`swarm::plugin`].

use std::process::ExitCode;

fn main() -> ExitCode {
    swarm::plugin::run(swarm::provider::Swarm::default)
}
