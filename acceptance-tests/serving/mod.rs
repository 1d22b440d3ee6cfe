//! Every attribute of how a registry serves: all of Distribution's settings but those of what is behind it.

mod distribution;
mod drift;
mod matrix;
mod samples;

pub use samples::{SAMPLES, Sample};
