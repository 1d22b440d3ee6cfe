//! CNCF Distribution: its configuration and its HTTP API. Knows neither Terraform nor Docker.
