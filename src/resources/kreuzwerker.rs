//! States of the provider `kreuzwerker/docker`, as far as `moved` blocks take them over.

use crate::terraform::MoveSource;
use serde_json::{Map, Value};

/// Whether a state is of that provider's type.
pub fn is(source: &MoveSource, type_name: &str) -> bool {
    source.provider.ends_with("/kreuzwerker/docker") && source.type_name == type_name
}

/// Its labels, a set of objects with `label` and `value`, as a map; nothing where it has none.
pub fn labels(theirs: &Map<String, Value>) -> Value {
    let labels = theirs.get("labels").and_then(Value::as_array).into_iter().flatten();
    let pair = |label: &Value| Some((label.get("label")?.as_str()?.to_owned(), label.get("value")?.clone()));
    let labels: Map<String, Value> = labels.filter_map(pair).collect();
    if labels.is_empty() { Value::Null } else { Value::Object(labels) }
}

/// A map of its, or nothing where that is empty.
pub fn map(theirs: Option<&Value>) -> Value {
    match theirs {
        Some(Value::Object(map)) if !map.is_empty() => Value::Object(map.clone()),
        _ => Value::Null,
    }
}

/// A text of its, or nothing where that is empty.
pub fn text(theirs: Option<&Value>) -> Value {
    match theirs {
        Some(Value::String(text)) if !text.is_empty() => Value::String(text.clone()),
        _ => Value::Null,
    }
}
