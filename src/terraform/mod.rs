//! Terraform's data model. Pure: no I/O, no clock, no logging.
