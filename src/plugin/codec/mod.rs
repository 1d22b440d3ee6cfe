//! Values between bytes and [`Value`], each directed by its type.
//!
//! On the wire a set, a list and a tuple look alike, an object looks like a map, and a number may be an integer,
//! a float or text; only the schema says which it is. Terraform sends msgpack and reads msgpack; what lies in a
//! state file is JSON.

mod json;
mod msgpack;
mod types;

#[cfg(test)]
pub(super) mod samples;

#[cfg(test)]
pub(super) use types::type_from_json;
pub(super) use types::type_to_json;

use std::fmt;

use super::proto::tfplugin6::DynamicValue;
use crate::terraform::{Diagnostic, Number, Object, Path, Step, Type, Value};

/// How deep a value or a type may nest. Schemas are shallow; only a dynamic value can be deeper than its schema.
const DEEPEST: usize = 128;
/// The longest number in characters, and the largest exponent. Terraform keeps 512 bits, some 155 digits; what is
/// far beyond that only costs memory.
const LONGEST_NUMBER: usize = 4096;

/// What is wrong with a value on the wire. It never shows the value, which may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mismatch {
    /// Where in the value.
    path: Path,
    /// What is wrong there, as the end of a sentence.
    reason: String,
}

/// The outcome of reading or writing a value.
pub(super) type Result<T, E = Mismatch> = std::result::Result<T, E>;

impl Mismatch {
    fn new(reason: impl Into<String>) -> Self {
        Mismatch { path: Path::default(), reason: reason.into() }
    }

    fn wanted(wanted: &str, found: &str) -> Self {
        Mismatch::new(format!("{wanted} is wanted, but {found} was found"))
    }

    fn beneath(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.0.is_empty() {
            return f.write_str(&self.reason);
        }
        write!(f, "at `{}`: {}", self.path, self.reason)
    }
}

impl std::error::Error for Mismatch {}

impl From<Mismatch> for Diagnostic {
    fn from(mismatch: Mismatch) -> Self {
        Diagnostic::error(
            "A value does not fit the schema",
            format!(
                "What Terraform sent to the provider, or the provider to Terraform, is not of the type that the schema \
                 has: {mismatch}. Either the state is damaged or was written by another version of the provider, or \
                 the provider has a bug, which please report."
            ),
        )
        .at(mismatch.path)
    }
}

/// The object that Terraform sent, or `None` for null.
pub(super) fn decode(sent: Option<&DynamicValue>, schema: &Type) -> Result<Option<Object>> {
    object(decode_value(sent, schema)?)
}

/// The value that Terraform sent; what it did not send is null.
pub(super) fn decode_value(sent: Option<&DynamicValue>, r#type: &Type) -> Result<Value> {
    let Some(sent) = sent else { return Ok(Value::Null) };
    match (&sent.msgpack[..], &sent.json[..]) {
        ([], []) => Ok(Value::Null),
        ([], bytes) => json::decode(bytes, r#type),
        (bytes, _) => msgpack::decode(bytes, r#type),
    }
}

/// The object that lies in a state file. What the schema does not have is left out, what it has in addition is
/// null.
pub(super) fn decode_state(bytes: &[u8], schema: &Type) -> Result<Option<Object>> {
    object(json::decode(bytes, schema)?)
}

fn object(value: Value) -> Result<Option<Object>> {
    match value {
        Value::Null => Ok(None),
        Value::Map(attributes) => Ok(Some(Object(attributes))),
        other => Err(Mismatch::wanted("an object", other.kind())),
    }
}

/// An object for Terraform; `None` is null. An attribute that does not fit its type is null in the result and has
/// a diagnostic of its own, so that the rest, which may be all that is known of a new remote object, is not lost.
pub(super) fn encode(object: Option<&Object>, schema: &Type) -> (DynamicValue, Vec<Diagnostic>) {
    let (bytes, mismatches) = match object {
        None => (msgpack::null(), vec![]),
        Some(object) => msgpack::encode_object(object, schema),
    };
    let bug = |mismatch: Mismatch| {
        Diagnostic::bug(format!("It made a value that does not fit its own schema, {mismatch}."))
            .at(mismatch.path)
    };
    (DynamicValue { msgpack: bytes.into(), ..Default::default() }, mismatches.into_iter().map(bug).collect())
}

/// A value for Terraform.
pub(super) fn encode_value(value: &Value, r#type: &Type) -> Result<DynamicValue> {
    Ok(DynamicValue { msgpack: msgpack::encode(value, r#type)?.into(), ..Default::default() })
}

/// A number in decimal text, if it is one of a sane size.
fn decimal(text: &str) -> Result<Number> {
    let malformed = || Mismatch::new("what is there is not a decimal number");
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !plain || text.len() > LONGEST_NUMBER {
        return Err(malformed());
    }
    if let Some((_, exponent)) = text.split_once(['e', 'E']) {
        let exponent: i32 = exponent.parse().map_err(|_| malformed())?;
        if exponent.unsigned_abs() as usize > LONGEST_NUMBER {
            return Err(Mismatch::new("the number there is too large or too small"));
        }
    }
    let number: Number = text.parse().map_err(|_| malformed())?;
    // Many digits and an exponent make up for each other: what counts is how it would be written.
    match number.longest_side() > LONGEST_NUMBER as u64 {
        true => Err(Mismatch::new("the number there is too large or too small")),
        false => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn schema() -> Type {
        Type::Object(BTreeMap::from([("id".into(), Type::String), ("replicas".into(), Type::Number)]))
    }

    #[test]
    fn nothing_is_null_and_json_is_read_when_there_is_no_msgpack() {
        let json = |text: &'static str| DynamicValue { json: text.into(), ..Default::default() };
        assert_eq!(decode(None, &schema()), Ok(None));
        assert_eq!(decode(Some(&DynamicValue::default()), &schema()), Ok(None));
        assert_eq!(decode(Some(&json("null")), &schema()), Ok(None));
        let object = decode(Some(&json(r#"{"id":"x"}"#)), &schema()).expect("reads").expect("not null");
        assert_eq!(object.get("id"), &Value::from("x"));
        let both = DynamicValue { msgpack: vec![0xc0].into(), json: "{".into() };
        assert_eq!(decode(Some(&both), &schema()), Ok(None), "msgpack goes first");
    }

    #[test]
    fn what_does_not_fit_costs_only_itself() {
        let object = Object(BTreeMap::from([
            ("id".into(), Value::from("abc")),
            ("replicas".into(), Value::from("many")),
            ("extra".into(), Value::Bool(true)),
        ]));
        let (sent, diagnostics) = encode(Some(&object), &schema());
        let back = decode(Some(&sent), &schema()).expect("reads").expect("not null");
        assert_eq!((back.get("id"), back.get("replicas")), (&Value::from("abc"), &Value::Null));
        let paths: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect();
        assert_eq!(paths, ["replicas", "extra"]);
    }

    #[test]
    fn numbers_of_insane_size_are_refused_at_once() {
        for text in [
            "1e1000000000",
            "1e-1000000000",
            "1e99999999999999999999",
            "",
            "1_000",
            "Infinity",
            "0x10",
            "--1",
        ] {
            assert!(decimal(text).is_err(), "{text}");
        }
        assert!(decimal(&"9".repeat(LONGEST_NUMBER + 1)).is_err());
        assert_eq!(decimal("1e3").expect("reads"), Number::from(1000_i64));
        // What is read can be written: digits and an exponent make up for each other, and add up.
        assert!(decimal(&format!("{}e4000", "9".repeat(100))).is_err());
        assert!(decimal(&format!("0.{}e-4000", "9".repeat(100))).is_err());
        assert!(decimal(&format!("{}e-4000", "9".repeat(100))).is_ok());
    }

    #[test]
    fn messages_name_the_place_and_not_the_value() {
        let sent = DynamicValue { json: r#"{"replicas":"hunter2"}"#.into(), ..Default::default() };
        let diagnostic = Diagnostic::from(decode(Some(&sent), &schema()).expect_err("no number"));
        assert_eq!(diagnostic.path, Path::of("replicas"));
        assert!(!diagnostic.detail.contains("hunter2"), "{}", diagnostic.detail);
    }
}
