//! What a table was made of: the sources of the provider and of its matrix, so that a table goes on where it was on another
//! machine and in another folder, too, and is forgotten where something else would be found.

use crate::testbed::root;
use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// What a provider and a test are built from.
const PARTS: [&str; 7] =
    [".cargo", "Cargo.lock", "Cargo.toml", "acceptance-tests", "examples", "proto", "src"];

/// What no matrix runs.
const OTHERS: [&str; 6] = [
    "acceptance-tests/benches",
    "acceptance-tests/fuzz",
    "acceptance-tests/matrix/report.rs",
    "acceptance-tests/matrix/render.rs",
    "examples/modules",
    "examples/registry",
];

/// The folders of the matrices below `acceptance-tests/matrix`: what one tries is nothing to another.
const MATRICES: [&str; 4] = ["clients", "faults", "truth", "versions"];

/// Tells the sources of a matrix from others. They are what they were when it was first asked, some seconds after they were
/// built: whoever changes them in between gets a table that is believed the next time.
pub fn digest(matrix: &str) -> String {
    static FILES: OnceLock<BTreeMap<PathBuf, Vec<u8>>> = OnceLock::new();
    digest_of(FILES.get_or_init(|| files(root())), matrix)
}

fn digest_of(files: &BTreeMap<PathBuf, Vec<u8>>, matrix: &str) -> String {
    let others: Vec<PathBuf> = MATRICES
        .iter()
        .filter(|other| **other != matrix)
        .map(|other| Path::new("acceptance-tests/matrix").join(other))
        .chain(OTHERS.map(PathBuf::from))
        .collect();
    let mut hasher = DefaultHasher::new();
    let is_of_it = |path: &PathBuf| !others.iter().any(|other| path.starts_with(other));
    files.iter().filter(|(path, _)| is_of_it(path)).for_each(|file| file.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

/// The files below a folder by their paths from there.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left: Vec<PathBuf> = PARTS.iter().map(|part| root.join(part)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn what_one_matrix_tries_is_nothing_to_another() {
    let of = |path: &str, text: &str| {
        let files = BTreeMap::from([(PathBuf::from(path), text.as_bytes().to_vec())]);
        ["truth", "faults"].map(|matrix| digest_of(&files, matrix))
    };
    let differs = |path: &str| {
        let (before, after) = (of(path, "1"), of(path, "2"));
        [before[0] != after[0], before[1] != after[1]]
    };
    assert_eq!(differs("src/main.rs"), [true, true]);
    assert_eq!(differs("acceptance-tests/terraform.rs"), [true, true]);
    assert_eq!(differs("acceptance-tests/matrix/truth/mod.rs"), [true, false]);
    assert_eq!(differs("acceptance-tests/matrix/faults/mod.rs"), [false, true]);
    assert_eq!(differs("acceptance-tests/matrix/render.rs"), [false, false]);
    assert!(files(root()).contains_key(Path::new("src/main.rs")));
}
