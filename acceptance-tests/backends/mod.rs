//! Every attribute of what is behind a registry: `storage`, `cache`, `middleware` and `proxy`.

mod distribution;
mod matrix;
mod samples;
mod serving;

pub use distribution::RSA_KEY;
pub use samples::{SAMPLES, Sample};
