//! What Terraform says in JSON, by the address of the resource that it is about.

use crate::terraform::Workspace;
use serde_json::Value;
use std::collections::BTreeMap;

/// Errors by address; what is about no resource has an empty one.
pub type Errors = BTreeMap<String, String>;

/// Runs a command with `-json`, and answers its errors.
pub fn errors(workspace: &Workspace, args: &[&str]) -> Errors {
    let output = workspace.try_run(args);
    let mut errors = Errors::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let told = &message["diagnostic"];
        if told["severity"] == "error" {
            let text = |key: &str| told[key].as_str().unwrap_or_default().trim().to_owned();
            let error = format!("{}: {}", text("summary"), text("detail")).replace('\n', " ");
            let address = match told["address"].as_str() {
                Some(address) => address.to_owned(),
                None => in_context(told),
            };
            // Several errors may be about nothing in particular.
            errors
                .entry(address)
                .and_modify(|told: &mut String| told.push_str(&error))
                .or_insert(error.clone());
        }
    }
    if !output.status.success() && errors.is_empty() {
        errors.insert(String::new(), String::from_utf8_lossy(&output.stderr).into_owned());
    }
    errors
}

/// The address in `resource "type" "label"`, which is said where the configuration is at fault.
fn in_context(told: &Value) -> String {
    let context = told["snippet"]["context"].as_str().unwrap_or_default();
    let mut words = context.split('"').skip(1).step_by(2);
    match (words.next(), words.next()) {
        (Some(r#type), Some(label)) => format!("{type}.{label}"),
        _ => String::new(),
    }
}

/// What a plan would do with one resource.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// `update`, `delete+create`, …
    pub action: String,
    /// The dotted paths that differ, without those that become unknown.
    pub differing: Vec<String>,
    /// The dotted paths because of which there is another object.
    pub replacing: Vec<String>,
}

/// What a plan would do, by address; what stays is left out.
pub fn changes(plan: &crate::terraform::Plan) -> BTreeMap<String, Change> {
    let changes = plan.json["resource_changes"].as_array().cloned().unwrap_or_default();
    let replacing: BTreeMap<&str, Vec<String>> = changes
        .iter()
        .map(|change| {
            let paths = change["change"]["replace_paths"].as_array().map(Vec::as_slice).unwrap_or_default();
            (change["address"].as_str().unwrap_or_default(), paths.iter().map(dotted).collect())
        })
        .collect();
    plan.changes()
        .into_iter()
        .map(|(address, action)| {
            let replacing = replacing.get(address.as_str()).cloned().unwrap_or_default();
            let differing = plan.differing_paths(&address);
            (address, Change { action, differing, replacing })
        })
        .collect()
}

fn dotted(path: &Value) -> String {
    let steps = path.as_array().map(Vec::as_slice).unwrap_or_default();
    let steps: Vec<&str> = steps.iter().filter_map(Value::as_str).collect();
    steps.join(".")
}

/// A plan, by address.
pub struct Planned {
    /// What would be done; what stays is left out.
    pub changes: BTreeMap<String, Change>,
    /// What reading alone has changed in the state.
    pub drift: BTreeMap<String, String>,
}

/// Plans, and answers what would be done.
pub fn plan(workspace: &Workspace) -> Result<Planned, Errors> {
    let errors = errors(workspace, &["plan", "-out=plan.bin", "-input=false", "-json"]);
    if !errors.is_empty() {
        return Err(errors);
    }
    let json: Value = serde_json::from_str(&workspace.run(&["show", "-json", "plan.bin"])).unwrap();
    let drift = json["resource_drift"].as_array().map(Vec::as_slice).unwrap_or_default();
    let drift = drift
        .iter()
        .map(|drift| {
            let address = drift["address"].as_str().unwrap_or_default().to_owned();
            (address, format!("reading changes the state: {}", drift["change"]["actions"]))
        })
        .collect();
    Ok(Planned { changes: changes(&crate::terraform::Plan { json, text: String::new() }), drift })
}
