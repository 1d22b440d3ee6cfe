//! Type constraints in Terraform's JSON form: `"string"`, `["list","string"]`, `["object",{"a":"number"}]`.

use serde_json::{Value as Json, json};

use super::{Mismatch, Result};
use crate::terraform::Type;

/// The JSON of a type, as schemas and dynamic values have it.
pub(in crate::plugin) fn type_to_json(r#type: &Type) -> Vec<u8> {
    to_json(r#type).to_string().into_bytes()
}

/// The type that the JSON stands for. Nesting is bounded by the JSON parser.
pub(in crate::plugin) fn type_from_json(bytes: &[u8]) -> Result<Type> {
    // The parser's own message is not passed on, since it quotes what it has found.
    let json = serde_json::from_slice(bytes).map_err(|_| not_a_type())?;
    from_json(&json)
}

fn not_a_type() -> Mismatch {
    Mismatch::new("what is there is not a type in JSON")
}

fn to_json(r#type: &Type) -> Json {
    match r#type {
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::Dynamic => json!("dynamic"),
        Type::List(item) => json!(["list", to_json(item)]),
        Type::Set(item) => json!(["set", to_json(item)]),
        Type::Map(item) => json!(["map", to_json(item)]),
        Type::Tuple(items) => json!(["tuple", items.iter().map(to_json).collect::<Vec<_>>()]),
        Type::Object(attributes) => {
            let attributes = attributes.iter().map(|(name, inner)| (name.clone(), to_json(inner)));
            json!(["object", attributes.collect::<serde_json::Map<_, _>>()])
        }
    }
}

fn from_json(json: &Json) -> Result<Type> {
    match json {
        Json::String(name) => match name.as_str() {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Dynamic),
            _ => Err(not_a_type()),
        },
        Json::Array(parts) => match &parts[..] {
            [Json::String(name), item] if name == "list" => Ok(Type::list(from_json(item)?)),
            [Json::String(name), item] if name == "set" => Ok(Type::set(from_json(item)?)),
            [Json::String(name), item] if name == "map" => Ok(Type::map(from_json(item)?)),
            [Json::String(name), Json::Array(items)] if name == "tuple" => {
                Ok(Type::Tuple(items.iter().map(from_json).collect::<Result<_>>()?))
            }
            // A third part lists attributes that HCL may leave out. In a value all of them are there.
            [Json::String(name), Json::Object(attributes)]
            | [Json::String(name), Json::Object(attributes), Json::Array(_)]
                if name == "object" =>
            {
                let attributes = attributes.iter().map(|(name, json)| Ok((name.clone(), from_json(json)?)));
                Ok(Type::Object(attributes.collect::<Result<_>>()?))
            }
            _ => Err(not_a_type()),
        },
        _ => Err(not_a_type()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::types;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_are_those_of_terraform() {
        let object = Type::Object([("a".to_owned(), Type::Number), ("b".to_owned(), Type::Dynamic)].into());
        for (wanted, r#type) in [
            (r#""string""#, Type::String),
            (r#"["list","bool"]"#, Type::list(Type::Bool)),
            (r#"["set","string"]"#, Type::set(Type::String)),
            (r#"["map",["list","number"]]"#, Type::map(Type::list(Type::Number))),
            (r#"["tuple",["string","bool"]]"#, Type::Tuple(vec![Type::String, Type::Bool])),
            (r#"["object",{"a":"number","b":"dynamic"}]"#, object),
        ] {
            assert_eq!(String::from_utf8_lossy(&type_to_json(&r#type)), wanted);
            assert_eq!(type_from_json(wanted.as_bytes()), Ok(r#type));
        }
        let optional = type_from_json(br#"["object",{"a":"string"},["a"]]"#).expect("reads");
        assert_eq!(optional, Type::Object([("a".to_owned(), Type::String)].into()));
    }

    #[test]
    fn other_forms_are_refused() {
        let deep = "[\"list\",".repeat(10_000);
        for bad in [
            "",
            "null",
            "7",
            r#""text""#,
            r#"["list"]"#,
            r#"["list","string","x"]"#,
            r#"["tuple","string"]"#,
            &deep,
        ] {
            assert_eq!(type_from_json(bad.as_bytes()), Err(not_a_type()), "{:.30}", bad);
        }
    }

    proptest! {
        #[test]
        fn every_type_comes_back(r#type in types()) {
            prop_assert_eq!(type_from_json(&type_to_json(&r#type)), Ok(r#type));
        }
    }
}
