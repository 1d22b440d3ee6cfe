//! The matrices: what was tried, with everything, and what came of it. `acceptance-tests/run --matrix` runs and prints them.

mod clients;
mod faults;
mod random;
pub mod render;
mod report;
mod sources;
mod starts;
pub mod table;
mod truth;
mod versions;
