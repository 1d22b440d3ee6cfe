//! `registry_service`: the settings of the registry by the samples of `backends` and `serving`, and what it has of a service
//! by those of `swarm_service`.

use super::case::{Case, Expected, IS_THE_DEFAULT, OPAQUE, TERRAFORM_S};
use crate::{backends, service_matrix, serving};
use serde_json::Value as Json;
use swarm::docker::ApiVersion;

const TYPE: &str = "registry_service";

/// What is made of the settings: the file, its secret, and what the service is given along with it.
const FOLLOWS: &[&str] = &[
    "config_preview",
    "config_secret",
    "storage.redirect",
    "storage.filesystem.shared",
    "stop_grace_period",
    "healthcheck.command",
];

/// The same of the folder of the images.
const FOLLOWS_A_FOLDER: &[&str] = &["config_preview", "config_secret", "mounts", "storage.filesystem.volume"];

/// The same of a part of a service: what is made of what is known of a rollout.
const FOLLOWS_A_PART: &[&str] = &[
    "config_preview",
    "config_secret",
    "stop_grace_period",
    "healthcheck.command",
    "update.order",
    "update.monitor",
    "rollback.order",
    "rollback.monitor",
];

/// The same of a certificate, or of the port in the container: the registry serves at another port.
const FOLLOWS_A_PORT: &[&str] = &["config_preview", "config_secret", "healthcheck.command", "http.port"];

/// The same of an authority, which asks at port 443.
const FOLLOWS_AN_AUTHORITY: &[&str] =
    &["config_preview", "config_secret", "healthcheck.command", "http.port", "publish"];

/// The same of the addresses in answers, which are made of `url`.
const FOLLOWS_ADDRESSES: &[&str] = &["config_preview", "config_secret", "url"];

/// The same of what is set by environment variables, which others change by their names.
const FOLLOWS_VARIABLES: &[&str] = &["config_preview", "config_secret", "env"];

/// Settings whose second value is what is meant without one.
const BY_DEFAULT: [&str; 17] = [
    "behind_tls_proxy",
    "http.h2c",
    "http.http2",
    "middleware.cloudfront.ip_filtered_by",
    "notification_references",
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
];

/// Settings without which, in these samples, something else that is wanted is missing.
const NEEDED: [&str; 7] = [
    "cache.none",
    "cache.redis.tls.private_key_secret",
    "middleware.cloudfront.private_key_secret",
    "storage.azure.default_credentials",
    "storage.in_memory",
    "storage.s3.access_key",
    "storage.s3.secret_key",
];

/// Without these, a registry (or one of these samples) means something else than the second value.
const OTHERWISE: [&str; 3] = ["update.order", "rollback.order", "wait_for.replicas"];

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
    let of = |value| arguments(prefix, sample.path, dialect, &sample.config(value));
    let case = Case::new(TYPE, sample.path, &of(Some(0)), &of(Some(1)), Some(&of(None)));
    let case = case.follows(FOLLOWS).behind(behind(sample.path));
    let case = match sample.path {
        // With another folder in the container the volume is mounted elsewhere.
        "storage.filesystem.root_directory" => case.follows(FOLLOWS_A_FOLDER),
        path if NEEDED.contains(&path) => case.cleared(Expected::Blank("something else needs it")),
        _ => case,
    };
    if sample.values[0] == sample.values[1] {
        let same = Expected::Blank("it has one value");
        return Case { change: same.clone(), behind: same, ..case };
    }
    case
}

fn serving(prefix: &str, sample: &serving::Sample) -> Case {
    let dialect = sample.dialects.last().unwrap();
    let of = |config: &Json| arguments(prefix, sample.path, dialect, config);
    let (first, second) = (of(&sample.config(0)), of(&sample.config(1)));
    let case = Case::new(TYPE, sample.path, &first, &second, Some(&of(&Json::Null)));
    let section = sample.path.split('.').next().unwrap_or_default();
    let follows = match section {
        "tls" if sample.path.starts_with("tls.lets_encrypt") => FOLLOWS_AN_AUTHORITY,
        "tls" => FOLLOWS_A_PORT,
        "tracing" => FOLLOWS_VARIABLES,
        _ if sample.path == "http.urls" => FOLLOWS_ADDRESSES,
        _ => FOLLOWS,
    };
    case.follows(follows).behind(behind(sample.path))
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

fn service(prefix: &str, sample: &service_matrix::Sample) -> Case {
    let own = sample.hcl.split(' ').next().unwrap_or_default();
    let of = |argument: Option<&str>| {
        let mut text = arguments(prefix, &format!("s.{}", sample.path), "2.8", &Json::Null);
        if let Some(argument) = argument {
            let lines: Vec<&str> =
                text.lines().filter(|line| !line.trim().starts_with(&format!("{own} "))).collect();
            let argument = fit(sample.path, argument);
            text = format!("{}\n  {}\n", lines.join("\n"), service_matrix::named(prefix, &argument));
        }
        if own == "args" {
            // The arguments are the provider's where it renders a configuration.
            text = text
                .lines()
                .filter(|line| !line.trim().starts_with("storage "))
                .collect::<Vec<_>>()
                .join("\n");
        }
        text
    };
    let [first, second] = [0, 1].map(|index| of(Some(&sample.hcl.replace("VALUE", sample.values[index]))));
    let case = Case::new(TYPE, sample.path, &first, &second, Some(&of(None)));
    let follows = if sample.path == "publish.target" { FOLLOWS_A_PORT } else { FOLLOWS_A_PART };
    let case = case.follows(follows).behind(super::service::behind(sample.path));
    if service_matrix::goes_back_to_the_default(sample) && !OTHERWISE.contains(&sample.path) {
        return case.cleared(Expected::Nothing(IS_THE_DEFAULT));
    }
    case
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
            .follows(FOLLOWS_VARIABLES),
        case("url", "url = \"http://a.example.com\"", "url = \"http://b.example.com\"", "env = {}")
            .behind(Expected::Blank(TERRAFORM_S)),
        case("keep_secrets", "keep_secrets = 2", "keep_secrets = 3", "env = {}")
            .behind(Expected::Blank(TERRAFORM_S)),
        Case::new(TYPE, "mode", &mode("mode = \"global\""), &mode("mode = \"replicated\""), Some(&mode("")))
            .replaces()
            .cleared(Expected::Nothing(IS_THE_DEFAULT)),
    ]
}

/// The cases; what of a service the Engine is too old for is left out.
pub fn cases(prefix: &str, spoken: ApiVersion, is_attribute: impl Fn(&str) -> bool) -> Vec<Case> {
    let old = |sample: &&service_matrix::Sample| {
        is_attribute(sample.path) && service_matrix::needs(sample).is_none_or(|since| since.version <= spoken)
    };
    let mut cases: Vec<Case> = backends::SAMPLES.iter().map(|sample| backend(prefix, sample)).collect();
    cases.extend(own(prefix));
    cases.extend(serving::SAMPLES.iter().map(|sample| serving(prefix, sample)));
    cases.extend(service_matrix::SAMPLES.iter().filter(old).map(|sample| service(prefix, sample)));
    let is_new =
        |path: &str| spoken >= "1.42".parse().unwrap() || path != "storage.filesystem.cluster_volume";
    cases.retain(|case| is_new(&case.paths[0]));
    for case in &mut cases {
        if BY_DEFAULT.contains(&case.paths[0].as_str()) {
            case.clear = Expected::Nothing(IS_THE_DEFAULT);
        }
    }
    cases
}
