//! Types and values for property tests.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::type_to_json;
use crate::terraform::{Number, Refinement, Type, Value};

/// Types of any kind, three levels deep.
pub(in crate::plugin) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String), Just(Type::Dynamic)];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            vec(inner.clone(), 0..4).prop_map(Type::Tuple),
            btree_map("[a-z_]{1,6}", inner, 0..4).prop_map(Type::Object),
        ]
    })
}

/// A type with a value of it, of which parts may be null or unknown.
pub(super) fn typed_values() -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(|r#type| (Just(r#type.clone()), values(&r#type, true)))
}

/// A type with a value of it, of which parts may be null.
pub(super) fn known_typed_values() -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(|r#type| (Just(r#type.clone()), values(&r#type, false)))
}

fn values(r#type: &Type, unknown: bool) -> BoxedStrategy<Value> {
    let known: BoxedStrategy<Value> = match r#type {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => numbers().prop_map(Value::Number).boxed(),
        Type::String => ".{0,12}".prop_map(Value::String).boxed(),
        Type::Dynamic => dynamic(unknown),
        Type::List(inner) | Type::Set(inner) => {
            vec(values(inner, unknown), 0..4).prop_map(Value::List).boxed()
        }
        Type::Map(inner) => btree_map(".{0,4}", values(inner, unknown), 0..4).prop_map(Value::Map).boxed(),
        Type::Tuple(types) => {
            let items: Vec<_> = types.iter().map(|r#type| values(r#type, unknown)).collect();
            items.prop_map(Value::List).boxed()
        }
        Type::Object(types) => {
            let (names, items): (Vec<_>, Vec<_>) =
                types.iter().map(|(name, r#type)| (name.clone(), values(r#type, unknown))).unzip();
            items.prop_map(move |items| Value::Map(names.iter().cloned().zip(items).collect())).boxed()
        }
    };
    if unknown {
        prop_oneof![6 => known, 1 => Just(Value::Null), 1 => Just(Value::UNKNOWN), 1 => refined(r#type)]
            .boxed()
    } else {
        prop_oneof![6 => known, 1 => Just(Value::Null)].boxed()
    }
}

/// Dynamic values are wrapped with a simple type, which keeps the strategy finite.
fn dynamic(unknown: bool) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::list(Type::String))];
    leaf.prop_flat_map(move |r#type| {
        values(&r#type, unknown).prop_map(move |value| Value::Dynamic(Box::new((r#type.clone(), value))))
    })
    .boxed()
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-20_i64..20).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?".prop_map(|text| text.parse().expect("a number")),
    ]
}

/// What can be known of an unknown value of the type, but for types of which nothing can.
fn refined(r#type: &Type) -> BoxedStrategy<Value> {
    let refinement = match r#type {
        Type::Dynamic => return Just(Value::UNKNOWN).boxed(),
        Type::String => proptest::option::of("[a-zä]{1,20}")
            .prop_map(|prefix| Refinement { not_null: true, prefix, ..Refinement::default() })
            .boxed(),
        Type::Number => (
            proptest::option::of((numbers(), any::<bool>())),
            proptest::option::of((numbers(), any::<bool>())),
        )
            .prop_map(|(lower, upper)| Refinement { not_null: true, lower, upper, ..Refinement::default() })
            .boxed(),
        Type::List(_) | Type::Set(_) | Type::Map(_) => (proptest::option::of(any::<u64>()), 0_u64..9)
            .prop_map(|(max_length, least)| Refinement {
                not_null: false,
                min_length: Some(least),
                max_length,
                ..Refinement::default()
            })
            .boxed(),
        _ => Just(Refinement { not_null: true, ..Refinement::default() }).boxed(),
    };
    refinement.prop_map(|refinement| Value::Unknown(Some(Box::new(refinement)))).boxed()
}

/// A known value in JSON: the counterpart of what the provider itself only reads.
pub(super) fn encode_json(value: &Value) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    match value {
        Value::Null => "null".into(),
        Value::Unknown(_) => panic!("JSON has no unknown values"),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(value) => text(value),
        Value::List(items) => format!("[{}]", items.iter().map(encode_json).collect::<Vec<_>>().join(",")),
        Value::Map(items) => object(items, text),
        Value::Dynamic(typed) => {
            let r#type = String::from_utf8(type_to_json(&typed.0)).expect("JSON");
            format!(r#"{{"value":{},"type":{}}}"#, encode_json(&typed.1), r#type)
        }
    }
}

fn object(items: &BTreeMap<String, Value>, text: impl Fn(&str) -> String) -> String {
    let entries: Vec<_> =
        items.iter().map(|(key, value)| format!("{}:{}", text(key), encode_json(value))).collect();
    format!("{{{}}}", entries.join(","))
}
