//! Values in JSON, as state files have them.
//!
//! Read by type from the text itself, since a general JSON value would turn numbers into floats. It is as
//! lenient as Terraform is: text passes for a number or a bool and the other way round, attributes may be missing,
//! and here, other than there, they may also be unknown to the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::msgpack::name;
use super::types::type_from_json;
use super::{DEEPEST, Mismatch, Result, decimal};
use crate::terraform::{Step, Type, Value};

/// Reads one value of a type.
pub(super) fn decode(bytes: &[u8], r#type: &Type) -> Result<Value> {
    // The parser's own message is not passed on, since it may quote what it has found.
    let json = serde_json::from_slice(bytes).map_err(|_| Mismatch::new("what is there is not JSON"))?;
    read(json, r#type, DEEPEST)
}

fn read(json: &RawValue, r#type: &Type, depth: usize) -> Result<Value> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Mismatch::new("values are nested too deeply")) };
    if json.get() == "null" {
        return Ok(Value::Null);
    }
    match r#type {
        Type::Bool => match text(json)?.as_deref().unwrap_or(json.get()) {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong(json, r#type)),
        },
        Type::Number => match (kind(json), text(json)?) {
            ("a string", Some(text)) => decimal(&text).map(Value::Number),
            ("a number", _) => decimal(json.get()).map(Value::Number),
            _ => Err(wrong(json, r#type)),
        },
        Type::String => match (kind(json), text(json)?) {
            (_, Some(text)) => Ok(Value::String(text.into_owned())),
            ("a number" | "a bool", None) => Ok(Value::String(json.get().to_owned())),
            _ => Err(wrong(json, r#type)),
        },
        Type::List(inner) | Type::Set(inner) => {
            read_items(&array(json, r#type)?, std::iter::repeat(&**inner), depth)
        }
        Type::Tuple(types) => match array(json, r#type)? {
            items if items.len() == types.len() => read_items(&items, types, depth),
            items => Err(Mismatch::new(format!(
                "{} elements are wanted, but {} were found",
                types.len(),
                items.len()
            ))),
        },
        Type::Map(inner) => {
            let read = |(key, json): (Cow<'_, str>, &RawValue)| {
                let value = read(json, inner, depth)
                    .map_err(|error| error.beneath(Step::Key(key.clone().into_owned())))?;
                Ok((key.into_owned(), value))
            };
            Ok(Value::Map(entries(json, r#type)?.into_iter().map(read).collect::<Result<_>>()?))
        }
        Type::Object(types) => {
            let found = entries(json, r#type)?;
            let read = |(name, r#type): (&String, &Type)| {
                let value =
                    found.get(name.as_str()).map_or(Ok(Value::Null), |json| read(json, r#type, depth));
                Ok((
                    name.clone(),
                    value.map_err(|error: Mismatch| error.beneath(Step::Attribute(name.clone())))?,
                ))
            };
            Ok(Value::Map(types.iter().map(read).collect::<Result<_>>()?))
        }
        Type::Dynamic => read_dynamic(&entries(json, r#type)?, depth),
    }
}

fn read_items<'a>(
    items: &[&RawValue],
    types: impl IntoIterator<Item = &'a Type>,
    depth: usize,
) -> Result<Value> {
    let read = |(index, (item, r#type)): (_, (&&RawValue, _))| {
        read(item, r#type, depth).map_err(|error| error.beneath(Step::Index(index)))
    };
    Ok(Value::List(items.iter().zip(types).enumerate().map(read).collect::<Result<_>>()?))
}

/// A dynamic value comes with its type: `{"value": …, "type": …}`.
fn read_dynamic(parts: &BTreeMap<Cow<'_, str>, &RawValue>, depth: usize) -> Result<Value> {
    let (Some(value), Some(r#type), 2) = (parts.get("value"), parts.get("type"), parts.len()) else {
        return Err(Mismatch::new("a dynamic value is not a pair of its type and itself"));
    };
    let r#type = type_from_json(r#type.get().as_bytes())?;
    let value = read(value, &r#type, depth)?;
    if r#type == Type::Dynamic {
        return Ok(value);
    }
    Ok(Value::Dynamic(Box::new((r#type, value))))
}

fn entries<'a>(json: &'a RawValue, wanted: &Type) -> Result<BTreeMap<Cow<'a, str>, &'a RawValue>> {
    match json.get().starts_with('{') {
        true => serde_json::from_str(json.get()).map_err(|_| unreadable()),
        false => Err(wrong(json, wanted)),
    }
}

fn array<'a>(json: &'a RawValue, wanted: &Type) -> Result<Vec<&'a RawValue>> {
    match json.get().starts_with('[') {
        true => serde_json::from_str(json.get()).map_err(|_| unreadable()),
        false => Err(wrong(json, wanted)),
    }
}

/// The text that the JSON is, or `None` if it is something else.
fn text(json: &RawValue) -> Result<Option<Cow<'_, str>>> {
    match json.get().starts_with('"') {
        true => serde_json::from_str(json.get()).map(Some).map_err(|_| unreadable()),
        false => Ok(None),
    }
}

/// Only text can be wrong inside of JSON that was read as a whole: half of a surrogate pair.
fn unreadable() -> Mismatch {
    Mismatch::new("the text there is not Unicode")
}

fn wrong(found: &RawValue, wanted: &Type) -> Mismatch {
    Mismatch::wanted(name(wanted), kind(found))
}

fn kind(json: &RawValue) -> &'static str {
    match json.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "a bool",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{encode_json, known_typed_values, types};
    use super::*;
    use crate::terraform::Number;
    use proptest::prelude::*;

    fn object(attributes: &[(&str, Type)]) -> Type {
        Type::Object(attributes.iter().map(|(name, r#type)| ((*name).to_owned(), r#type.clone())).collect())
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        for text in ["0.1", "12345678901234567890123", "0.12345678901234567890123", "-7", "1"] {
            let value = decode(text.as_bytes(), &Type::Number).expect("reads");
            assert_eq!(value, Value::Number(text.parse().expect("a number")));
        }
        assert_eq!(decode(b"1e2", &Type::Number), Ok(Value::Number(Number::from(100_i64))));
        assert!(decode(b"1e1000000000", &Type::Number).is_err());
    }

    #[test]
    fn primitives_pass_for_each_other_as_in_terraform() {
        let number = || Value::Number(Number::from(5_i64));
        assert_eq!(decode(br#""5""#, &Type::Number), Ok(number()));
        assert_eq!(decode(br#""true""#, &Type::Bool), Ok(Value::Bool(true)));
        assert_eq!(decode(b"5", &Type::String), Ok(Value::from("5")));
        assert_eq!(decode(b"false", &Type::String), Ok(Value::from("false")));
        for (json, r#type) in
            [("true", Type::Number), ("1", Type::Bool), (r#""x""#, Type::Number), ("[]", Type::String)]
        {
            assert!(decode(json.as_bytes(), &r#type).is_err(), "{json} as {type:?}");
        }
    }

    #[test]
    fn objects_are_cut_and_filled_to_the_schema() {
        let r#type = object(&[("a", Type::String), ("b", Type::set(Type::Number))]);
        let value = decode(br#" { "a" : "\u00e4" , "gone" : [ {} ] } "#, &r#type).expect("reads");
        assert_eq!(
            (value.get("a"), value.get("b"), value.get("gone")),
            (&Value::from("ä"), &Value::Null, &Value::Null)
        );
    }

    #[test]
    fn dynamic_values_have_their_type_in_any_order() {
        let wanted = Value::Dynamic(Box::new((Type::Bool, Value::Bool(true))));
        assert_eq!(decode(br#"{"value":true,"type":"bool"}"#, &Type::Dynamic), Ok(wanted.clone()));
        assert_eq!(decode(br#"{"type":"bool","value":true}"#, &Type::Dynamic), Ok(wanted));
        assert!(decode(br#"{"value":true}"#, &Type::Dynamic).is_err());
        let deep = [r#"{"type":"dynamic","value":"#.repeat(500), "null".into(), "}".repeat(500)].concat();
        assert!(decode(deep.as_bytes(), &Type::Dynamic).is_err());
    }

    #[test]
    fn errors_name_the_place_and_not_the_value() {
        let r#type = object(&[("ports", Type::list(object(&[("target", Type::Number)])))]);
        let error = decode(br#"{"ports":[{"target":"hunter2"}]}"#, &r#type).expect_err("no number");
        assert_eq!(error.path.to_string(), "ports[0].target");
        assert!(!error.to_string().contains("hunter2"));
        let error = decode(br#"{"ports":"hunter2"}"#, &r#type).expect_err("no list");
        assert_eq!(error.to_string(), "at `ports`: a list is wanted, but a string was found");
        assert!(decode(br#"{"ports":"\ud800"}"#, &object(&[("ports", Type::String)])).is_err());
    }

    proptest! {
        #[test]
        fn every_known_value_comes_back((r#type, value) in known_typed_values()) {
            prop_assert_eq!(decode(encode_json(&value).as_bytes(), &r#type), Ok(value));
        }

        #[test]
        fn no_text_panics(text in r#"[\[\]{}",:a0-9.\\u-]{0,60}"#, r#type in types()) {
            decode(text.as_bytes(), &r#type).ok();
        }
    }
}
