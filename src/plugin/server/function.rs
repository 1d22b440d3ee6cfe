//! Provider functions. They are called before the provider is configured, as often as Terraform likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, codec, convert, pb, refusing, unknown};
use crate::terraform::{AnyFunction, Attribute, Value};
use pb::{call_function, get_functions};

refusing! {
    get_functions "GetFunctions";
}

/// Only OpenTofu asks this; Terraform takes the functions from the schema.
pub(super) async fn functions<P: Provider>(
    provider: Arc<P>,
    _: get_functions::Request,
) -> Result<get_functions::Response> {
    Ok(get_functions::Response { functions: signatures(&*provider), ..Default::default() })
}

/// What every function takes and gives.
pub(super) fn signatures<P: Provider>(provider: &P) -> BTreeMap<String, pb::Function> {
    let functions = provider.functions().iter().map(|function| &**function);
    functions.map(|function| (function.name().to_owned(), convert::function(function))).collect()
}

pub(super) async fn call<P: Provider>(
    provider: Arc<P>,
    request: call_function::Request,
) -> Result<call_function::Response> {
    let named = provider.functions().iter().find(|function| function.name() == request.name);
    let function = named.ok_or_else(|| unknown("function", &request.name))?;
    let answer = arguments(&**function, &request.arguments).and_then(|arguments| function.call(arguments));
    match answer.and_then(|answer| Ok(codec::encode_value(&answer, &function.answer().value_type())?)) {
        Ok(result) => Ok(call_function::Response { result: Some(result), error: None }),
        Err(reason) => {
            let parameters = function.parameters();
            let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
            let error = convert::function_error(reason, &names);
            Ok(call_function::Response { result: None, error: Some(error) })
        }
    }
}

/// The arguments in the order of the parameters. Terraform calls nothing with what is not known.
fn arguments(function: &dyn AnyFunction, sent: &[pb::DynamicValue]) -> Result<Vec<Value>> {
    let parameters = function.parameters();
    if parameters.len() != sent.len() {
        let (wanted, found) = (parameters.len(), sent.len());
        return Err(Diagnostic::error(
            "Wrong number of arguments",
            format!("`{}` takes {wanted}, but {found} came.", function.name()),
        ));
    }
    let decode = |((name, parameter), sent): (&(&'static str, Attribute), &pb::DynamicValue)| {
        codec::decode_value(Some(sent), &parameter.kind.value_type())
            .map_err(|mismatch| Diagnostic::from(mismatch).under(name))
    };
    parameters.iter().zip(sent).map(decode).collect()
}

impl Call for call_function::Request {
    const NAME: &'static str = "CallFunction";
    type Answer = call_function::Response;

    fn subject(&self) -> &str {
        &self.name
    }

    /// Functions have errors of their own instead of diagnostics, and no result beside one.
    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        call_function::Response { error: Some(convert::function_error(reason, &[])), result: None }
    }

    fn diagnostics(_: &Self::Answer) -> &[pb::Diagnostic] {
        &[]
    }
}
