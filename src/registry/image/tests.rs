use super::*;
use proptest::prelude::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(text: &str) -> Reference {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn dockers_defaults_are_filled_in() {
    for (text, familiar, canonical) in [
        ("registry", "registry", "docker.io/library/registry:latest"),
        ("registry:3", "registry:3", "docker.io/library/registry:3"),
        ("docker.io/library/registry:3", "registry:3", "docker.io/library/registry:3"),
        ("index.docker.io/registry", "registry", "docker.io/library/registry:latest"),
        ("docker.io/registry", "registry", "docker.io/library/registry:latest"),
        ("team/app", "team/app", "docker.io/team/app:latest"),
        ("library/a/b", "library/a/b", "docker.io/library/a/b:latest"),
        ("localhost/app", "localhost/app", "localhost/app:latest"),
        ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
        ("hub.docker.local/alpine", "hub.docker.local/alpine", "hub.docker.local/alpine:latest"),
        ("Hub/app", "Hub/app", "Hub/app:latest"),
        ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app:latest"),
        ("a--b__c_d/f.1:V1.0_x", "a--b__c_d/f.1:V1.0_x", "docker.io/a--b__c_d/f.1:V1.0_x"),
    ] {
        let reference = parse(text);
        assert_eq!(reference.familiar(), familiar, "{text}");
        assert_eq!(reference.canonical(), canonical, "{text}");
    }
    let pinned = parse(&format!("registry@{DIGEST}"));
    assert_eq!(pinned.effective_tag(), None);
    assert_eq!(pinned.canonical(), format!("docker.io/library/registry@{DIGEST}"));
}

#[test]
fn what_is_refused_and_why() {
    type Check = fn(&NotAReference) -> bool;
    let refused: [(&str, Check); 20] = [
        ("", |e| matches!(e, NotAReference::Empty)),
        ("https://registry:3", |e| matches!(e, NotAReference::Url(_))),
        (DIGEST, |e| matches!(e, NotAReference::ImageId(_))),
        ("sha256:4bcff63911fc", |e| matches!(e, NotAReference::ImageId(_))),
        (&DIGEST[7..], |e| matches!(e, NotAReference::ImageId(_))),
        ("Registry:3", |e| matches!(e, NotAReference::UpperCase { .. })),
        ("hub.local/Team/app", |e| matches!(e, NotAReference::UpperCase { .. })),
        ("-hub.local/app", |e| matches!(e, NotAReference::Domain { .. })),
        ("hub.local:99999/app", |e| matches!(e, NotAReference::Domain { .. })),
        ("[::1/app", |e| matches!(e, NotAReference::Domain { .. })),
        ("hub.local:/app", |e| matches!(e, NotAReference::Domain { .. })),
        ("a..b", |e| matches!(e, NotAReference::Path { .. })),
        ("a___b", |e| matches!(e, NotAReference::Path { .. })),
        ("_a", |e| matches!(e, NotAReference::Path { .. })),
        ("a/", |e| matches!(e, NotAReference::Path { .. })),
        ("a b", |e| matches!(e, NotAReference::Path { .. })),
        (":3", |e| matches!(e, NotAReference::Path { .. })),
        ("registry:", |e| matches!(e, NotAReference::Tag { .. })),
        ("registry:-1", |e| matches!(e, NotAReference::Tag { .. })),
        ("registry@sha256:abc", |e| matches!(e, NotAReference::Digest { .. })),
    ];
    for (text, is_expected) in refused {
        let error = text.parse::<Reference>().expect_err(text);
        assert!(is_expected(&error), "{text}: {error:?}");
    }
    let error = "Registry:3-RC".parse::<Reference>().unwrap_err();
    assert!(error.to_string().contains("\"registry:3-RC\""), "{error}");
    let error = DIGEST.parse::<Reference>().unwrap_err();
    assert!(error.to_string().contains("other nodes of the Swarm can't pull"), "{error}");
    assert!("a".repeat(300).parse::<Reference>().is_err());
    assert!(format!("a:{}", "t".repeat(129)).parse::<Reference>().is_err());
}

#[test]
fn a_digest_that_the_engine_adds_is_no_difference() {
    let other = format!("sha256:{}", "0".repeat(64));
    for (configured, actual, same, met) in [
        ("registry:3".to_owned(), format!("registry:3@{DIGEST}"), true, true),
        ("registry".to_owned(), format!("docker.io/library/registry:latest@{DIGEST}"), true, true),
        ("registry".to_owned(), "registry:latest".to_owned(), true, true),
        ("registry:2".to_owned(), format!("registry:3@{DIGEST}"), false, false),
        (format!("registry:3@{DIGEST}"), format!("registry:3@{other}"), true, false),
        (format!("registry:3@{DIGEST}"), format!("registry@{DIGEST}"), true, true),
        (format!("registry@{DIGEST}"), "registry:latest".to_owned(), false, false),
        ("registry:3".to_owned(), "hub.local/registry:3".to_owned(), false, false),
    ] {
        let (configured, actual) = (parse(&configured), parse(&actual));
        assert_eq!(configured.same_but_for_digest(&actual), same, "{configured} {actual}");
        assert_eq!(configured.is_met_by(&actual), met, "{configured} {actual}");
    }
}

#[test]
fn a_digest_is_put_on_and_taken_off() {
    let pinned = parse("registry:3").with_digest(Some(DIGEST)).unwrap();
    assert_eq!(pinned.familiar(), format!("registry:3@{DIGEST}"));
    assert_eq!(pinned.with_digest(None).unwrap(), parse("registry:3"));
    assert!(pinned.with_digest(Some("sha256:12")).is_err());
}

fn references() -> impl Strategy<Value = String> {
    let component = "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}";
    // A first part with a dot would be a host.
    let first = "[a-z0-9]{1,6}((_|__|-{1,3})[a-z0-9]{1,4}){0,2}";
    let domain = "([a-z0-9]{1,5}\\.[a-z]{1,4}(:[1-9][0-9]{0,3})?/)?";
    let tag = "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,10})?";
    let digest = "(@sha256:[0-9a-f]{64})?";
    let reference = format!("{domain}{first}(/{component}){{0,2}}{tag}{digest}");
    proptest::string::string_regex(&reference)
        .expect("a regular expression")
        .prop_filter("an image ID", |text: &String| refuse_other_things(text).is_ok())
}

proptest! {
    #[test]
    fn familiar_and_canonical_mean_the_same(text in references()) {
        let reference = parse(&text);
        prop_assert_eq!(&parse(&reference.familiar()), &reference);
        let canonical = parse(&reference.canonical());
        prop_assert!(reference.same_but_for_digest(&canonical));
        prop_assert_eq!(canonical.canonical(), reference.canonical());
    }

    #[test]
    fn an_added_digest_always_meets(text in references()) {
        let bare = parse(&text).with_digest(None).unwrap();
        let pinned = parse(&bare.canonical()).with_digest(Some(DIGEST)).unwrap();
        prop_assert!(bare.is_met_by(&pinned));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[a-zA-Z0-9:@/._-]{0,40}") {
        if let Ok(reference) = text.parse::<Reference>() {
            prop_assert_eq!(parse(&reference.familiar()), reference);
        }
    }
}
