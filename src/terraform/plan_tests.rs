//! What planning promises, on a small resource of its own.

use super::{
    Computed, Config, Context, Duration, Managed, Model, Object, Plan, Private, Resource, Result, Value,
    WriteOnly,
    any_resource::{AnyResource, Apply},
    managed::ClientSlot,
};
use std::collections::{BTreeMap, BTreeSet};

/// A thing with every kind of attribute.
#[derive(Debug, Model)]
struct Thing {
    /// Its name.
    #[tf(replace)]
    name: String,
    /// How long.
    #[tf(default = Duration::from_secs(10))]
    grace: Duration,
    /// Ports, in any order.
    #[tf(default = vec![], unordered)]
    ports: Vec<Port>,
    /// Labels.
    labels: Option<BTreeMap<String, String>>,
    /// Tags.
    tags: Option<BTreeSet<String>>,
    /// How it is updated.
    #[tf(derived)]
    update: Option<Update>,
    /// A secret.
    data_wo: WriteOnly<String>,
    /// How it fails.
    fails: Option<String>,
    /// Its identifier.
    id: Computed<String>,
    /// What changes with everything.
    #[tf(volatile)]
    digest: Computed<String>,
}

/// A port.
#[derive(Debug, Model)]
struct Port {
    /// Inside.
    target: i64,
    /// How.
    #[tf(default = "ingress")]
    mode: String,
}

/// An update.
#[derive(Debug, Model)]
struct Update {
    /// What comes first.
    #[tf(derived)]
    order: String,
    /// How many at once.
    #[tf(default = 1)]
    parallelism: i64,
}

impl Resource for Thing {
    const TYPE: &'static str = "test_thing";
    const IDENTITY: &'static [&'static str] = &["id"];
    type Client = ();

    fn plan(plan: &mut Plan) -> Result<()> {
        if let Some(ports) = plan.known::<Vec<Port>>("ports") {
            let host = ports.iter().any(|port| port.mode == "host");
            plan.derive("update.order", if host { "stop-first" } else { "start-first" }.to_owned());
        }
        Ok(())
    }
    async fn create(&mut self, _: &mut Context<()>) -> Result<()> {
        if self.fails.as_deref() == Some("early") {
            return Err(super::Diagnostic::error("early", ""));
        }
        self.id = "x1".to_owned().into();
        assert_ne!(self.fails.as_deref(), Some("panic"), "planted");
        self.digest = self.data_wo.expose().cloned().unwrap_or_default().len().to_string().into();
        Ok(())
    }
    async fn read(self, _: &mut Context<()>) -> Result<Option<Self>> {
        Ok(Some(Thing { grace: Duration::from_secs(90), ..self }))
    }
    async fn update(&mut self, prior: &Self, context: &mut Context<()>) -> Result<()> {
        if self.fails.is_some() {
            return Err(super::Diagnostic::error("update", ""));
        }
        self.id = prior.id.clone();
        context.private.set("updated", true);
        self.digest = "new".to_owned().into();
        Ok(())
    }
    async fn delete(self, _: &mut Context<()>) -> Result<()> {
        Ok(())
    }
    async fn import(_: &str, _: &mut Context<()>) -> Result<Option<Self>> {
        Ok(None)
    }
    async fn list(_: &mut Context<()>) -> Result<Vec<Self>> {
        Ok(vec![])
    }
}

fn thing() -> Managed<Thing> {
    let slot = ClientSlot::default();
    slot.set(Some(()));
    Managed::new("test/test", &slot)
}

fn s(text: &str) -> Value {
    Value::from(text)
}

fn n(number: i64) -> Value {
    Value::Number(number.into())
}

fn object(pairs: &[(&str, Value)]) -> Object {
    let mut object = Object(
        ["name", "grace", "ports", "labels", "tags", "update", "data_wo", "fails", "id", "digest"]
            .map(|name| (name.to_owned(), Value::Null))
            .into(),
    );
    object.0.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    object
}

fn nested(pairs: &[(&str, Value)]) -> Value {
    Value::Map(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn port(target: i64, mode: Value) -> Value {
    nested(&[("target", n(target)), ("mode", mode)])
}

async fn planned(config: &Object, prior: Option<&Object>) -> (Object, Vec<String>) {
    let planned = thing().plan(Some(config.clone()), prior.cloned(), Private::default()).await;
    assert_eq!(planned.diagnostics, []);
    (planned.state.unwrap(), planned.replace.iter().map(ToString::to_string).collect())
}

async fn applied(config: &Object, prior: Option<&Object>) -> super::any_resource::Applied {
    let (state, _) = planned(config, prior).await;
    let apply = Apply {
        prior: prior.cloned(),
        planned: Some(state),
        config: Some(config.clone()),
        private: Private::default(),
    };
    thing().apply(apply).await
}

#[tokio::test]
async fn a_new_thing_gets_defaults_and_unknowns() {
    let (state, replace) = planned(&object(&[("name", s("a")), ("data_wo", s("x"))]), None).await;
    assert_eq!(state.get("grace"), &s("10s"));
    assert_eq!(state.get("ports"), &Value::List(vec![]));
    assert_eq!(state.get("data_wo"), &Value::Null);
    assert_eq!(state.get("labels"), &Value::Null);
    assert_eq!(state.get("id"), &Value::UNKNOWN);
    assert_eq!(state.get("update"), &nested(&[("order", s("start-first")), ("parallelism", n(1))]));
    assert!(replace.is_empty());
}

#[tokio::test]
async fn an_unchanged_configuration_plans_the_prior_state() {
    let config = object(&[
        ("name", s("a")),
        ("ports", Value::List(vec![port(1, Value::Null), port(2, s("host"))])),
        ("tags", Value::List(vec![s("a"), s("b")])),
    ]);
    let state = applied(&config, None).await.state.unwrap();
    assert_eq!(state.get("update").get("order"), &s("stop-first"));
    let (again, replace) = planned(&config, Some(&state)).await;
    assert_eq!(again, state);
    assert!(replace.is_empty());
}

#[tokio::test]
async fn other_spellings_and_orders_are_no_difference() {
    let two = |a: Value, b: Value| Value::List(vec![a, b]);
    let config = object(&[
        ("name", s("a")),
        ("grace", s("1m30s")),
        ("ports", two(port(1, Value::Null), port(2, s("host")))),
    ]);
    let state = applied(&config, None).await.state.unwrap();
    let mut other = config.clone();
    other.0.insert("grace".into(), s("90s"));
    other.0.insert("ports".into(), two(port(2, s("host")), port(1, s("ingress"))));
    assert_eq!(planned(&other, Some(&state)).await.0, state);
    other.0.insert("ports".into(), two(port(2, s("host")), port(3, s("ingress"))));
    assert_ne!(planned(&other, Some(&state)).await.0, state);
}

#[tokio::test]
async fn a_change_makes_volatile_values_unknown_and_keeps_the_rest() {
    let config = object(&[("name", s("a"))]);
    let state = applied(&config, None).await.state.unwrap();
    let (changed, replace) = planned(&object(&[("name", s("a")), ("grace", s("20s"))]), Some(&state)).await;
    assert_eq!(changed.get("id"), &s("x1"));
    assert_eq!(changed.get("digest"), &Value::UNKNOWN);
    assert!(replace.is_empty());
    let (_, replace) = planned(&object(&[("name", s("b"))]), Some(&state)).await;
    assert_eq!(replace, ["name"]);
}

#[tokio::test]
async fn an_unknown_stays_unknown_and_so_does_what_derives_from_it() {
    let (state, _) = planned(&object(&[("name", Value::UNKNOWN), ("ports", Value::UNKNOWN)]), None).await;
    assert_eq!(state.get("name"), &Value::UNKNOWN);
    assert_eq!(state.get("update").get("order"), &Value::UNKNOWN);
    assert_eq!(state.get("update").get("parallelism"), &n(1));
}

#[tokio::test]
async fn write_only_values_reach_create_and_nothing_else() {
    let state = applied(&object(&[("name", s("a")), ("data_wo", s("four"))]), None).await.state.unwrap();
    assert_eq!(state.get("digest"), &s("4"));
    assert_eq!(state.get("data_wo"), &Value::Null);
}

#[tokio::test]
async fn what_exists_is_kept_after_an_error_and_after_a_panic() {
    let early = applied(&object(&[("name", s("a")), ("fails", s("early"))]), None).await;
    assert!(early.state.is_none() && early.diagnostics[0].is_error());
    let late = applied(&object(&[("name", s("a")), ("fails", s("panic"))]), None).await;
    assert_eq!(late.state.unwrap().get("id"), &s("x1"));
    assert!(late.diagnostics[0].detail.contains("planted"));
}

#[tokio::test]
async fn a_failed_update_leaves_what_is_really_there() {
    let state = applied(&object(&[("name", s("a"))]), None).await.state.unwrap();
    let failed = applied(&object(&[("name", s("a")), ("fails", s("yes"))]), Some(&state)).await;
    let kept = failed.state.unwrap();
    assert_eq!(kept.get("grace"), &s("1m30s"), "the state is what read found");
    assert_eq!(kept.get("fails"), &Value::Null, "what was not applied is not in the state");
}

#[tokio::test]
async fn reading_keeps_the_spelling_and_shows_drift() {
    let state = applied(&object(&[("name", s("a")), ("grace", s("90s"))]), None).await.state.unwrap();
    let read = thing().read(state.clone(), Private::default()).await.state.unwrap();
    assert_eq!(read, state);
    let other = applied(&object(&[("name", s("a"))]), None).await.state.unwrap();
    let read = thing().read(other, Private::default()).await.state.unwrap();
    assert_eq!(read.get("grace"), &s("1m30s"));
}

#[tokio::test]
async fn drift_in_a_list_shows_as_itself() {
    let members = Thing::attributes();
    let (_, ports) = members.iter().find(|(name, _)| *name == "ports").unwrap();
    let list = |targets: &[i64]| Value::List(targets.iter().map(|target| port(*target, s("host"))).collect());
    let arranged = super::equivalence::arrange(ports, list(&[9, 3, 1]), &list(&[1, 2, 3]));
    assert_eq!(arranged, list(&[1, 9, 3]));
}

#[test]
fn validation_checks_what_is_known_and_names_the_path() {
    let bad = object(&[("name", s("a")), ("grace", s("soon")), ("data_wo", s("x"))]);
    let found = thing().validate(bad, false);
    let paths: Vec<_> = found.iter().map(|diagnostic| diagnostic.path.to_string()).collect();
    assert_eq!(paths, ["grace", "data_wo"]);
    assert!(found[1].detail.contains("1.11"));
    let unknown = object(&[("name", Value::UNKNOWN), ("grace", Value::UNKNOWN)]);
    assert_eq!(thing().validate(unknown, true), []);
}

#[test]
fn peeks_see_through_objects_and_stop_at_unknowns() {
    let config = Config(object(&[("update", Value::UNKNOWN), ("labels", nested(&[("a", s("b"))]))]));
    assert_eq!(config.known::<String>("update.order"), None);
    assert!(config.is_set("update.order") && !config.is_known("update.order"));
    assert_eq!(config.known::<String>("labels.a"), Some("b".to_owned()));
    assert!(!config.is_set("labels.c"));
}

#[test]
fn a_write_only_value_that_is_not_known_yet_may_still_be_null_for_an_old_terraform() {
    let unknown = object(&[("name", s("a")), ("data_wo", Value::UNKNOWN)]);
    assert_eq!(thing().validate(unknown, false), []);
}
