//! What waits to be written to nodes, and how long it waits for more of the kind.

use super::{Expected, Result};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// A writer sends when no request came for this long, for any node: Terraform starts the next resources when some
/// have ended, so requests come in bursts over all nodes.
const QUIET: Duration = Duration::from_millis(50);
/// The same where more came at once than Terraform starts unless told otherwise: then the user has asked for many at
/// once, and a burst takes Terraform itself longer.
const QUIET_IN_A_CROWD: Duration = Duration::from_millis(400);
/// The same at most, where a busy machine lets them come slowly.
const QUIET_IN_A_SLOW_CROWD: Duration = Duration::from_secs(3);
/// The same once as many wait as ever came at once, and none is being sent: Terraform starts no more until some have ended.
const QUIET_WHEN_ALL_ARE_THERE: Duration = Duration::from_millis(5);
/// The same as long as nobody knows how many come at once: a busy Terraform begins slowly, and is waited for once.
const QUIET_AT_FIRST: Duration = Duration::from_millis(200);
/// Requests of one burst are at most this far apart; what comes later is another burst.
const BURST: Duration = Duration::from_secs(1);
/// How many wait at most with Terraform's default parallelism.
const FEW: usize = 10;
/// A writer sends after this long in any case.
const LONGEST: Duration = Duration::from_secs(2);
/// The same in a crowd, since a busy Terraform hands its many resources out over several seconds without a pause.
const LONGEST_IN_A_CROWD: Duration = Duration::from_secs(10);

/// What one caller wants of a label.
pub(super) struct Wish {
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) expected: Expected,
    pub(super) answer: oneshot::Sender<Result<()>>,
}

/// What waits for one node.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: Vec<Wish>,
    /// Whether a writer runs, which looks at the queue again before it ends.
    pub(super) writing: bool,
    /// Whether what waits is to be sent without any further wait.
    pub(super) gathered: bool,
    /// Held while an update of the node is in flight.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

/// What waits for all nodes.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) nodes: HashMap<String, Queue>,
    /// When a request came last, for any node.
    pub(super) latest: Option<Instant>,
    /// How far apart the requests of this burst came at most, and those of the last one: more where the machine is busy.
    apart: [Duration; 2],
    /// How many are being sent.
    pub(super) sent: usize,
    /// The most that came at once: as many as Terraform has under way, or as many of them as are labels.
    most: usize,
}

impl Queues {
    /// A request comes. Only those that come while others wait, or are being sent, tell how far apart a burst comes.
    pub(super) fn arrive(&mut self, now: Instant) {
        let within = self.nodes.values().any(|queue| queue.writing);
        if let Some(latest) = self.latest.replace(now)
            && within
            && now.duration_since(latest) < BURST
        {
            self.apart[0] = self.apart[0].max(now.duration_since(latest));
        }
    }

    /// A request has come. What waits and what is being sent has come at once.
    pub(super) fn arrived(&mut self) {
        if self.most > 0 {
            self.most = self.most.max(self.waiting() + self.sent);
        }
    }

    /// How long nothing must have come before a writer sends.
    pub(super) fn quiet(&self) -> Duration {
        let apart = self.apart[0].max(self.apart[1]);
        if self.are_all_there() {
            QUIET_WHEN_ALL_ARE_THERE
        } else if self.is_a_crowd() {
            (5 * apart).clamp(QUIET_IN_A_CROWD, QUIET_IN_A_SLOW_CROWD)
        } else {
            let least = if self.most == 0 { QUIET_AT_FIRST } else { QUIET };
            (2 * apart).clamp(least, QUIET_IN_A_CROWD)
        }
    }

    /// How long a writer gathers at most.
    pub(super) fn longest(&self) -> Duration {
        if self.is_a_crowd() { LONGEST_IN_A_CROWD } else { LONGEST }
    }

    /// Whether more wait than Terraform starts at once unless told otherwise, or ever came at once.
    fn is_a_crowd(&self) -> bool {
        self.waiting().max(self.most) > FEW
    }

    /// How many wait for all nodes together.
    fn waiting(&self) -> usize {
        self.nodes.values().map(|queue| queue.waiting.len()).sum()
    }

    /// Whether as many wait as ever came at once, and nobody else has an answer to come. Of a crowd nobody knows that: it
    /// comes slowly, and the first of it would be taken for all.
    pub(super) fn are_all_there(&self) -> bool {
        (1..=FEW).contains(&self.most) && self.sent == 0 && self.waiting() >= self.most
    }

    /// None came for long enough: all that wait are sent, for all nodes, and are as many as come at once.
    pub(super) fn gathered(&mut self) {
        // A writer that has sent everything looks once more before it ends: that is no burst.
        if self.waiting() == 0 {
            return;
        }
        if self.sent == 0 {
            self.most = self.most.max(self.waiting());
        }
        self.apart = [Duration::ZERO, self.apart[0]];
        for queue in self.nodes.values_mut() {
            queue.gathered = !queue.waiting.is_empty();
        }
    }

    /// Takes all wishes of a node; where there are none, the writer is to end.
    pub(super) fn take(&mut self, node: &str) -> Vec<Wish> {
        let queue = self.nodes.entry(node.to_owned()).or_default();
        queue.writing = !queue.waiting.is_empty();
        queue.gathered = false;
        let wishes = std::mem::take(&mut queue.waiting);
        self.sent += wishes.len();
        wishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_burst_comes_slowly_it_is_waited_for_longer() {
        let mut queues = Queues::default();
        let began = Instant::now();
        let mut come = |milliseconds| queues.arrive(began + Duration::from_millis(milliseconds));
        come(0);
        come(300);
        assert_eq!(queues.quiet(), QUIET_AT_FIRST, "nobody waited: the second is another burst");
        queues
            .nodes
            .insert("n".to_owned(), Queue { writing: true, waiting: vec![wish()], ..Queue::default() });
        queues.arrive(began + Duration::from_millis(400));
        assert_eq!(queues.quiet(), Duration::from_millis(200));
        queues.gathered();
        queues.most = FEW;
        queues.arrive(began + Duration::from_millis(401));
        assert_eq!(queues.quiet(), Duration::from_millis(200), "the last burst was slow");
        queues.gathered();
        queues.arrive(began + Duration::from_millis(402));
        assert_eq!(queues.quiet(), QUIET, "the machine is quick again");
        queues.arrive(began + Duration::from_secs(9));
        assert_eq!(queues.quiet(), QUIET, "that was another burst");
        queues.apart = [Duration::from_millis(300), Duration::ZERO];
        queues.nodes.clear();
        queues.gathered();
        assert_eq!(queues.quiet(), QUIET_IN_A_CROWD, "what finds nothing to send was no burst");
    }

    #[test]
    fn a_crowd_is_gathered_for_longer() {
        let mut queues = Queues::default();
        let mut wait = |number| {
            queues.nodes.entry("n".to_owned()).or_default().waiting.extend((0..number).map(|_| wish()));
            (queues.quiet(), queues.longest())
        };
        assert_eq!(wait(FEW), (QUIET_AT_FIRST, LONGEST));
        assert_eq!(wait(1), (QUIET_IN_A_CROWD, LONGEST_IN_A_CROWD));
        queues.apart = [Duration::ZERO, Duration::from_millis(300)];
        assert_eq!(queues.quiet(), Duration::from_millis(1500), "it comes slowly");
        queues.most = FEW + 1;
        assert!(!queues.are_all_there(), "more of a crowd may come");
        queues.nodes.clear();
        assert_eq!(queues.longest(), LONGEST_IN_A_CROWD, "what is left of a crowd comes no faster");
    }

    fn wish() -> Wish {
        let (answer, _) = oneshot::channel();
        Wish { key: "k".to_owned(), value: None, expected: Expected::Anything, answer }
    }

    #[test]
    fn none_is_waited_for_who_cannot_come() {
        let mut queues = Queues::default();
        let come = |queues: &mut Queues, number| {
            for each in 0..number {
                queues.nodes.entry(format!("n{}", each % 3)).or_default().waiting.push(wish());
            }
        };
        come(&mut queues, 10);
        assert_eq!(queues.quiet(), QUIET_AT_FIRST, "nobody knows yet how many come at once");
        queues.gathered();
        let all_are_sent = |queues: &mut Queues| {
            let taken: usize = ["n0", "n1", "n2"].map(|node| queues.take(node).len()).iter().sum();
            assert_eq!(queues.sent, taken);
            taken
        };
        assert!(queues.nodes.values().all(|queue| queue.gathered), "the writers send together");
        assert_eq!(all_are_sent(&mut queues), 10);
        come(&mut queues, 10);
        assert_eq!(queues.quiet(), QUIET, "those that are being sent may be answered, and others come");
        queues.sent = 0;
        assert_eq!(queues.quiet(), QUIET_WHEN_ALL_ARE_THERE);
        queues.gathered();
        all_are_sent(&mut queues);
        queues.sent = 0;
        come(&mut queues, 9);
        assert_eq!(queues.quiet(), QUIET, "one may still come");
        queues.gathered();
        assert_eq!(queues.most, 10, "fewer once do not mean fewer ever after");
        all_are_sent(&mut queues);
        come(&mut queues, 2);
        queues.arrived();
        assert_eq!(queues.most, 11, "two came after nine that are being sent still");
    }
}
