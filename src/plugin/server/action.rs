//! Actions, of which the provider has none yet.

use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, convert, pb, refusing, unknown};
use pb::invoke_action::event::{Completed, Type};
use pb::{invoke_action, plan_action, validate_action_config};

const KIND: &str = "action";

refusing! {
    validate_action_config "ValidateActionConfig" about type_name;
    plan_action "PlanAction" about action_type;
}

pub(super) async fn validate<P: Provider>(
    _: Arc<P>,
    request: validate_action_config::Request,
) -> Result<validate_action_config::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn plan<P: Provider>(
    _: Arc<P>,
    request: plan_action::Request,
) -> Result<plan_action::Response> {
    Err(unknown(KIND, &request.action_type))
}

pub(super) async fn invoke<P: Provider>(
    _: Arc<P>,
    request: invoke_action::Request,
) -> Result<Vec<invoke_action::Event>> {
    Err(unknown(KIND, &request.action_type))
}

impl Call for invoke_action::Request {
    const NAME: &'static str = "InvokeAction";
    type Answer = Vec<invoke_action::Event>;

    fn subject(&self) -> &str {
        &self.action_type
    }

    /// An action ends with exactly one event that says so.
    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        let completed = Completed { diagnostics: vec![convert::diagnostic(reason)] };
        vec![invoke_action::Event { r#type: Some(Type::Completed(completed)) }]
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        match answer.last().and_then(|event| event.r#type.as_ref()) {
            Some(Type::Completed(completed)) => &completed.diagnostics,
            _ => &[],
        }
    }
}
