//! At which of an operation's requests a fault is tried.
//!
//! All of them would be some ten thousand runs of Terraform and take most of a day. Each write is tried, since that is
//! where something can be lost; of the reads the first and the last, and others evenly between them.

use super::{
    fault::Fault,
    proxy::{Request, is_write},
};

/// The numbers of the requests at which a fault is tried, at most about `most` of them: there may be more writes. A process
/// is killed at all of them, if `all_deaths` says so.
pub fn chosen(requests: &[Request], fault: Fault, most: usize, all_deaths: bool) -> Vec<usize> {
    if all_deaths && fault.kills() {
        return (1..=requests.len()).collect();
    }
    let write = |number: &usize| is_write(&requests[number - 1]);
    let all = 1..=requests.len();
    let writes: Vec<usize> = spread(all.clone().filter(write).collect(), 2 * most);
    if fault.is_of_writes() {
        return writes;
    }
    let reads: Vec<usize> = all.filter(|number| !write(number)).collect();
    let mut chosen = spread(reads, most.saturating_sub(writes.len()).max(2));
    chosen.extend(writes);
    chosen.sort_unstable();
    chosen
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
        let request = |method: &str| (method.to_owned(), "/".to_owned());
        let mut requests: Vec<Request> = (0..20).map(|_| request("GET")).collect();
        requests[7] = request("POST");
        requests[12] = request("DELETE");
        assert_eq!(chosen(&requests, Fault::Late, 5, false), [1, 8, 10, 13, 20]);
        assert_eq!(chosen(&requests, Fault::Closed(Moment::Done), 5, false), [8, 13]);
        assert_eq!(chosen(&requests[..3], Fault::Late, 5, false), [1, 2, 3]);
        let death = Fault::Killed(Victim::Provider, Moment::Done);
        assert_eq!(chosen(&requests, death, 5, true).len(), 20);
        assert!(chosen(&[], Fault::Late, 5, false).is_empty());
    }
}
