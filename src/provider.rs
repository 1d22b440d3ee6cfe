//! The provider: the `provider "swarm"` block and the one list of everything offered.
