use super::super::samples::{typed_values, types};
use super::*;
use proptest::prelude::*;

fn encode(value: &Value, r#type: &Type) -> Result<Vec<u8>> {
    let mut out = ByteBuf::new();
    write_value(&mut out, value, r#type)?;
    Ok(out.into_vec())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}

fn unknown(refinement: Refinement) -> Value {
    Value::Unknown(Some(Box::new(refinement)))
}

#[test]
fn bytes_are_those_of_terraform() {
    let dynamic = Value::Dynamic(Box::new((Type::String, Value::from("x"))));
    let object = Type::Object([("b".into(), Type::Bool), ("a".into(), Type::String)].into());
    let cases: &[(Value, Type, &[u8])] = &[
        (Value::Null, Type::String, b"\xc0"),
        (Value::UNKNOWN, Type::Number, b"\xd4\x00\x00"),
        (Value::Bool(true), Type::Bool, b"\xc3"),
        (Value::from("x"), Type::String, b"\xa1x"),
        (number("7"), Type::Number, b"\x07"),
        (number("-1"), Type::Number, b"\xff"),
        (number("200"), Type::Number, b"\xcc\xc8"),
        (number("65536"), Type::Number, b"\xce\x00\x01\x00\x00"),
        (number("9223372036854775807"), Type::Number, b"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"),
        (number("-9223372036854775808"), Type::Number, b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
        (number("9223372036854775808"), Type::Number, b"\xb39223372036854775808"),
        (number("0.5"), Type::Number, b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"),
        (number("0.1"), Type::Number, b"\xa30.1"),
        (number("12345678901234567890123"), Type::Number, b"\xb712345678901234567890123"),
        (Value::List(vec![Value::Bool(false)]), Type::set(Type::Bool), b"\x91\xc2"),
        (
            Value::List(vec![Value::Bool(false), Value::Null]),
            Type::Tuple(vec![Type::Bool, Type::String]),
            b"\x92\xc2\xc0",
        ),
        (Value::Map([("k".into(), Value::Null)].into()), Type::map(Type::Bool), b"\x81\xa1k\xc0"),
        // Attributes that the value does not have are there all the same.
        (Value::Map([("b".into(), Value::Bool(true))].into()), object, b"\x82\xa1a\xc0\xa1b\xc3"),
        (Value::Map([].into()), Type::Object([].into()), b"\x80"),
        (dynamic, Type::Dynamic, b"\x92\xc4\x08\"string\"\xa1x"),
        (Value::UNKNOWN, Type::Dynamic, b"\xd4\x00\x00"),
    ];
    for (value, r#type, bytes) in cases {
        assert_eq!(encode(value, r#type).as_deref(), Ok(*bytes), "{value:?} as {type:?}");
        let filled = decode(bytes, r#type).expect("reads");
        assert_eq!(encode(&filled, r#type).as_deref(), Ok(*bytes), "{value:?} back");
    }
}

#[test]
fn every_form_of_a_number_is_read() {
    let cases: [(&[u8], &str); 8] = [
        (b"\xd3\x00\x00\x00\x00\x00\x00\x00\x07", "7"),
        (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
        (b"\xca\x3f\x00\x00\x00", "0.5"),
        (
            b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a",
            "0.1000000000000000055511151231257827021181583404541015625",
        ),
        (b"\xa30.1", "0.1"),
        (b"\xc4\x030.1", "0.1"),
        (b"\xa41e30", "1000000000000000000000000000000"),
        (b"\xb7-0.00000000000000000001", "-0.00000000000000000001"),
    ];
    for (bytes, text) in cases {
        assert_eq!(decode(bytes, &Type::Number), Ok(number(text)), "{text}");
    }
    for bytes in [
        &b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"[..],
        b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
        b"\xa3abc",
        b"\xc3",
    ] {
        assert!(decode(bytes, &Type::Number).is_err(), "{bytes:?}");
    }
}

#[test]
fn refinements_are_read_and_written() {
    // What Terraform sends for "pre-${unknown}".
    let sent = b"\xc7\x08\x0c\x82\x01\xc2\x02\xa4pre-";
    let sent: Vec<u8> = [&sent[..1], &[9], &sent[2..]].concat();
    let wanted = unknown(Refinement { not_null: true, prefix: Some("pre-".into()), ..Refinement::default() });
    assert_eq!(decode(&sent, &Type::String), Ok(wanted.clone()));
    assert_eq!(encode(&wanted, &Type::String), Ok(sent));
    // Of a dynamic value, and of another type than it is about, nothing is said.
    assert_eq!(encode(&wanted, &Type::Dynamic).as_deref(), Ok(&UNKNOWN[..]));
    let length = unknown(Refinement { min_length: Some(1), ..Refinement::default() });
    assert_eq!(encode(&length, &Type::String).as_deref(), Ok(&UNKNOWN[..]));
    let long = unknown(Refinement { prefix: Some("x".repeat(2000)), ..Refinement::default() });
    assert_eq!(encode(&long, &Type::String).as_deref(), Ok(&UNKNOWN[..]));
}

#[test]
fn any_extension_is_an_unknown_value() {
    for bytes in [
        &b"\xd4\x00\x00"[..],
        b"\xd4\x63\x01",
        b"\xc7\x00\x00",
        b"\xc7\x02\x0c\xff\xff",
        b"\xc7\x03\x07\x81\x01\xc2",
    ] {
        for r#type in [Type::String, Type::Dynamic, Type::list(Type::Bool), Type::Object([].into())] {
            assert_eq!(decode(bytes, &r#type), Ok(Value::UNKNOWN), "{bytes:?}");
        }
    }
    // Keys of refinements that are yet to be invented, and values of the wrong kind, are passed over.
    let odd = b"\xc7\x06\x0c\x83\x63\xc3\x02\x07\x01";
    assert_eq!(decode(odd, &Type::String), Ok(Value::UNKNOWN));
}

#[test]
fn malformed_bytes_are_refused() {
    let object = Type::Object([("a".into(), Type::String)].into());
    let cases: &[(&[u8], &Type)] = &[
        (b"", &object),
        (b"\x81\xa1a", &object),
        (b"\xc0\xc0", &object),
        // No value of msgpack begins with this byte.
        (b"\xc1", &object),
        (b"\x81\xa1a\xc1", &object),
        (b"\x81\xa1z\xc0", &object),
        (b"\x81\x07\xc0", &object),
        (b"\x90", &object),
        (b"\xa2\xff\xfe", &Type::String),
        (b"\xdd\xff\xff\xff\xff", &Type::list(Type::Bool)),
        (b"\x91\xc0", &Type::Dynamic),
        (b"\x92\xa7unknown\xc0", &Type::Dynamic),
    ];
    let empty = Type::Tuple(vec![]);
    for (bytes, r#type) in cases.iter().copied().chain([(&b"\x91\xc0"[..], &empty)]) {
        assert!(decode(bytes, r#type).is_err(), "{bytes:?} as {type:?}");
    }
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    assert!(decode(&deep, &Type::list(Type::Bool)).is_err());
    let dynamic = [b"\x92\xa9\"dynamic\"".repeat(5000), vec![0xc0]].concat();
    assert!(decode(&dynamic, &Type::Dynamic).is_err());
}

#[test]
fn errors_name_the_place_and_not_the_value() {
    let ports = Type::Object([("ports".into(), Type::map(Type::list(Type::Number)))].into());
    let value = Value::Map([("http".into(), Value::List(vec![Value::Null, Value::from("hunter2")]))].into());
    let (bytes, mismatches) = encode_object(&Object([("ports".into(), value)].into()), &ports);
    assert_eq!(mismatches.len(), 1);
    assert_eq!(
        mismatches[0].to_string(),
        "at `ports[\"http\"][1]`: a number is wanted, but a string was found"
    );
    assert_eq!(bytes, b"\x81\xa5ports\xc0");
    let error = decode(b"\x81\xa5ports\x81\xa4http\x92\x01\xa7hunter2", &ports).expect_err("no number");
    assert_eq!(error.path.to_string(), "ports[\"http\"][1]");
    assert!(!error.to_string().contains("hunter2"));
}

proptest! {
    #[test]
    fn every_value_comes_back((r#type, value) in typed_values()) {
        let bytes = encode(&value, &r#type).expect("a value of the type");
        prop_assert_eq!(decode(&bytes, &r#type), Ok(value));
    }

    /// Wherever a value begins that is one byte, the reserved byte is no value in its place; and nothing whole has one.
    #[test]
    fn the_reserved_byte_is_found((r#type, value) in typed_values(), before in any::<Vec<bool>>()) {
        let whole = encode(&value, &r#type).expect("a value of the type");
        prop_assert!(!has_reserved(&whole));
        let mut items: Vec<u8> = before.iter().map(|bit| if *bit { 0xc3 } else { 0xc2 }).collect();
        items.extend(&whole);
        items.push(0xc1);
        prop_assert!(has_reserved(&items));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), r#type in types()) {
        decode(&bytes, &r#type).ok();
    }

    #[test]
    fn no_damage_panics((r#type, value) in typed_values(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = encode(&value, &r#type).expect("a value of the type");
        let at = at % bytes.len();
        bytes[at] = byte;
        decode(&bytes, &r#type).ok();
        decode(&bytes[..at], &r#type).ok();
    }

    #[test]
    fn values_of_another_type_are_refused_or_written((r#type, _) in typed_values(), (_, value) in typed_values()) {
        if let Ok(bytes) = encode(&value, &r#type) {
            prop_assert!(decode(&bytes, &r#type).is_ok());
        }
    }
}
