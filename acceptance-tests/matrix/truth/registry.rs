//! `registry_service`: the settings of the registry by the samples of `backends` and `serving`, and what it has of a service
//! by those of `swarm_service`.

use super::{
    case::{Case, Expected, OPAQUE, TERRAFORM_S},
    rows::{self, Rows},
    without::Without,
};
use crate::{backends, service_matrix, serving};
use serde_json::Value as Json;
use swarm::docker::ApiVersion;

const TYPE: &str = "registry_service";

/// What is made of the settings: the file, and its secret.
const FOLLOWS: &[&str] = &["config_preview", "config_secret"];

/// What else follows from some attributes. A path that ends in a dot stands for all that is in there.
const FOLLOWS_TOO: &[(&str, &[&str])] = &[
    // A rollout is watched for as long as the health takes to be known.
    ("healthcheck.", &["update.monitor", "rollback.monitor"]),
    // It may not be cut off.
    ("http.drain_timeout", &["stop_grace_period"]),
    ("metrics.port", &["healthcheck.command"]),
    // What has no proxy any more starts the next task before it ends the last.
    ("proxy.exec.command", &["update.order", "rollback.order"]),
    ("proxy.remote_url", &["update.order", "rollback.order"]),
    // Where a node has no place for another task, or its port for one only, the last has to end before the next starts.
    ("placement.max_replicas_per_node", &["update.order", "rollback.order"]),
    ("publish.mode", &["update.order", "rollback.order"]),
    // It leads to where the registry serves.
    ("publish.target", &["config_preview", "config_secret", "http.port", "healthcheck.command"]),
    ("storage.azure.service_url", &["storage.redirect"]),
    ("storage.filesystem.cluster_volume", &["storage.filesystem.shared"]),
    // With another folder in the container the volume is mounted elsewhere.
    ("storage.filesystem.root_directory", &["mounts", "storage.filesystem.volume"]),
    // Without TLS the registry serves at another port.
    ("tls.certificate", &["http.port"]),
    ("tls.certificate_secret", &["http.port"]),
    ("tls.private_key", &["http.port"]),
    ("tls.private_key_secret", &["http.port"]),
    ("tls.lets_encrypt.bind", &["http.port", "publish.0.target"]),
    ("tls.lets_encrypt.hosts", &["http.port", "publish.0.target"]),
    ("tls.lets_encrypt.volume", &["http.port", "publish.0.target"]),
    // It is set by variables, which others change by their names.
    ("tracing.", &["env"]),
];

/// Settings whose second value is what is meant without one.
const BY_DEFAULT: [&str; 23] = [
    "auth.token.auto_redirect",
    "behind_tls_proxy",
    "http.h2c",
    "http.http2",
    "log.mail_hooks.disabled",
    "middleware.cloudfront.ip_filtered_by",
    "notification_references",
    "notifications.disabled",
    "reporting.new_relic.verbose",
    "storage.delete",
    "storage.filesystem.shared",
    "storage.oss.encrypt",
    "storage.oss.internal",
    "storage.oss.secure",
    "storage.read_only",
    "storage.redirect",
    "storage.s3.encrypt",
    "storage.s3.secure",
    "storage.s3.skip_verify",
    "storage.s3.v4_auth",
    "storage.swift.insecure_skip_verify",
    "storage.upload_purging.dry_run",
    "storage.upload_purging.enabled",
];

/// Settings without which, in these samples, something else that is wanted is missing: all of their section goes.
const NEEDED: [&str; 19] = [
    "auth.htpasswd.users",
    "auth.token.jwks",
    "auth.token.jwks_secret",
    "auth.token.root_certificates",
    "auth.token.root_certificates_secret",
    "cache.none",
    "cache.redis.tls.private_key_secret",
    "middleware.cloudfront.private_key_secret",
    "reporting.bugsnag.api_key",
    "storage.azure.default_credentials",
    "storage.in_memory",
    "storage.s3.access_key",
    "storage.s3.secret_key",
    "tls.certificate",
    "tls.certificate_secret",
    "tls.lets_encrypt.bind",
    "tls.lets_encrypt.volume",
    "tls.private_key",
    "tls.private_key_secret",
];

/// Without these, a registry means something else than the second value, unlike another service.
const OTHERWISE: [&str; 2] = ["update.order", "rollback.order"];

/// Arguments that are attributes in JSON, beside a name and what keeps tasks from being started.
fn arguments(prefix: &str, path: &str, dialect: &str, config: &Json) -> String {
    let label = path.replace(['.', '_'], "-");
    // A name has a limit: the end of a path tells more than its beginning.
    let label = label[label.len().saturating_sub(40)..].trim_start_matches('-');
    let mut lines = vec![
        format!("name = \"{prefix}-r-{label}\""),
        "image = \"registry:2\"".to_owned(),
        format!("distribution = \"{dialect}\""),
        "replicas = 0".to_owned(),
        "wait_for = { replicas = false }".to_owned(),
    ];
    let sections = config.as_object().cloned().unwrap_or_default();
    if !sections.contains_key("storage") {
        lines.push("storage = { filesystem = { volume = \"images\" } }".to_owned());
    }
    // An authority asks at port 443; in host mode each service can have it.
    if path.starts_with("tls.lets_encrypt") {
        lines.push("publish = [{ port = 443, mode = \"host\" }]".to_owned());
    }
    lines.extend(sections.iter().map(|(name, value)| format!("{name} = {value}")));
    let key = backends::RSA_KEY.replace('\n', "\\n");
    let text: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    text.replace("\"RSA", &format!("\"{key}"))
        .replace("UPSTREAM", "https://registry.example.com")
        .replace("SECRET-", &format!("{prefix}-SECRET-"))
}

/// Whether what the attribute says reaches the Engine in a form that nobody can read.
fn behind(path: &str) -> Expected {
    match path {
        // What the user knows of a folder, or of a proxy, is nothing that the Engine has.
        "storage.filesystem.shared" | "behind_tls_proxy" => Expected::Blank(TERRAFORM_S),
        _ if path.ends_with("_wo_version") => Expected::Blank(OPAQUE),
        _ => Expected::Update,
    }
}

fn backend(prefix: &str, sample: &backends::Sample) -> Case {
    let dialects = sample.dialects();
    let dialect = dialects.last().unwrap();
    let of = |config: &Json| arguments(prefix, sample.path, dialect, config);
    let [first, second] = [0, 1].map(|index| of(&sample.config(Some(index))));
    let mut without = sample.config(None);
    // What its object needs goes with all of the section.
    let pointer = format!("/{}", sample.path.replace('.', "/"));
    let whole = NEEDED.contains(&sample.path) || without.pointer(&pointer).is_some();
    if whole {
        without.as_object_mut().unwrap().remove(section(sample.path));
    }
    let case = Case::new(TYPE, sample.path, &first, &second, Some(&of(&without)))
        .whole(whole)
        .follows(FOLLOWS)
        .behind(behind(sample.path));
    if sample.values[0] == sample.values[1] {
        let same = Expected::Blank("it has one value");
        return Case { change: same.clone(), behind: same, ..case };
    }
    case
}

/// The argument of the resource in which the attribute is.
fn section(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

fn serving(prefix: &str, sample: &serving::Sample, rows: &Rows) -> Case {
    let dialect = sample.dialects.last().unwrap();
    let of = |config: &Json| arguments(prefix, sample.path, dialect, config);
    let (first, second) = (of(&sample.config(0)), of(&sample.config(1)));
    let mut needed = rows::needed(rows, TYPE, sample.path).to_vec();
    if NEEDED.contains(&sample.path) {
        needed.fill(true);
    }
    let left = Without::of(sample.config(0), sample.path, &needed);
    let without = of(&Json::Object(left.arguments));
    let case = Case::new(TYPE, sample.path, &first, &second, Some(&without)).whole(left.whole);
    case.follows(FOLLOWS).behind(behind(sample.path))
}

/// The samples of a service that a registry refuses, as it takes them.
fn fit(path: &str, hcl: &str) -> String {
    match path {
        // It has to end after what is being sent.
        "stop_grace_period" => hcl.replace("\"3s\"", "\"40s\"").replace("\"0s\"", "\"50s\""),
        // It has to lead to where the registry serves.
        "publish.port" => hcl.replace(", target = 1", ""),
        "publish.target" => {
            let port = hcl.split("target = ").nth(1).and_then(|rest| rest.split([' ', '}']).next());
            format!("{hcl}\n  http = {{ port = {} }}", port.unwrap_or_default())
        }
        _ => hcl.to_owned(),
    }
}

fn service(prefix: &str, sample: &service_matrix::Sample, rows: &Rows) -> Case {
    let own = sample.hcl.split(' ').next().unwrap_or_default();
    let of = |argument: &str| {
        let text = arguments(prefix, &format!("s.{}", sample.path), "2.8", &Json::Null);
        let goes = |line: &str| {
            line.trim().starts_with(&format!("{own} "))
                // The arguments are the provider's where it renders a configuration.
                || own == "args" && line.trim().starts_with("storage ")
        };
        let lines: Vec<&str> = text.lines().filter(|line| !goes(line)).collect();
        format!("{}\n  {}\n", lines.join("\n"), service_matrix::named(prefix, argument))
    };
    let [first, second] =
        [0, 1].map(|index| of(&fit(sample.path, &sample.hcl.replace("VALUE", sample.values[index]))));
    // A port leads to where the registry serves.
    let hcl = sample.hcl.replace(", target = 1", "");
    let left = super::service::without(sample.path, &hcl, rows::needed(rows, TYPE, sample.path));
    let case = Case::new(TYPE, sample.path, &first, &second, Some(&of(&left.lines()))).whole(left.whole);
    let case = case.behind(super::service::behind(sample.path));
    let goes_back = service_matrix::goes_back_to_the_default(sample)
        || super::service::IN_ITS_OBJECT.contains(&sample.path);
    if goes_back && !OTHERWISE.contains(&sample.path) { case.back_to_default() } else { case }
}

/// What is neither a setting of the registry nor in the samples of a service.
fn own(prefix: &str) -> Vec<Case> {
    let of = |path: &str, line: &str| {
        let own = line.split(' ').next().unwrap_or_default();
        let text = arguments(prefix, path, "2.8", &Json::Null);
        let lines: Vec<&str> =
            text.lines().filter(|line| !line.trim_start().starts_with(&format!("{own} = "))).collect();
        format!("{}\n  {line}\n", lines.join("\n"))
    };
    let case = |path: &str, first: &str, second: &str, without: &str| {
        Case::new(TYPE, path, &of(path, first), &of(path, second), Some(&of(path, without))).follows(FOLLOWS)
    };
    let name = |letter: &str| of("name", &format!("name = \"{prefix}-r-name-{letter}\""));
    // A global service of one node.
    let mode = |line: &str| {
        let text = of("mode", "storage = { filesystem = { volume = \"images\", shared = true } }");
        let text = text.replace("  replicas = 0\n", "");
        format!("{text}\n  placement = {{ constraints = [\"node.hostname == hubworker02\"] }}\n  {line}")
    };
    vec![
        Case::new(TYPE, "name", &name("a"), &name("b"), None).replaces(),
        case("image", "image = \"registry:2\"", "image = \"registry:2.8.2\"", "env = {}")
            .cleared(Expected::Blank("another image is another version of the settings")),
        // What is made of it differs by what 3 wants to be told.
        case("distribution", "distribution = \"2.8\"", "distribution = \"3.0\"", "env = {}")
            .cleared(Expected::Blank("the image says which it is, and nothing of it is pulled here"))
            .follows(&["env"]),
        case("url", "url = \"http://a.example.com\"", "url = \"http://b.example.com\"", "env = {}")
            .behind(Expected::Blank(TERRAFORM_S)),
        case("keep_secrets", "keep_secrets = 2", "keep_secrets = 3", "env = {}")
            .behind(Expected::Blank(TERRAFORM_S)),
        Case::new(TYPE, "mode", &mode("mode = \"global\""), &mode("mode = \"replicated\""), Some(&mode("")))
            .replaces()
            .back_to_default(),
    ]
}

/// The cases; what of a service the Engine is too old for is left out.
pub fn cases(prefix: &str, spoken: ApiVersion, rows: &Rows) -> Vec<Case> {
    let own = own(prefix);
    let old = |sample: &&service_matrix::Sample| {
        rows.contains_key(&(TYPE.to_owned(), sample.path.to_owned()))
            && !own.iter().any(|case| case.paths[0] == sample.path)
            && service_matrix::needs(sample).is_none_or(|since| since.version <= spoken)
    };
    let mut cases: Vec<Case> = backends::SAMPLES.iter().map(|sample| backend(prefix, sample)).collect();
    cases.extend(own.iter().cloned());
    cases.extend(serving::SAMPLES.iter().map(|sample| serving(prefix, sample, rows)));
    cases.extend(service_matrix::SAMPLES.iter().filter(old).map(|sample| service(prefix, sample, rows)));
    let is_new =
        |path: &str| spoken >= "1.42".parse().unwrap() || path != "storage.filesystem.cluster_volume";
    cases.retain(|case| is_new(&case.paths[0]));
    cases.into_iter().map(as_the_tables_say).collect()
}

/// The same with what is said of its path.
fn as_the_tables_say(case: Case) -> Case {
    let path = case.paths[0].clone();
    let is_it = |named: &str| named == path || named.ends_with('.') && path.starts_with(named);
    let case =
        FOLLOWS_TOO.iter().filter(|(named, _)| is_it(named)).fold(case, |case, (_, more)| case.follows(more));
    if BY_DEFAULT.contains(&path.as_str()) { case.back_to_default() } else { case }
}
