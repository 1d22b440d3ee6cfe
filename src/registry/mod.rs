//! CNCF Distribution: its configuration and its HTTP API. Knows neither Terraform nor Docker.
//!
//! Everything here is pure but for [`probe`], which asks a running registry whether it serves, and [`client`], which
//! reads, writes and lists what is in it, and [`copy`], which brings images there.
//!
//! | module | answers |
//! | --- | --- |
//! | [`image`] | what does an image reference say, and do two of them differ by more than a digest |
//! | [`dialect`] | which of Distribution's configuration dialects does an image speak |
//! | [`configuration`] | what is in the registry's configuration file |
//! | [`certificate`] | will clients accept this certificate, and does the key belong to it |
//! | [`htpasswd`] | can these users log in, and what is the file that lets them |
//! | [`checks`] | will this deployment lose images, open itself, or never start |
//! | [`derive`] | what follows from the configuration: health check, grace, monitor, update order |
//! | [`retention`] | which tags have had their time, and which manifests go with them |
//! | [`garbage_collection`] | what runs beside a registry that is read-only for a while, and how it gets so |
//! | [`probe`] | does the registry serve, and if not, why |
//! | [`client`] | what is in the registry |
//! | [`copy`] | how does an image get there: from another registry, or from files |
//! | [`repository`] | which tags has a repository, and which manifests can go with them without harm to others |

pub mod certificate;
pub mod checks;
pub mod client;
pub mod configuration;
pub mod copy;
pub mod derive;
pub mod dialect;
pub mod duration;
pub mod garbage_collection;
pub mod htpasswd;
pub mod image;
pub mod probe;
pub mod repository;
pub mod retention;

mod connect;
mod finding;
mod secret;
mod trust;

pub use dialect::Dialect;
pub use finding::{Finding, Severity};
pub use secret::Secret;
pub use trust::Trust;
