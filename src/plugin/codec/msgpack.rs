//! Values in msgpack, as Terraform sends and reads them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rmp::Marker;
use rmp::encode as write;
use rmp::encode::{ByteBuf, ValueWriteError};
use rmpv::decode::read_value_ref_with_max_depth;
use rmpv::{Utf8StringRef, ValueRef};

use super::types::{type_from_json, type_to_json};
use super::{DEEPEST, Mismatch, Result, decimal};
use crate::terraform::{Number, Object, Refinement, Step, Type, Value};

/// An unknown value of which nothing is known: an extension of kind 0 with one byte.
const UNKNOWN: [u8; 3] = [0xd4, 0, 0];
/// The kind of extension that says something about an unknown value.
const REFINED: i8 = 12;
/// What Terraform reads of a refinement, in bytes.
const LONGEST_REFINEMENT: usize = 1024;

/// The keys of a refinement.
mod key {
    pub(super) const NULL: u64 = 1;
    pub(super) const PREFIX: u64 = 2;
    pub(super) const LOWER: u64 = 3;
    pub(super) const UPPER: u64 = 4;
    pub(super) const MIN_LENGTH: u64 = 5;
    pub(super) const MAX_LENGTH: u64 = 6;
}

impl From<Infallible> for Mismatch {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<ValueWriteError<Infallible>> for Mismatch {
    fn from(_: ValueWriteError<Infallible>) -> Self {
        Mismatch::new("what is there is too large")
    }
}

/// Reads one value of a type.
pub(super) fn decode(all: &[u8], r#type: &Type) -> Result<Value> {
    let mut bytes = all;
    let value = read_value_ref_with_max_depth(&mut bytes, DEEPEST)
        .map_err(|_| Mismatch::new("what is there is not msgpack, or is nested too deeply"))?;
    if !bytes.is_empty() {
        return Err(Mismatch::new("there is more than one value"));
    }
    if has_reserved(all) {
        return Err(Mismatch::new("what is there is not msgpack"));
    }
    read(&value, r#type)
}

/// Whether a value begins with the one byte that msgpack keeps in reserve, which rmpv takes for null: a damaged value
/// would be told as one that is not there. Whatever is in an array or a map follows its head, so there is nothing to
/// descend into.
fn has_reserved(mut bytes: &[u8]) -> bool {
    while let Some((head, rest)) = bytes.split_first() {
        let length = |width: usize| {
            rest.iter().take(width).fold(0_usize, |length, byte| (length << 8) | usize::from(*byte))
        };
        let body = match Marker::from_u8(*head) {
            Marker::Reserved => return true,
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => 0,
            Marker::FixArray(_) | Marker::FixMap(_) => 0,
            Marker::U8 | Marker::I8 => 1,
            Marker::U16 | Marker::I16 | Marker::Array16 | Marker::Map16 => 2,
            Marker::U32 | Marker::I32 | Marker::F32 | Marker::Array32 | Marker::Map32 => 4,
            Marker::U64 | Marker::I64 | Marker::F64 => 8,
            Marker::FixStr(length) => usize::from(length),
            Marker::Str8 | Marker::Bin8 => 1 + length(1),
            Marker::Str16 | Marker::Bin16 => 2 + length(2),
            Marker::Str32 | Marker::Bin32 => 4 + length(4),
            // The kind of an extension is one more byte.
            Marker::FixExt1 => 2,
            Marker::FixExt2 => 3,
            Marker::FixExt4 => 5,
            Marker::FixExt8 => 9,
            Marker::FixExt16 => 17,
            Marker::Ext8 => 2 + length(1),
            Marker::Ext16 => 3 + length(2),
            Marker::Ext32 => 5 + length(4),
        };
        bytes = rest.get(body..).unwrap_or_default();
    }
    false
}

fn read(value: &ValueRef<'_>, r#type: &Type) -> Result<Value> {
    match value {
        ValueRef::Nil => return Ok(Value::Null),
        // Any kind of extension is an unknown value, also those that are yet to be invented.
        ValueRef::Ext(REFINED, payload) => return Ok(Value::Unknown(read_refinement(payload))),
        ValueRef::Ext(..) => return Ok(Value::UNKNOWN),
        _ => {}
    }
    match (r#type, value) {
        (Type::Dynamic, ValueRef::Array(parts)) => read_dynamic(parts),
        (Type::Bool, ValueRef::Boolean(value)) => Ok(Value::Bool(*value)),
        (Type::String, value) => {
            text(value).map(|text| Value::String(text.to_owned())).ok_or_else(|| wrong(value, r#type))
        }
        (Type::Number, value) => read_number(value).map(Value::Number),
        (Type::List(inner) | Type::Set(inner), ValueRef::Array(items)) => {
            read_items(items, std::iter::repeat(&**inner))
        }
        (Type::Tuple(types), ValueRef::Array(items)) if types.len() == items.len() => {
            read_items(items, types)
        }
        (Type::Tuple(types), ValueRef::Array(items)) => {
            Err(Mismatch::new(format!("{} elements are wanted, but {} were found", types.len(), items.len())))
        }
        (Type::Map(inner), ValueRef::Map(entries)) => {
            let read = |(key, value)| {
                let key = text(key).ok_or_else(|| Mismatch::new("a key is not text"))?;
                let value = read(value, inner).map_err(|error| error.beneath(Step::Key(key.to_owned())))?;
                Ok((key.to_owned(), value))
            };
            Ok(Value::Map(entries.iter().map(|(key, value)| read((key, value))).collect::<Result<_>>()?))
        }
        (Type::Object(types), ValueRef::Map(entries)) => read_object(entries, types),
        _ => Err(wrong(value, r#type)),
    }
}

fn read_items<'a>(items: &[ValueRef<'_>], types: impl IntoIterator<Item = &'a Type>) -> Result<Value> {
    let read = |(index, (item, r#type))| {
        read(item, r#type).map_err(|error: Mismatch| error.beneath(Step::Index(index)))
    };
    Ok(Value::List(items.iter().zip(types).enumerate().map(read).collect::<Result<_>>()?))
}

fn read_object(entries: &[(ValueRef<'_>, ValueRef<'_>)], types: &BTreeMap<String, Type>) -> Result<Value> {
    let mut attributes: BTreeMap<String, Value> =
        types.keys().map(|name| (name.clone(), Value::Null)).collect();
    for (key, value) in entries {
        let name = text(key).ok_or_else(|| Mismatch::new("the name of an attribute is not text"))?;
        let step = || Step::Attribute(name.to_owned());
        let Some(r#type) = types.get(name) else {
            return Err(Mismatch::new("the schema has no such attribute").beneath(step()));
        };
        attributes.insert(name.to_owned(), read(value, r#type).map_err(|error| error.beneath(step()))?);
    }
    Ok(Value::Map(attributes))
}

/// A dynamic value comes with its type: `[type, value]`.
fn read_dynamic(parts: &[ValueRef<'_>]) -> Result<Value> {
    let [r#type, value] = parts else {
        return Err(Mismatch::new("a dynamic value is not a pair of its type and itself"));
    };
    let json = match r#type {
        ValueRef::Binary(bytes) => bytes,
        other => text(other).map(str::as_bytes).ok_or_else(|| Mismatch::wanted("a type", kind(other)))?,
    };
    let r#type = type_from_json(json)?;
    if r#type == Type::Dynamic {
        return read(value, &r#type);
    }
    let value = read(value, &r#type)?;
    Ok(Value::Dynamic(Box::new((r#type, value))))
}

/// Terraform writes an integer where the number fits one, a float where that is exact, and decimal text otherwise.
fn read_number(value: &ValueRef<'_>) -> Result<Number> {
    let exactly =
        |float| Number::from_exact_f64(float).ok_or_else(|| Mismatch::new("the number there is not finite"));
    match value {
        ValueRef::Integer(integer) => match (integer.as_i64(), integer.as_u64()) {
            (Some(integer), _) => Ok(Number::from(integer)),
            (None, Some(integer)) => Ok(Number::from(integer)),
            // An integer of msgpack is one of the two.
            (None, None) => Err(Mismatch::new("the integer there is too large")),
        },
        ValueRef::F64(float) => exactly(*float),
        ValueRef::F32(float) => exactly(f64::from(*float)),
        other => decimal(text(other).ok_or_else(|| wrong(other, &Type::Number))?),
    }
}

/// What is known of an unknown value. What cannot be read is passed over: less is then known, which is always true.
fn read_refinement(mut payload: &[u8]) -> Option<Box<Refinement>> {
    let Ok(ValueRef::Map(entries)) = read_value_ref_with_max_depth(&mut payload, DEEPEST) else {
        return None;
    };
    let mut refinement = Refinement::default();
    for (key, value) in &entries {
        match (key.as_u64(), value) {
            (Some(key::NULL), ValueRef::Boolean(null)) => refinement.not_null = !null,
            (Some(key::PREFIX), prefix) => refinement.prefix = text(prefix).map(str::to_owned),
            (Some(key::LOWER), bound) => refinement.lower = read_bound(bound),
            (Some(key::UPPER), bound) => refinement.upper = read_bound(bound),
            (Some(key::MIN_LENGTH), length) => refinement.min_length = length.as_u64(),
            (Some(key::MAX_LENGTH), length) => refinement.max_length = length.as_u64(),
            _ => {}
        }
    }
    (refinement != Refinement::default()).then(|| Box::new(refinement))
}

fn read_bound(bound: &ValueRef<'_>) -> Option<(Number, bool)> {
    match bound {
        ValueRef::Array(parts) => match &parts[..] {
            [number, ValueRef::Boolean(inclusive)] => Some((read_number(number).ok()?, *inclusive)),
            _ => None,
        },
        _ => None,
    }
}

/// Text as such, or as bytes, which hosts may send too.
fn text<'a>(value: &'a ValueRef<'_>) -> Option<&'a str> {
    match value {
        ValueRef::String(text) => Utf8StringRef::as_str(text),
        ValueRef::Binary(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn wrong(found: &ValueRef<'_>, wanted: &Type) -> Mismatch {
    Mismatch::wanted(name(wanted), kind(found))
}

fn kind(value: &ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Nil => "nothing",
        ValueRef::Boolean(_) => "a bool",
        ValueRef::Integer(_) | ValueRef::F32(_) | ValueRef::F64(_) => "a number",
        ValueRef::String(text) if text.is_err() => "text that is not UTF-8",
        ValueRef::String(_) => "a string",
        ValueRef::Binary(_) => "bytes",
        ValueRef::Array(_) => "an array",
        ValueRef::Map(_) => "a map",
        ValueRef::Ext(..) => "an unknown value",
    }
}

/// A type in words.
pub(super) fn name(r#type: &Type) -> &'static str {
    match r#type {
        Type::Bool => "a bool",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Dynamic => "a value with its type",
        Type::List(_) => "a list",
        Type::Set(_) => "a set",
        Type::Map(_) => "a map",
        Type::Tuple(_) => "a tuple",
        Type::Object(_) => "an object",
    }
}

/// Null of any type.
pub(super) fn null() -> Vec<u8> {
    vec![0xc0]
}

/// Writes one value of a type.
pub(super) fn encode(value: &Value, r#type: &Type) -> Result<Vec<u8>> {
    let mut out = ByteBuf::new();
    write_value(&mut out, value, r#type)?;
    Ok(out.into_vec())
}

/// Writes an object, attribute by attribute: one that does not fit becomes null and is told of.
pub(super) fn encode_object(object: &Object, r#type: &Type) -> (Vec<u8>, Vec<Mismatch>) {
    let Type::Object(types) = r#type else {
        return (null(), vec![Mismatch::wanted(name(r#type), "an object")]);
    };
    let (mut out, mut mismatches) = (ByteBuf::new(), vec![]);
    if let Err(error) = write_length(types.len()).and_then(|count| Ok(write::write_map_len(&mut out, count)?))
    {
        return (null(), vec![error]);
    }
    for (name, r#type) in types {
        let mut attribute = ByteBuf::new();
        let written = write_entry(&mut attribute, name, object.get(name), r#type);
        if let Err(error) = written {
            mismatches.push(error.beneath(Step::Attribute(name.clone())));
            attribute = ByteBuf::new();
            if let Err(error) = write_entry(&mut attribute, name, &Value::Null, r#type) {
                mismatches.push(error);
            }
        }
        out.as_mut_vec().append(attribute.as_mut_vec());
    }
    for name in object.0.keys().filter(|name| !types.contains_key(*name)) {
        mismatches
            .push(Mismatch::new("the schema has no such attribute").beneath(Step::Attribute(name.clone())));
    }
    (out.into_vec(), mismatches)
}

fn write_entry(out: &mut ByteBuf, name: &str, value: &Value, r#type: &Type) -> Result<()> {
    write::write_str(out, name)?;
    write_value(out, value, r#type)
}

fn write_value(out: &mut ByteBuf, value: &Value, r#type: &Type) -> Result<()> {
    match (r#type, value) {
        (_, Value::Null) => out.as_mut_vec().push(0xc0),
        (_, Value::Unknown(refinement)) => write_unknown(out, refinement.as_deref(), r#type)?,
        (Type::Dynamic, Value::Dynamic(typed)) => {
            write::write_array_len(out, 2)?;
            write::write_bin(out, &type_to_json(&typed.0))?;
            write_value(out, &typed.1, &typed.0)?;
        }
        (Type::Bool, Value::Bool(value)) => {
            write::write_bool(out, *value)?;
        }
        (Type::Number, Value::Number(number)) => write_number(out, number)?,
        (Type::String, Value::String(text)) => write::write_str(out, text)?,
        (Type::List(inner) | Type::Set(inner), Value::List(items)) => {
            write_items(out, items, std::iter::repeat(&**inner))?;
        }
        (Type::Tuple(types), Value::List(items)) if types.len() == items.len() => {
            write_items(out, items, types)?
        }
        (Type::Map(inner), Value::Map(items)) => {
            write::write_map_len(out, write_length(items.len())?)?;
            for (key, value) in items {
                write_entry(out, key, value, inner).map_err(|error| error.beneath(Step::Key(key.clone())))?;
            }
        }
        (Type::Object(types), Value::Map(items)) => write_object(out, items, types)?,
        _ => return Err(Mismatch::wanted(name(r#type), value.kind())),
    }
    Ok(())
}

fn write_items<'a>(
    out: &mut ByteBuf,
    items: &[Value],
    types: impl IntoIterator<Item = &'a Type>,
) -> Result<()> {
    write::write_array_len(out, write_length(items.len())?)?;
    for (index, (item, r#type)) in items.iter().zip(types).enumerate() {
        write_value(out, item, r#type).map_err(|error| error.beneath(Step::Index(index)))?;
    }
    Ok(())
}

/// Terraform wants every attribute of the type, and no other.
fn write_object(
    out: &mut ByteBuf,
    items: &BTreeMap<String, Value>,
    types: &BTreeMap<String, Type>,
) -> Result<()> {
    if let Some(name) = items.keys().find(|name| !types.contains_key(*name)) {
        return Err(Mismatch::new("the schema has no such attribute").beneath(Step::Attribute(name.clone())));
    }
    write::write_map_len(out, write_length(types.len())?)?;
    for (name, r#type) in types {
        let value = items.get(name).unwrap_or(&Value::Null);
        write_entry(out, name, value, r#type)
            .map_err(|error| error.beneath(Step::Attribute(name.clone())))?;
    }
    Ok(())
}

/// As Terraform does: what comes back must be the same number, and `0.1` is none of the floats.
fn write_number(out: &mut ByteBuf, number: &Number) -> Result<()> {
    if let Some(integer) = number.to_i64() {
        write::write_sint(out, integer)?;
        return Ok(());
    }
    let text = number.to_string();
    match number.to_exact_f64() {
        Some(float) if text.contains('.') => write::write_f64(out, float)?,
        _ => write::write_str(out, &text)?,
    }
    Ok(())
}

/// Only what applies to the type is said of an unknown value: more than that, Terraform does not expect.
fn write_unknown(out: &mut ByteBuf, refinement: Option<&Refinement>, r#type: &Type) -> Result<()> {
    let payload = match (refinement, r#type) {
        (None, _) | (_, Type::Dynamic) => vec![],
        (Some(refinement), r#type) => write_refinement(refinement, r#type)?,
    };
    if payload.is_empty() || payload.len() > LONGEST_REFINEMENT {
        out.as_mut_vec().extend(UNKNOWN);
        return Ok(());
    }
    write::write_ext_meta(out, write_length(payload.len())?, REFINED)?;
    out.as_mut_vec().extend(payload);
    Ok(())
}

fn write_refinement(refinement: &Refinement, r#type: &Type) -> Result<Vec<u8>> {
    let (mut entries, mut count) = (ByteBuf::new(), 0);
    let mut entry = |key: u64, value: &dyn Fn(&mut ByteBuf) -> Result<()>| {
        count += 1;
        write::write_uint(&mut entries, key)?;
        value(&mut entries)
    };
    if refinement.not_null {
        entry(key::NULL, &|out| Ok(write::write_bool(out, false)?))?;
    }
    if let (Some(prefix), Type::String) = (&refinement.prefix, r#type) {
        entry(key::PREFIX, &|out| Ok(write::write_str(out, prefix)?))?;
    }
    for (key, bound) in [(key::LOWER, &refinement.lower), (key::UPPER, &refinement.upper)] {
        if let (Some((number, inclusive)), Type::Number) = (bound, r#type) {
            entry(key, &|out| {
                write::write_array_len(out, 2)?;
                write_number(out, number)?;
                Ok(write::write_bool(out, *inclusive)?)
            })?;
        }
    }
    for (key, length) in [(key::MIN_LENGTH, refinement.min_length), (key::MAX_LENGTH, refinement.max_length)]
    {
        if let (Some(length), Type::List(_) | Type::Set(_) | Type::Map(_)) = (length, r#type) {
            entry(key, &|out| Ok(write::write_uint(out, length).map(|_| ())?))?;
        }
    }
    if count == 0 {
        return Ok(vec![]);
    }
    let mut payload = ByteBuf::new();
    write::write_map_len(&mut payload, count)?;
    payload.as_mut_vec().append(entries.as_mut_vec());
    Ok(payload.into_vec())
}

fn write_length(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|_| Mismatch::new("what is there is too large"))
}

#[cfg(test)]
mod tests;
