//! The wire: what makes a process a Terraform plugin.
//!
//! Terraform starts the binary several times in one command and speaks gRPC with it over a Unix socket. Here is
//! all that this takes, and nothing of what a provider does: a provider is whatever implements
//! [`terraform::Provider`](crate::terraform::Provider).
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`command`] | the command line of the binary, for people who start it by hand |
//! | [`handshake`] | the environment that Terraform passes, and the one line that it reads back |
//! | [`socket`], [`tls`], [`connection`] | the way in: a private socket, both sides proven by certificate |
//! | [`lifecycle`] | serving, and when that ends |
//! | [`companions`] | the small services that go-plugin expects beside the provider |
//! | [`reattach`] | the same server for a debugger, which Terraform does not start |
//! | [`log`], [`crash`] | standard error: structured lines, and panics |
//! | [`server`] | every call of the protocol |
//! | [`codec`], [`convert`], [`proto`] | values, schemas and diagnostics as bytes and messages |

mod codec;
mod command;
mod companions;
mod connection;
mod convert;
mod crash;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod handshake;
#[cfg(test)]
mod host;
mod lifecycle;
mod log;
mod proto;
mod reattach;
#[cfg(test)]
mod sample;
mod server;
mod socket;
mod tls;

pub use command::run;
pub use lifecycle::{ServeError, serve};
pub use tls::TlsError;
