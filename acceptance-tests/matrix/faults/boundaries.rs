//! At which of an operation's requests a fault is tried.
//!
//! All of them would be some ten thousand runs of Terraform and take most of a day. Each write is tried, or at least one of
//! each kind, since that is where something can be lost; of the reads the first of each kind where the answer is what goes
//! wrong, the first and the last, and others evenly between them.

use super::{
    fault::Fault,
    proxy::{Request, is_write},
};
use std::collections::BTreeSet;

/// The requests of an operation in which nothing went wrong, in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    pub all: Vec<Request>,
    /// The numbers of those that waited for an answer while another did.
    pub together: BTreeSet<usize>,
}

impl Requests {
    /// Those of a run, without the writes of which the Engine has itself `refused` to do anything and which were made again,
    /// such as one that somebody else was faster than: in the next run nothing may be in its way.
    pub fn of(all: &[Request], together: &BTreeSet<usize>, refused: &BTreeSet<usize>) -> Self {
        let is_made_again = |number: usize| {
            let mut later = number + 1..=all.len();
            later.any(|later| all[later - 1] == all[number - 1] && !refused.contains(&later))
        };
        let counts = |number: &usize| !(refused.contains(number) && is_made_again(*number));
        let numbers: Vec<usize> = (1..=all.len()).filter(counts).collect();
        let number = |before: &usize| numbers.iter().position(|number| number == before).map(|at| at + 1);
        Requests {
            all: numbers.iter().map(|number| all[number - 1].clone()).collect(),
            together: together.iter().filter_map(number).collect(),
        }
    }
}

/// The numbers of the requests at which a fault is tried, at most about `most` of them: there may be more writes, and more
/// kinds of reads. A process is killed at all of them, if `all_deaths` says so.
pub fn chosen(requests: &Requests, fault: Fault, most: usize, all_deaths: bool) -> Vec<usize> {
    let Requests { all, together } = requests;
    if fault == Fault::Reordered {
        return spread(together.iter().copied().collect(), most.max(2));
    }
    if all_deaths && fault.kills() {
        return (1..=all.len()).collect();
    }
    let (writes, reads): (Vec<usize>, Vec<usize>) =
        (1..=all.len()).partition(|number| is_write(&all[number - 1]));
    let mut chosen: BTreeSet<usize> = spread(writes.clone(), 2 * most).into_iter().collect();
    chosen.extend(first_of_each_kind(all, &writes));
    if !fault.is_of_writes() {
        chosen.extend(spread(reads.clone(), most.saturating_sub(writes.len()).max(2)));
        if fault.is_of_answers() {
            chosen.extend(first_of_each_kind(all, &reads));
        }
    }
    chosen.into_iter().collect()
}

fn first_of_each_kind(requests: &[Request], numbers: &[usize]) -> Vec<usize> {
    let mut known = BTreeSet::new();
    numbers.iter().copied().filter(|number| known.insert(kind(&requests[number - 1]))).collect()
}

/// What a request asks for, whatever the object is: `GET /services/*`.
fn kind((method, path): &Request) -> String {
    let is_word =
        |step: &str| step.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && step.len() < 20;
    let steps: Vec<&str> = path.split('/').map(|step| if is_word(step) { step } else { "*" }).collect();
    format!("{method} {}", steps.join("/"))
}

/// The first and the last of them, and others evenly between, up to so many.
fn spread(all: Vec<usize>, most: usize) -> Vec<usize> {
    if all.len() <= most {
        return all;
    }
    (0..most).map(|at| all[at * (all.len() - 1) / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fault::{Moment, Victim};
    use super::*;

    #[test]
    fn each_write_is_tried_and_the_reads_at_both_ends() {
        let request = |method: &str, path: &str| (method.to_owned(), path.to_owned());
        let mut all: Vec<Request> = (0..20).map(|_| request("GET", "/info")).collect();
        all[7] = request("POST", "/services/create");
        all[12] = request("DELETE", "/services/m-1-0");
        all[15] = request("GET", "/services/0vqjlnfxhx5h");
        all[16] = request("GET", "/services/m-1-0");
        let requests = Requests { all, together: [4, 5].into() };
        let dies = |moment| Fault::Killed(Victim::Provider, moment);
        assert_eq!(chosen(&requests, Fault::Late, 5, false), [1, 8, 10, 13, 16, 20]);
        assert_eq!(chosen(&requests, dies(Moment::Before), 5, false), [1, 8, 10, 13, 20]);
        assert_eq!(chosen(&requests, Fault::Closed(Moment::Done), 5, false), [8, 13]);
        assert_eq!(chosen(&requests, Fault::Reordered, 5, false), [4, 5]);
        assert_eq!(chosen(&requests, dies(Moment::Done), 5, true).len(), 20);
        assert!(chosen(&Requests::default(), Fault::Late, 5, false).is_empty());
    }

    #[test]
    fn a_write_that_was_refused_and_made_again_counts_once() {
        let write = |path: &str| ("POST".to_owned(), path.to_owned());
        let all = [write("/nodes/a/update"), write("/services/create"), write("/nodes/a/update")];
        let of = |refused| Requests::of(&all, &[1, 2, 3].into(), &[refused].into());
        assert_eq!(of(1).all, [write("/services/create"), write("/nodes/a/update")]);
        assert_eq!(of(1).together, [1, 2].into());
        assert_eq!(of(2).all, all, "it was not made again");
        assert_eq!(of(3).all, all, "it was not made again");
    }

    #[test]
    fn one_of_each_kind_of_write_is_tried_even_of_many() {
        let writes = ["/secrets/create", "/services/create", "/services/a1/update", "/services/b2/update"];
        let mut all: Vec<Request> =
            writes.iter().map(|path| ("POST".to_owned(), (*path).to_owned())).collect();
        all.extend((0..10).map(|_| ("POST".to_owned(), "/services/c3/update".to_owned())));
        let requests = Requests { all, ..Requests::default() };
        assert_eq!(chosen(&requests, Fault::Closed(Moment::Done), 1, false), [1, 2, 3, 14]);
    }
}
