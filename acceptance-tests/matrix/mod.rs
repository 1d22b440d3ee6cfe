//! The matrices: what was tried, with everything, and what came of it. `acceptance-tests/run --matrix` runs and prints them.

mod random;
pub mod render;
mod report;
pub mod table;
mod truth;
