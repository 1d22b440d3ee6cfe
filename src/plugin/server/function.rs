//! Provider functions, of which there are none yet.

use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, pb, refusing, unknown};
use pb::{call_function, get_functions};

refusing! {
    get_functions "GetFunctions";
}

/// Only OpenTofu asks this; Terraform takes the functions from the schema.
pub(super) async fn functions<P: Provider>(
    _: Arc<P>,
    _: get_functions::Request,
) -> Result<get_functions::Response> {
    Ok(get_functions::Response::default())
}

pub(super) async fn call<P: Provider>(
    _: Arc<P>,
    request: call_function::Request,
) -> Result<call_function::Response> {
    Err(unknown("function", &request.name))
}

impl Call for call_function::Request {
    const NAME: &'static str = "CallFunction";
    type Answer = call_function::Response;

    fn subject(&self) -> &str {
        &self.name
    }

    /// Functions have errors of their own instead of diagnostics, and no result beside one.
    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        let text = format!("{}: {}", reason.summary, reason.detail);
        call_function::Response {
            error: Some(pb::FunctionError { text, function_argument: None }),
            result: None,
        }
    }

    fn diagnostics(_: &Self::Answer) -> &[pb::Diagnostic] {
        &[]
    }
}
