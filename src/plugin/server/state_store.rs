//! State stores, which this provider does not have: it runs Swarms, and keeps nobody's state.

use std::sync::Arc;

use tonic::{Status, Streaming};

use super::{Call, Diagnostic, Provider, Result, convert, pb, refusing, unknown};
use pb::{
    configure_state_store, delete_state, get_states, lock_state, read_state_bytes, unlock_state,
    validate_state_store, write_state_bytes,
};

const KIND: &str = "state store";

refusing! {
    validate_state_store "ValidateStateStoreConfig" about type_name;
    configure_state_store "ConfigureStateStore" about type_name;
    lock_state "LockState" about type_name;
    unlock_state "UnlockState" about type_name;
    get_states "GetStates" about type_name;
    delete_state "DeleteState" about type_name;
}

pub(super) async fn validate<P: Provider>(
    _: Arc<P>,
    request: validate_state_store::Request,
) -> Result<validate_state_store::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn configure<P: Provider>(
    _: Arc<P>,
    request: configure_state_store::Request,
) -> Result<configure_state_store::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn lock<P: Provider>(
    _: Arc<P>,
    request: lock_state::Request,
) -> Result<lock_state::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn unlock<P: Provider>(
    _: Arc<P>,
    request: unlock_state::Request,
) -> Result<unlock_state::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn list<P: Provider>(
    _: Arc<P>,
    request: get_states::Request,
) -> Result<get_states::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn delete<P: Provider>(
    _: Arc<P>,
    request: delete_state::Request,
) -> Result<delete_state::Response> {
    Err(unknown(KIND, &request.type_name))
}

pub(super) async fn read<P: Provider>(
    _: Arc<P>,
    request: read_state_bytes::Request,
) -> Result<Vec<read_state_bytes::Response>> {
    Err(unknown(KIND, &request.type_name))
}

impl Call for read_state_bytes::Request {
    const NAME: &'static str = "ReadStateBytes";
    type Answer = Vec<read_state_bytes::Response>;

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        let diagnostics = vec![convert::diagnostic(reason)];
        vec![read_state_bytes::Response { diagnostics, ..Default::default() }]
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        answer.last().map_or(&[], |chunk| &chunk.diagnostics)
    }
}

/// The store that a state was to be written to.
#[derive(Clone)]
pub(super) struct Written {
    type_name: String,
}

/// Takes in all of a state, which is answered only then: a host that still writes would not hear the answer.
pub(super) async fn receive(
    mut chunks: Streaming<write_state_bytes::RequestChunk>,
) -> std::result::Result<Written, Status> {
    let mut type_name = String::new();
    while let Some(chunk) = chunks.message().await? {
        // Only the first chunk says where to.
        if let Some(meta) = chunk.meta {
            type_name = meta.type_name;
        }
    }
    Ok(Written { type_name })
}

pub(super) async fn write<P: Provider>(_: Arc<P>, written: Written) -> Result<write_state_bytes::Response> {
    Err(unknown(KIND, &written.type_name))
}

impl Call for Written {
    const NAME: &'static str = "WriteStateBytes";
    type Answer = write_state_bytes::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    fn refuse(self, reason: Diagnostic) -> Self::Answer {
        write_state_bytes::Response { diagnostics: vec![convert::diagnostic(reason)] }
    }

    fn diagnostics(answer: &Self::Answer) -> &[pb::Diagnostic] {
        &answer.diagnostics
    }
}
