//! Which changes lose images, and which do not.

use super::*;
use crate::terraform::Object;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn images<const N: usize>(members: [(&str, Value); N]) -> Images {
    let Value::Map(members) = map(members) else { panic!("a map") };
    Images::of(&Config(Object(members)))
}

fn mounted(kind: &str, source: Option<&str>, target: &str) -> (&'static str, Value) {
    let source = source.map_or(Value::Null, text);
    ("mounts", Value::List(vec![map([("type", text(kind)), ("source", source), ("target", text(target))])]))
}

#[test]
fn s19_images_that_nothing_keeps_go_with_the_task() {
    assert_eq!(images([]), Images::WithTheTask);
    assert_eq!(images([mounted("volume", Some("v"), "/elsewhere")]), Images::WithTheTask);
    assert_eq!(images([mounted("volume", None, "/var/lib/registry")]), Images::WithTheTask);
    assert_eq!(images([mounted("tmpfs", None, "/var/lib")]), Images::WithTheTask);
    let certificate = map([("source", text("localhub.crt")), ("target", text("localhub.crt"))]);
    assert_eq!(images([("secrets", Value::List(vec![certificate]))]), Images::WithTheTask);
    let deletes = map([("REGISTRY_STORAGE_DELETE_ENABLED", text("true"))]);
    assert_eq!(images([("env", deletes)]), Images::WithTheTask);
    let filesystem = |place: (&str, Value)| {
        map([("filesystem", map([("root_directory", text("/var/lib/registry")), place]))])
    };
    assert_eq!(images([("storage", filesystem(("volume", Value::Null)))]), Images::WithTheTask);
    assert_eq!(images([("storage", filesystem(("tmpfs", map([]))))]), Images::WithTheTask);
    assert_eq!(images([("storage", filesystem(("bind", text("/srv"))))]), Images::Elsewhere);
}

#[test]
fn images_that_something_keeps_stay() {
    assert_eq!(images([mounted("volume", Some("v"), "/var/lib/registry")]), Images::OnItsNode);
    assert_eq!(images([mounted("bind", Some("/srv"), "/var/lib")]), Images::Elsewhere);
    for (name, value) in [
        ("REGISTRY_STORAGE", "s3"),
        ("REGISTRY_STORAGE_S3_BUCKET", "hub"),
        ("REGISTRY_PROXY_REMOTEURL", "https://registry-1.docker.io"),
    ] {
        assert_eq!(images([("env", map([(name, text(value))]))]), Images::Elsewhere, "{name}");
    }
    assert_eq!(images([("args", Value::List(vec![text("/etc/own.yml")]))]), Images::Elsewhere);
    let own = map([("source", text("hub")), ("target", text("/etc/docker/registry/config.yml"))]);
    assert_eq!(images([("configs", Value::List(vec![own]))]), Images::Elsewhere);
    assert_eq!(images([("storage", map([("s3", map([("bucket", text("hub"))]))]))]), Images::Elsewhere);
}

/// A rendered registry whose images go with its task, as it is in the state, with more laid over it.
fn rendered<const N: usize>(more: [(&str, Value); N]) -> Config {
    let root = map([("root_directory", text("/var/lib/registry"))]);
    let Value::Map(mut members) = map([
        ("storage", map([("filesystem", root)])),
        ("distribution", text("3.1")),
        ("url", text("https://hub.example.com")),
        ("config_secret", text("hub-config-1")),
        ("replicas", Value::Number(1_i64.into())),
    ]) else {
        panic!("a map")
    };
    members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Config(Object(members))
}

/// Where S19 speaks of what is planned, and of what it says that it changes.
fn refused(prior: &Config, planned: &Config) -> Option<(String, String)> {
    let found = between(prior, planned);
    let found = found.first()?;
    assert!(found.is_error() && found.summary.ends_with("(S19)"), "{found:?}");
    let (_, changing) = found.detail.split_once("and changing ")?;
    Some((found.path.to_string(), changing.split_once(" replaces that task")?.0.to_owned()))
}

fn at(path: &str, changing: &str) -> Option<(String, String)> {
    Some((path.to_owned(), changing.to_owned()))
}

#[test]
fn s19_another_file_is_another_task_whatever_it_follows_from() {
    let prior = rendered([]);
    let (url, secret) = (("url", text("https://other.example.com")), ("config_secret", text("hub-config-2")));
    assert_eq!(refused(&prior, &rendered([url.clone(), secret.clone()])), at("url", "`url`"));
    let unknown = ("config_secret", Value::UNKNOWN);
    assert_eq!(refused(&prior, &rendered([("url", Value::UNKNOWN), unknown.clone()])), at("url", "`url`"));
    let alone = "`config_secret`, the secret with the rendered configuration file,";
    assert_eq!(refused(&prior, &rendered([secret.clone()])), at("config_secret", alone));
    assert_eq!(refused(&prior, &rendered([unknown])), at("config_secret", alone));
    let drifted = rendered([("config_secret", text(""))]);
    assert_eq!(refused(&drifted, &prior), at("config_secret", alone));
    let log = ("log", map([("level", text("debug"))]));
    assert_eq!(refused(&prior, &rendered([log, secret.clone()])), at("log", "`log`"));
    let discards = rendered([secret, ("discard_images", Value::Bool(true))]);
    assert!(!between(&prior, &discards)[0].is_error());
}

#[test]
fn s19_a_dialect_with_other_variables_is_another_task() {
    let of = |dialect: &str| rendered([("distribution", text(dialect))]);
    assert_eq!(refused(&of("2.8"), &of("3.1")), at("distribution", "`distribution`"));
    let unknown = rendered([("distribution", Value::UNKNOWN)]);
    assert_eq!(refused(&of("2.8"), &unknown), at("distribution", "`distribution`"));
    assert_eq!(refused(&of("3.0"), &of("3.1")), None, "the same file and the same variables");
}

#[test]
fn s19_what_leaves_the_task_alone_is_not_refused() {
    let prior = rendered([]);
    assert_eq!(refused(&prior, &prior), None);
    assert_eq!(refused(&prior, &rendered([("url", text("https://other.example.com"))])), None, "in no file");
    assert_eq!(refused(&prior, &rendered([("config_preview", Value::UNKNOWN)])), None);
    let nothing = rendered([("replicas", Value::Number(0_i64.into())), ("config_secret", text(""))]);
    assert_eq!(refused(&nothing, &prior), None, "no task runs");
    // The article's service, adopted as it is.
    let bare = |url: Value| {
        rendered([
            ("storage", Value::Null),
            ("distribution", Value::Null),
            ("config_secret", text("")),
            ("url", url),
        ])
    };
    assert_eq!(refused(&bare(Value::Null), &bare(Value::Null)), None);
    assert_eq!(refused(&bare(Value::Null), &bare(text("https://hub.example.com"))), None);
    assert_eq!(refused(&bare(Value::Null), &rendered([])), at("storage", "`storage`"));
}
