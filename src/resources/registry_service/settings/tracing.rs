//! `tracing`: where traces of requests go, which the registry takes from its environment alone.

use super::{one_of, web_address};
use crate::terraform::Model;

/// Where traces of requests go (OpenTelemetry). Distribution 3.0 and later; it samples every request, whatever a sampler in the
/// environment says.
///
/// OpenTelemetry takes headers from the environment alone, where everybody who may inspect the service reads them. So there
/// are none here: a collector of one's own on a network of the service can add them.
#[derive(Clone, Debug, PartialEq, Model)]
pub struct Tracing {
    /// `otlp`: a collector. `console`: the registry's output (`OTEL_TRACES_EXPORTER`).
    #[tf(default = "otlp", check = exporter)]
    pub exporter: String,

    /// Address of the collector, such as `http://collector:4318` (`OTEL_EXPORTER_OTLP_ENDPOINT`). Without it
    /// `https://localhost:4318`, or the port 4317 by `grpc`.
    #[tf(check = web_address)]
    pub endpoint: Option<String>,

    /// How the collector is spoken to: `http/protobuf` or `grpc` (`OTEL_EXPORTER_OTLP_PROTOCOL`).
    #[tf(default = "http/protobuf", check = protocol)]
    pub protocol: String,

    /// What the traces call the registry instead of `distribution` (`OTEL_SERVICE_NAME`). Distribution 3.1 and later.
    #[tf(check = crate::resources::service::not_empty)]
    pub service_name: Option<String>,
}

impl Tracing {
    /// The variables that say so.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("OTEL_TRACES_EXPORTER", self.exporter.clone()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", self.protocol.clone()),
        ];
        variables.extend(self.endpoint.clone().map(|endpoint| ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)));
        variables.extend(self.service_name.clone().map(|name| ("OTEL_SERVICE_NAME", name)));
        variables
    }
}

fn exporter(exporter: &str) -> Result<(), String> {
    one_of(exporter, &["otlp", "console"])
}

fn protocol(protocol: &str) -> Result<(), String> {
    one_of(protocol, &["http/protobuf", "grpc"])
}
