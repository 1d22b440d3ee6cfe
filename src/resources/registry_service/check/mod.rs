//! What would lose images, stand open or never start.
//!
//! The rules are the registry layer's; here the configuration is put before them, of which parts may be unknown: what it says
//! by itself, what it says beside the state before ([`before`]), and what the swarm says of it ([`live`]).

mod before;
mod content;
pub(super) mod live;
mod look;
mod scheduling;
mod secrets;
mod serving;
mod storage;

use super::owned;
use super::settings::{Settings, dialects, is_rendered, spellings};
use crate::{
    registry::{Finding, Secret, Severity, checks},
    resources::service,
    terraform::{Config, Diagnostic, Diagnostics, Plan, Value},
};
use std::collections::BTreeMap;

/// What a configuration says by itself.
pub(super) fn offline(config: &Config) -> Diagnostics {
    let mut found = exclusions(config);
    found.extend(service::offline(config));
    let mut findings = scheduling::always(config);
    findings.extend(content::always(config));
    findings.extend(secrets::targets(config));
    if is_rendered(config) {
        findings.extend(storage::findings(config));
        findings.extend(scheduling::rendered(config));
        findings.extend(serving::findings(config));
        findings.extend(secrets::findings(config));
        findings.extend(content::rendered(config));
        found.extend(spellings::check(config));
    } else {
        found.extend(storage::none(config));
    }
    found.extend(findings.iter().map(diagnostic));
    found
}

/// What the rendered file and the environment beside it say together, and what changes in a registry that is there.
pub(super) fn planned(plan: &Plan) -> Diagnostics {
    let before = plan.prior.as_ref();
    let mut findings = before.map(|before| before::findings(before, plan.planned())).unwrap_or_default();
    findings.extend(rendered(plan).unwrap_or_default());
    let mut found: Diagnostics = findings.iter().map(diagnostic).collect();
    found.extend(Settings::planned(plan).map(|settings| owned::check(plan, &settings)).unwrap_or_default());
    found
}

fn rendered(plan: &Plan) -> Option<Vec<Finding>> {
    let settings = Settings::planned(plan)?;
    let configuration = settings.configuration(Secret::from("x")).ok()?;
    let mut findings = configuration.inspect(settings.dialect());
    findings.extend(dialects::findings(&plan.config, settings.dialect()));
    let env: BTreeMap<String, String> = plan.known("env").unwrap_or_default();
    findings.extend(checks::environment(env.keys().map(String::as_str), &configuration.rendered_paths()));
    let file = configuration.render().yaml.expose().len();
    findings.extend(checks::size("extra_config", "The configuration file", file));
    findings.extend(secrets::sizes(&settings));
    Some(findings)
}

/// Whether the registry, which is a cache, removes what is old; none where that is not known.
pub(super) fn expires(config: &Config) -> Option<bool> {
    content::expires(look::Look(config))
}

/// Whether a setting is more than what is so without it too, as Terraform writes it when it generates a configuration.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Map(items) => !items.is_empty(),
        _ => true,
    }
}

fn exclusions(config: &Config) -> Diagnostics {
    let mut found = vec![];
    if !is_rendered(config) {
        for name in Settings::of_the_file().filter(|name| says_something(config.get(name))) {
            let detail = format!(
                "Without `storage` the provider writes no configuration file, and `{name}` would have no effect. Set \
                 `storage`, or configure the registry by `env`."
            );
            found.push(Diagnostic::error(format!("`{name}` needs `storage`"), detail).at(name));
        }
    } else if config.is_set("args") {
        let detail = "With `storage` the arguments are those that serve the rendered configuration.";
        found.push(Diagnostic::error("`args` excludes `storage`", detail).at("args"));
    }
    found
}

/// A finding of the registry's rules as a diagnostic.
pub(super) fn diagnostic(finding: &Finding) -> Diagnostic {
    let summary = format!("{} ({})", summary(&finding.path), finding.code);
    let diagnostic = match finding.severity {
        Severity::Error => Diagnostic::error(summary, finding.message.clone()),
        Severity::Warning => Diagnostic::warning(summary, finding.message.clone()),
    };
    diagnostic.at(finding.path.as_str())
}

fn summary(path: &str) -> String {
    if path.is_empty() { "Doubtful registry".to_owned() } else { format!("Doubtful `{path}`") }
}

#[cfg(test)]
mod tests;
