//! The matrices: what was tried, with everything, and what came of it. `acceptance-tests/run --matrix` runs and prints them.

pub mod faults;
pub mod render;
pub mod table;
