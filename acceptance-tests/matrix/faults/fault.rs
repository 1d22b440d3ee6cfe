//! What goes wrong between provider and Engine: one column of the table each.

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The provider's process.
    Provider,
    /// Terraform.
    Terraform,
}

/// Whether the Engine has got the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It never gets it.
    Before,
    /// It has done what was asked.
    Done,
}

/// A refusal in the Engine's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something that does not pass by itself.
    Failure,
    /// The managers look for a leader.
    NoLeader,
    /// The Engine gets ready.
    Settling,
    /// Another object has the name.
    Conflict,
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes late.
    Late,
    /// The connection is closed without an answer.
    Closed(Moment),
    /// The connection is closed in the middle of the answer.
    Cut,
    /// The answer says that it is longer than what comes before the connection is closed.
    Truncated,
    /// The answer is a refusal.
    Refused(Refusal, Moment),
    /// Of two requests in flight, the later is answered first.
    Reordered,
    /// A process is killed.
    Killed(Victim, Moment),
    /// Terraform gets Ctrl-C.
    Interrupted,
    /// Something real happens, which no proxy can do: see [`real`](super::real).
    Struck(Moment),
}

use Moment::{Before, Done};

impl Refusal {
    /// Its status and its words.
    pub fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Failure => (500, "rpc error: code = Unknown desc = raft: no response from the proposer"),
            Self::NoLeader => (500, "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
            Self::Settling => (
                503,
                "This node is not a swarm manager. Manager is being prepared or has trouble connecting to the cluster.",
            ),
            Self::Conflict => {
                (409, "rpc error: code = AlreadyExists desc = name conflicts with an existing object")
            }
        }
    }
}

impl Fault {
    /// All of them, in the order of the table's columns.
    pub const ALL: [Fault; 19] = [
        Fault::Late,
        Fault::Closed(Before),
        Fault::Closed(Done),
        Fault::Cut,
        Fault::Truncated,
        Fault::Refused(Refusal::Failure, Before),
        Fault::Refused(Refusal::Failure, Done),
        Fault::Refused(Refusal::NoLeader, Before),
        Fault::Refused(Refusal::NoLeader, Done),
        Fault::Refused(Refusal::Settling, Before),
        Fault::Refused(Refusal::Settling, Done),
        Fault::Refused(Refusal::Conflict, Before),
        Fault::Refused(Refusal::Conflict, Done),
        Fault::Reordered,
        Fault::Killed(Victim::Provider, Before),
        Fault::Killed(Victim::Provider, Done),
        Fault::Killed(Victim::Terraform, Before),
        Fault::Killed(Victim::Terraform, Done),
        Fault::Interrupted,
    ];

    /// The title of its column.
    pub fn title(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Closed(Before) => "closed",
            Self::Closed(Done) => "answer lost",
            Self::Cut => "cut",
            Self::Truncated => "truncated",
            Self::Refused(Refusal::Failure, Before) => "500",
            Self::Refused(Refusal::Failure, Done) => "500, done",
            Self::Refused(Refusal::NoLeader, Before) => "no leader",
            Self::Refused(Refusal::NoLeader, Done) => "no leader, done",
            Self::Refused(Refusal::Settling, Before) => "503",
            Self::Refused(Refusal::Settling, Done) => "503, done",
            Self::Refused(Refusal::Conflict, Before) => "409",
            Self::Refused(Refusal::Conflict, Done) => "409, done",
            Self::Reordered => "reordered",
            Self::Killed(Victim::Provider, Before) => "provider killed",
            Self::Killed(Victim::Provider, Done) => "provider killed, done",
            Self::Killed(Victim::Terraform, Before) => "Terraform killed",
            Self::Killed(Victim::Terraform, Done) => "Terraform killed, done",
            Self::Interrupted => "Ctrl-C",
            Self::Struck(Before) => "struck",
            Self::Struck(Done) => "struck, done",
        }
    }

    /// Whether it is another fault than its like only where the request changes something.
    pub fn is_of_writes(self) -> bool {
        matches!(self, Self::Closed(Done) | Self::Refused(_, Done) | Self::Killed(_, Done) | Self::Struck(_))
    }

    /// Whether it is the answer that goes wrong, so that it matters what was asked.
    pub fn is_of_answers(self) -> bool {
        !matches!(self, Self::Killed(..) | Self::Interrupted | Self::Struck(_) | Self::Reordered)
    }

    /// Whether it only takes longer, so that nothing may fail by it.
    pub fn is_harmless(self) -> bool {
        matches!(self, Self::Late | Self::Reordered)
    }

    /// Whether each request meets it that is to: an answer without a body is never truncated, and one that nothing else is in
    /// flight with is not overtaken.
    pub fn is_met_everywhere(self) -> bool {
        !matches!(self, Self::Truncated | Self::Reordered)
    }

    /// Whether a process ends by it at a moment.
    pub fn kills(self) -> bool {
        matches!(self, Self::Killed(..))
    }

    /// Whether Terraform cannot say a word any more.
    pub fn silences(self) -> bool {
        matches!(self, Self::Killed(Victim::Terraform, _))
    }
}
