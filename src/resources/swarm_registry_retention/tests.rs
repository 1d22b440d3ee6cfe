//! What a plan tells of a rule, and how an apply ends early: on a registry in memory.

use super::*;
use crate::docker::scripted::{Scripted, ok};
use crate::registry::repository::fake::{Fake, set};
use crate::terraform::{AnyResource, ClientSlot, Managed, Object, Planned, Private, Sensitive, Value};

fn engine() -> Scripted {
    Scripted::new(|_| ok(serde_json::Value::Null))
}

fn context(engine: &Scripted) -> Context<Docker> {
    Context { client: engine.docker.clone(), private: Private::default(), warnings: vec![] }
}

/// A registry of which two tags are due.
async fn registry() -> Fake {
    let fake = Fake::start().await;
    for day in 1..=3 {
        let image = fake.state().image(&format!("2026-01-0{day}T00:00:00Z"));
        fake.state().tag(&day.to_string(), &image);
    }
    fake
}

fn rule(url: &str, dry_run: bool) -> SwarmRegistryRetention {
    let password = Some(Sensitive::from("hunter2".to_owned()));
    SwarmRegistryRetention {
        registry: RegistryAccess { username: Some("ci".to_owned()), password, ..RegistryAccess::to(url) },
        repositories: set(&["**"]),
        keep_matching: BTreeSet::new(),
        keep_last: Some(1),
        older_than: None,
        dry_run,
        timeouts: None,
        id: Computed::default(),
        expired: Computed::default(),
    }
}

/// What is planned for a rule where there was another one.
async fn plan(
    engine: &Scripted,
    rule: SwarmRegistryRetention,
    prior: Option<SwarmRegistryRetention>,
) -> Planned {
    let slot = ClientSlot::default();
    slot.set(Some(engine.docker.clone()));
    let mut config = rule.encode();
    config.0.insert("id".to_owned(), Value::Null);
    config.0.insert("expired".to_owned(), Value::Null);
    let prior: Option<Object> = prior.map(|prior| prior.encode());
    Managed::<SwarmRegistryRetention>::new("x", &slot).plan(Some(config), prior, Private::default()).await
}

/// The rule as it is in the state.
fn applied(url: &str, dry_run: bool, expired: &[&str]) -> SwarmRegistryRetention {
    let mut rule = rule(url, dry_run);
    rule.id = "a".to_owned().into();
    rule.expired = expired.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>().into();
    rule
}

#[tokio::test]
async fn what_goes_from_another_registry_is_told_and_not_that_of_the_one_before() {
    let fake = registry().await;
    let engine = engine();
    let before = || applied("http://127.0.0.1:9", false, &["team/app:1"]);
    let planned = plan(&engine, rule(&fake.server.url(), false), Some(before())).await;
    assert_eq!(planned.diagnostics[0].summary, "2 tags will be deleted");
    let mut now = rule(&fake.server.url(), false);
    now.update(&before(), &mut context(&engine)).await.unwrap();
    assert_eq!(fake.tags(), set(&["3"]), "all that were told, and not only those of the same name");

    // The address to connect to tells another registry as well.
    let mut elsewhere = rule("http://hub.invalid", false);
    elsewhere.registry.connect_to = Some(fake.server.address.clone());
    assert!(!elsewhere.is_same_rule(&applied("http://hub.invalid", false, &[])));
}

#[tokio::test]
async fn a_dry_run_does_not_know_what_it_finds_once_anything_changes() {
    let fake = registry().await;
    let engine = engine();
    let url = fake.server.url();
    let state = |planned: Planned| planned.state.unwrap().get("expired").is_unknown();
    let elsewhere = applied("http://127.0.0.1:9", true, &["a:1"]);
    assert!(state(plan(&engine, rule(&url, true), Some(elsewhere)).await));
    let mut login = applied(&url, true, &["team/app:1"]);
    login.registry.username = Some("another".to_owned());
    assert!(state(plan(&engine, rule(&url, true), Some(login)).await));
    let mut same = applied(&url, true, &["team/app:1"]);
    same.id = RegistryAccess::to(&url).host().to_owned().into();
    assert!(!state(plan(&engine, rule(&url, true), Some(same)).await), "an unchanged rule plans empty");
}

#[tokio::test]
async fn a_plan_that_cannot_ask_says_so() {
    let engine = engine();
    let planned = plan(&engine, rule("http://127.0.0.1:9", false), None).await;
    assert!(planned.diagnostics[0].detail.contains("could not be asked"), "{:?}", planned.diagnostics);
    assert!(plan(&engine, rule("http://127.0.0.1:9", true), None).await.diagnostics.is_empty());
    let unchanged = applied("http://127.0.0.1:9", false, &[]);
    let planned = plan(&engine, rule("http://127.0.0.1:9", false), Some(unchanged)).await;
    assert!(planned.diagnostics.is_empty());
}

#[tokio::test]
async fn a_deletion_ends_when_terraform_is_told_to_stop() {
    let fake = registry().await;
    let engine = engine();
    let docker = engine.docker.clone();
    fake.when("DELETE", move |_| {
        docker.stop();
        None
    });
    let error = rule(&fake.server.url(), false).create(&mut context(&engine)).await.unwrap_err();
    assert_eq!(error.summary, "Stopped");
    assert_eq!(fake.tags().len(), 2, "the one that was under way is gone");
    // Not even the first look is made to its end.
    let error = rule(&fake.server.url(), false).create(&mut context(&engine)).await.unwrap_err();
    assert!(error.detail.contains("nothing was deleted"), "{error:?}");
    assert_eq!(fake.tags().len(), 2);
}

#[tokio::test]
async fn a_deletion_takes_no_longer_than_it_may() {
    let fake = registry().await;
    let engine = engine();
    fake.when("GET", |_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        None
    });
    let mut rule = rule(&fake.server.url(), false);
    rule.timeouts = Some(Timeouts { create: Some("10ms".parse().unwrap()), ..Timeouts::default() });
    let error = rule.create(&mut context(&engine)).await.unwrap_err();
    assert!(error.detail.contains("`timeouts`"), "{error:?}");
    assert_eq!(fake.tags().len(), 3);
}
