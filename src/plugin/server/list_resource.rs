//! List resources, by which `terraform query` searches, of which the provider has none yet.

use std::sync::Arc;

use super::{Call, Diagnostic, Provider, Result, convert, pb, refusing, unknown};
use pb::{list_resource, validate_list_resource_config};

const KIND: &str = "list resource type";

refusing! {
    validate_list_resource_config "ValidateListResourceConfig" about type_name;
}

pub(super) async fn validate<P: Provider>(
    _: Arc<P>,
    request: validate_list_resource_config::Request,
) -> Result<validate_list_resource_config::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn list<P: Provider>(
    _: Arc<P>,
    request: list_resource::Request,
) -> Result<Vec<list_resource::Event>> {
    Err(unknown(KIND, &request.type_name))
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
