//! The Docker Engine API. Nothing here knows Terraform.
