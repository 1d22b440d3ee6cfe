//! What of a benchmark is to be run: `cargo bench --bench terraform -- secrets=100,1000 runs=5`.

use crate::objects::Objects;

/// So many runs, unless it is asked for others.
const RUNS: usize = 11;

/// What is to be run.
pub struct Asked {
    /// Which objects, and how many of them at a time.
    pub objects: Vec<(Objects, Vec<usize>)>,
    /// How often.
    pub runs: usize,
}

impl Asked {
    /// What the command line says; where it names no objects, what is usual.
    pub fn or(usual: &[(Objects, &[usize])]) -> Self {
        let mut asked = Asked { objects: vec![], runs: RUNS };
        // cargo says `--bench` to each.
        for word in std::env::args().skip(1).filter(|word| !word.starts_with("--")) {
            let (what, numbers) = word.split_once('=').expect("WHAT=NUMBER,…");
            let mut numbers: Vec<usize> =
                numbers.split(',').map(|number| number.parse().expect("a number")).collect();
            numbers.sort_unstable();
            match Objects::called(what) {
                Some(objects) => asked.objects.push((objects, numbers)),
                None if what == "runs" => asked.runs = numbers[0],
                None => panic!("`{what}` is none of secrets, labels, services, runs"),
            }
        }
        if asked.objects.is_empty() {
            asked.objects = usual.iter().map(|(objects, counts)| (*objects, counts.to_vec())).collect();
        }
        asked
    }
}
