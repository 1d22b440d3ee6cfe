//! One file per Terraform resource type; start reading here.
