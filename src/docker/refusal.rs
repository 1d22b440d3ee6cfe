//! What an Engine means where it refuses: the one table that tells refusals apart.

use super::error::{Error, Kind, NotManager};

/// What an answer that is no success means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The version index was old: read again and write again.
    OutOfSequence,
    /// The swarm is looking for a leader. Try again; a write may have happened, so read first.
    NoLeader,
    /// The Engine is getting ready. Try again.
    Settling,
    Worker,
    NoSwarm,
    Locked,
    Expired,
    Unsettled,
    InUse,
    NameTaken,
    NotFound,
    Permanent,
}

impl Error {
    /// Whether the Engine may answer better after a while: it looks for a leader or gets ready.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::NoQuorum { .. } | Self::NotManager { reason: NotManager::Settling(_), .. })
    }
}

/// A status (0 for any), a part of the message in lower case (empty for any), and what the two mean.
///
/// The Engine's statuses alone tell nothing: "update out of sequence" is a 500 as is "network not found", and a
/// 503 is mostly permanent. The first row that fits decides, so the order is of weight.
const TABLE: &[(u16, &str, Class)] = &[
    (500, "update out of sequence", Class::OutOfSequence),
    (0, "context deadline exceeded", Class::NoLeader),
    (0, "does not have a leader", Class::NoLeader),
    (0, "no elected cluster leader", Class::NoLeader),
    (0, "node lost leader status", Class::NoLeader),
    (0, "the client connection is closing", Class::NoLeader),
    (0, "transport is closing", Class::NoLeader),
    (503, "manager is being prepared or has trouble connecting", Class::Settling),
    (503, "worker nodes can't be used", Class::Worker),
    (503, "this node is not a swarm manager. use \"docker swarm init\"", Class::NoSwarm),
    (503, "this node is not part of a swarm", Class::NoSwarm),
    (503, "needs to be unlocked", Class::Locked),
    (503, "certificates have expired", Class::Expired),
    (503, "already part of a swarm", Class::Unsettled),
    (503, "attempting to leave the swarm", Class::Unsettled),
    (503, "this node is not a swarm manager", Class::Worker),
    (400, "is in use by", Class::InUse),
    (409, "has active endpoints", Class::InUse),
    (403, "has active endpoints", Class::InUse),
    (400, "cannot be removed because service", Class::InUse),
    (403, "is in use", Class::InUse),
    (409, "volume is in use", Class::InUse),
    (400, "volume is still in use", Class::InUse),
    (409, "", Class::NameTaken),
    (404, "", Class::NotFound),
    (0, "", Class::Permanent),
];

pub(super) fn classify(status: u16, message: &str) -> Class {
    let message = message.to_lowercase();
    TABLE
        .iter()
        .find(|(code, part, _)| (*code == 0 || *code == status) && message.contains(part))
        .map_or(Class::Permanent, |(_, _, class)| *class)
}

/// What a request is about, so that a refusal can name it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    /// Nothing that has a name, such as a list.
    None,
    /// An object that is there already.
    Of(Kind, String),
    /// An object that is to be created.
    New(Kind, String),
}

/// Makes the error for an answer that is no success.
pub(super) fn refusal(host: &str, subject: &Subject, status: u16, message: String) -> Error {
    let not_manager = |reason| Error::NotManager { host: host.to_owned(), reason };
    match (classify(status, &message), subject.clone()) {
        (Class::OutOfSequence, Subject::Of(kind, name)) => Error::OutOfSequence { kind, name },
        (Class::NoLeader, _) => Error::NoQuorum { message },
        (Class::Settling, _) => not_manager(NotManager::Settling(message)),
        (Class::Unsettled, _) => not_manager(NotManager::Unsettled(message)),
        (Class::Worker, _) => not_manager(NotManager::Worker { managers: Vec::new() }),
        (Class::NoSwarm, _) => not_manager(NotManager::NoSwarm),
        (Class::Locked, _) => not_manager(NotManager::Locked),
        (Class::Expired, _) => not_manager(NotManager::CertificatesExpired),
        (Class::InUse, Subject::Of(kind, _)) => Error::InUse { kind, message },
        (Class::NameTaken, Subject::New(kind, name)) => Error::NameTaken { kind, name },
        (Class::NotFound, Subject::Of(kind, name)) => Error::NotFound { kind, name },
        _ => Error::Api { status, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as the Engines write them.
    #[test]
    fn failures_are_told_apart_by_status_and_words() {
        let rpc = |text: &str| format!("rpc error: code = Unknown desc = {text}");
        let cases = [
            (500, rpc("update out of sequence"), Class::OutOfSequence),
            (500, rpc("context deadline exceeded"), Class::NoLeader),
            (500, rpc("The swarm does not have a leader. It's possible that too few managers are online."), Class::NoLeader),
            (500, rpc("grpc: the client connection is closing"), Class::NoLeader),
            (503, "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.".into(), Class::Settling),
            (503, "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.".into(), Class::Worker),
            (503, "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.".into(), Class::NoSwarm),
            (503, "Swarm is encrypted and needs to be unlocked before it can be used.".into(), Class::Locked),
            (400, "rpc error: code = InvalidArgument desc = secret 'x' is in use by the following service: a".into(), Class::InUse),
            (400, "network n is in use by task t".into(), Class::InUse),
            (400, "ingress network cannot be removed because service s depends on it".into(), Class::InUse),
            (403, "configuration network \"n\" is in use".into(), Class::InUse),
            (409, "remove v: volume is in use - [c]".into(), Class::InUse),
            (400, "rpc error: code = FailedPrecondition desc = volume is still in use".into(), Class::InUse),
            (409, "rpc error: code = AlreadyExists desc = name conflicts with an existing object".into(), Class::NameTaken),
            (404, "service x not found".into(), Class::NotFound),
            (500, "network x not found".into(), Class::Permanent),
            (500, rpc("raft: raft message is too large and can't be sent"), Class::Permanent),
            (501, "renaming services is not supported".into(), Class::Permanent),
            (400, "port '443' is already in use by service 'registry' (abc) as a host-published port".into(), Class::Permanent),
        ];
        for (status, message, class) in cases {
            assert_eq!(classify(status, &message), class, "{status} {message}");
        }
    }

    #[test]
    fn only_what_heals_by_itself_is_tried_again() {
        let passes = |status, message: &str| refusal("h", &Subject::None, status, message.into()).passes();
        assert!(passes(503, "Manager is being prepared or has trouble connecting"));
        assert!(passes(500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded"));
        assert!(!passes(503, "Worker nodes can't be used"));
        assert!(!passes(500, "network x not found"));
        assert!(!passes(500, "update out of sequence"), "needs a fresh read first");
    }

    #[test]
    fn a_create_that_misses_something_else_does_not_say_that_itself_is_missing() {
        let error =
            refusal("h", &Subject::New(Kind::Service, "web".into()), 404, "network front not found".into());
        assert_eq!(error, Error::Api { status: 404, message: "network front not found".into() });
    }
}
