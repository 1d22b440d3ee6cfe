//! Actions: what is done once, and tells how far it is while it goes on.

use std::sync::Arc;

use futures_util::stream;
use tokio::sync::mpsc::unbounded_channel;

use super::{Call, Diagnostic, Events, Frame, Provider, Result, codec, convert, pb, refusing, unknown};
use crate::terraform::{AnyAction, Diagnostics, Object, Progress};
use pb::invoke_action::event::{Completed, Progress as Report, Type};
use pb::{invoke_action, plan_action, validate_action_config};

refusing! {
    validate_action_config "ValidateActionConfig" about type_name;
    plan_action "PlanAction" about action_type;
}

pub(super) async fn validate<P: Provider>(
    provider: Arc<P>,
    request: validate_action_config::Request,
) -> Result<validate_action_config::Response> {
    let action = action(&*provider, &request.type_name)?;
    let diagnostics = convert::diagnostics(action.validate(config(action, request.config.as_ref())?));
    Ok(validate_action_config::Response { diagnostics })
}

pub(super) async fn plan<P: Provider>(
    provider: Arc<P>,
    request: plan_action::Request,
) -> Result<plan_action::Response> {
    let action = action(&*provider, &request.action_type)?;
    let diagnostics = convert::diagnostics(action.plan(config(action, request.config.as_ref())?).await);
    Ok(plan_action::Response { diagnostics, deferred: None })
}

/// Invokes an action: what it reports are the first events, as they happen, and how it ended is the last.
///
/// Like any call, it goes on to its end even if nobody listens any more.
pub(super) fn invoke<P: Provider>(
    frame: &Frame,
    provider: &Arc<P>,
    request: invoke_action::Request,
) -> Events<invoke_action::Event> {
    let (sender, reports) = unbounded_channel();
    let listener = Progress::to(move |message| {
        // Nobody listens when the host has gone.
        sender.send(message).ok();
    });
    let outcome = frame.answer(provider, request, |provider, request| run(provider, request, listener));
    Box::pin(stream::unfold(Some((reports, Box::pin(outcome))), |open| async {
        let (mut reports, mut outcome) = open?;
        tokio::select! {
            biased;
            Some(message) = reports.recv() => Some((Ok(progress(message)), Some((reports, outcome)))),
            completed = &mut outcome => Some((completed, None)),
        }
    }))
}

async fn run<P: Provider>(
    provider: Arc<P>,
    request: invoke_action::Request,
    listener: Progress,
) -> Result<invoke_action::Event> {
    let action = action(&*provider, &request.action_type)?;
    Ok(completed(action.invoke(config(action, request.config.as_ref())?, listener).await))
}

/// The action type of that name.
fn action<'a, P: Provider>(provider: &'a P, type_name: &str) -> Result<&'a dyn AnyAction> {
    let named = provider.actions().iter().find(|action| action.type_name() == type_name);
    named.map(|action| &**action).ok_or_else(|| unknown("action", type_name))
}

/// The `config` block; an absent one is an empty one.
fn config(action: &dyn AnyAction, sent: Option<&pb::DynamicValue>) -> Result<Object> {
    Ok(codec::decode(sent, &action.schema().object_type())?.unwrap_or_default())
}

fn progress(message: String) -> invoke_action::Event {
    invoke_action::Event { r#type: Some(Type::Progress(Report { message })) }
}

fn completed(diagnostics: Diagnostics) -> invoke_action::Event {
    let completed = Completed { diagnostics: convert::diagnostics(diagnostics) };
    invoke_action::Event { r#type: Some(Type::Completed(completed)) }
}

impl Call for invoke_action::Request {
    const NAME: &'static str = "InvokeAction";
    /// The event that says how it ended; those before it are sent as they happen.
    type Answer = invoke_action::Event;

    fn subject(&self) -> &str {
        &self.action_type
    }

    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        completed(vec![reason])
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        match &answer.r#type {
            Some(Type::Completed(completed)) => &completed.diagnostics,
            _ => &[],
        }
    }
}
