use super::*;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                let text = fs::read_to_string(&path).unwrap();
                vec![(path, text)]
            }
            false => vec![],
        })
        .collect()
}

/// The codes that stand between two texts, such as `S1` in `"S1"`; a test's name has a small letter.
fn codes(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let code = |(at, _): (usize, &str)| {
        let rest = &text[at + before.len()..];
        let topic = rest.chars().next()?.to_ascii_uppercase();
        let number: String = rest.chars().skip(1).take_while(char::is_ascii_digit).collect();
        let is_code = TOPICS.iter().any(|(own, _)| *own == topic) && (1..=2).contains(&number.len());
        (is_code && rest[1 + number.len()..].starts_with(after)).then(|| format!("{topic}{number}"))
    };
    text.match_indices(before).filter_map(code).collect()
}

#[test]
fn every_rule_is_in_the_code_and_has_a_test_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut in_code, mut in_tests) = (BTreeSet::new(), BTreeSet::new());
    for (path, text) in sources(&root.join("src")) {
        if !path.ends_with("checks/rules.rs") {
            in_code.extend(codes(&text, "\"", "\""));
            in_code.extend(codes(&text, "(", ")"));
            in_tests.extend(codes(&text, "fn ", "_"));
        }
    }
    let rules: BTreeSet<String> = RULES.iter().map(|rule| rule.code.to_owned()).collect();
    assert_eq!(rules.len(), RULES.len(), "each code is there once");
    let missing = |others: &BTreeSet<String>| rules.difference(others).cloned().collect::<Vec<_>>();
    assert_eq!(missing(&in_tests), [""; 0], "rules without a test `fn CODE_…`");
    assert_eq!(missing(&in_code), [""; 0], "rules that nothing applies");
    let unknown: Vec<_> = in_code.union(&in_tests).filter(|code| !rules.contains(*code)).collect();
    assert_eq!(unknown, [""; 0], "codes that are no rule's");
}

#[test]
fn rules_stand_in_order_and_are_sentences() {
    let order = |rule: &Rule| {
        let topic = TOPICS.iter().position(|(topic, _)| rule.code.starts_with(*topic)).unwrap();
        (topic, rule.code[1..].parse::<u32>().unwrap())
    };
    assert!(RULES.is_sorted_by_key(order));
    for rule in RULES {
        assert!(rule.when.ends_with('.') && rule.instead.ends_with('.'), "{}", rule.code);
    }
}
