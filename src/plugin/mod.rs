//! The wire: what makes a process a Terraform plugin.

mod proto;
