//! List resources, by which `terraform query` finds what is there. Every resource type has one.

use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, codec, convert, identity, pb, refusing, resource};
use crate::terraform::{AnyResource, ListFilter, Listed, Model, Object};
use pb::{list_resource, validate_list_resource_config};

refusing! {
    validate_list_resource_config "ValidateListResourceConfig" about type_name;
}

pub(super) async fn validate<P: Provider>(
    provider: Arc<P>,
    request: validate_list_resource_config::Request,
) -> Result<validate_list_resource_config::Response> {
    let resource = resource(&*provider, &request.type_name)?;
    // There is nothing to say of a filter but that it is of the schema's type.
    config(resource, request.config.as_ref())?;
    Ok(validate_list_resource_config::Response::default())
}

pub(super) async fn list<P: Provider>(
    provider: Arc<P>,
    request: list_resource::Request,
) -> Result<Vec<list_resource::Event>> {
    let resource = resource(&*provider, &request.type_name)?;
    let filter = ListFilter::decode(config(resource, request.config.as_ref())?)?;
    let limit = usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let found = resource.list(&filter).await?;
    let event = |listed| event(resource, listed, request.include_resource_object);
    Ok(found.into_iter().take(limit).map(event).collect())
}

fn event(resource: &dyn AnyResource, listed: Listed, with_state: bool) -> list_resource::Event {
    let Listed { identity, display_name, state } = listed;
    let mut bugs = vec![];
    let resource_object = with_state.then(|| {
        let (state, mismatches) = super::resource::encode_state(resource, state);
        bugs = mismatches;
        state
    });
    let identity = identity::encode(resource, &identity);
    if identity.is_none() {
        bugs.push(Diagnostic::bug(format!("{display_name} was listed without its identity.")));
    }
    list_resource::Event { identity, display_name, resource_object, diagnostic: convert::diagnostics(bugs) }
}

/// The `config` block; an absent one is an empty one.
fn config(resource: &dyn AnyResource, sent: Option<&pb::DynamicValue>) -> Result<Object> {
    let schema = ListFilter::schema(resource.schema());
    Ok(codec::decode(sent, &schema.object_type())?.unwrap_or_default())
}

impl Call for list_resource::Request {
    const NAME: &'static str = "ListResource";
    type Answer = Vec<list_resource::Event>;

    fn subject(&self) -> &str {
        &self.type_name
    }

    /// An event with an error ends the search.
    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        vec![list_resource::Event { diagnostic: vec![convert::diagnostic(reason)], ..Default::default() }]
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        answer.last().map_or(&[], |event| &event.diagnostic)
    }
}
