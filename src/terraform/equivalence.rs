//! Which differences are none: other spellings of the same meaning, and other orders where order means nothing.

use super::{Attribute, Kind, Nesting, Type, Value, schema::Unset};
use std::collections::BTreeMap;

/// `wanted`, spelt as `held` spells it wherever the two mean the same.
///
/// Planning calls it with the configuration and the prior state: Terraform accepts the prior value of an
/// attribute in a plan, and so `"60s"` where `"1m"` was is no difference.
pub(super) fn settle(attribute: &Attribute, wanted: Value, held: &Value) -> Value {
    if wanted == *held || wanted.is_null() || held.is_null() || wanted.is_unknown() || held.is_unknown() {
        return wanted;
    }
    if attribute.same.is_some_and(|same| same(&wanted, held)) {
        return held.clone();
    }
    match (&attribute.kind, wanted, held) {
        (_, Value::List(wanted), Value::List(held)) if order_is_nothing(attribute) => {
            if let Some(left) = left_over(attribute, &wanted, held)
                && left.is_empty()
                && wanted.len() == held.len()
            {
                return Value::List(held.clone());
            }
            Value::List(wanted)
        }
        (Kind::Nested(Nesting::List, members), Value::List(wanted), Value::List(held)) => Value::List(
            wanted
                .into_iter()
                .enumerate()
                .map(|(index, item)| settle_object(members, item, held.get(index).unwrap_or(&Value::Null)))
                .collect(),
        ),
        (Kind::Nested(Nesting::Map, members), Value::Map(wanted), Value::Map(held)) => Value::Map(
            wanted
                .into_iter()
                .map(|(key, item)| {
                    let item = settle_object(members, item, held.get(&key).unwrap_or(&Value::Null));
                    (key, item)
                })
                .collect(),
        ),
        (Kind::Nested(Nesting::Single, members), wanted, held) => settle_object(members, wanted, held),
        (_, wanted, _) => wanted,
    }
}

/// [`settle`] for each attribute of an object.
pub(super) fn settle_object(members: &[(&'static str, Attribute)], wanted: Value, held: &Value) -> Value {
    let Value::Map(mut wanted) = wanted else { return wanted };
    for (name, member) in members {
        if let Some(value) = wanted.remove(*name) {
            wanted.insert((*name).to_owned(), settle(member, value, held.get(name)));
        }
    }
    Value::Map(wanted)
}

/// What was `found` on the server, in the spelling and the order of the prior state wherever that means the same.
///
/// In a list whose order means nothing, what is still there keeps its place, and what is new takes the places
/// of what is gone: a plan then shows what changed as itself and nothing else.
pub(super) fn arrange(attribute: &Attribute, found: Value, held: &Value) -> Value {
    if !held.is_null() && attribute.same.is_some_and(|same| same(&found, held)) {
        return held.clone();
    }
    if let (true, Value::List(found), Value::List(held)) = (order_is_nothing(attribute), &found, held) {
        let mut rest: Vec<Value> = found.clone();
        let mut places: Vec<Option<Value>> = held
            .iter()
            .map(|held| {
                let index = rest.iter().position(|found| is_found(attribute, found, held))?;
                rest.remove(index);
                Some(held.clone())
            })
            .collect();
        let mut rest = rest.into_iter();
        for place in places.iter_mut().filter(|place| place.is_none()) {
            *place = rest.next();
        }
        return Value::List(places.into_iter().flatten().chain(rest).collect());
    }
    match (&attribute.kind, found, held) {
        // An object that says nothing is no object to the server.
        (Kind::Nested(Nesting::Single, members), Value::Null, Value::Map(held))
            if says_nothing(members, held) =>
        {
            Value::Map(held.clone())
        }
        (Kind::Nested(Nesting::Single, members), Value::Map(found), Value::Map(held)) => {
            Value::Map(arrange_object(members, found, held))
        }
        (_, found, held) => settle(attribute, found, held),
    }
}

/// [`arrange`] for each attribute of an object.
pub(super) fn arrange_object(
    members: &[(&'static str, Attribute)],
    mut found: BTreeMap<String, Value>,
    held: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    for (name, member) in members {
        if let Some(value) = found.remove(*name) {
            let value = arrange(member, value, held.get(*name).unwrap_or(&Value::Null));
            found.insert((*name).to_owned(), value);
        }
    }
    found
}

fn order_is_nothing(attribute: &Attribute) -> bool {
    attribute.unordered || matches!(attribute.kind, Kind::Plain(Type::Set(_)) | Kind::Nested(Nesting::Set, _))
}

/// What of `wanted` has no counterpart in `held`; nothing at all where something is unknown.
fn left_over(attribute: &Attribute, wanted: &[Value], held: &[Value]) -> Option<Vec<Value>> {
    let mut rest: Vec<&Value> = held.iter().collect();
    let mut left = vec![];
    for wanted in wanted {
        if !wanted.is_wholly_known() {
            return None;
        }
        match rest.iter().position(|held| means(attribute, wanted, held)) {
            Some(index) => drop(rest.remove(index)),
            None => left.push(wanted.clone()),
        }
    }
    Some(left)
}

/// Whether an object has nothing but what it would have if the configuration had left it empty.
fn says_nothing(members: &[(&'static str, Attribute)], held: &BTreeMap<String, Value>) -> bool {
    members.iter().all(|(name, member)| match (held.get(*name), &member.unset, &member.kind) {
        (None | Some(Value::Null), ..) => true,
        (Some(value), Unset::Default(default), _) if member.computed => value == default,
        (Some(Value::Map(held)), _, Kind::Nested(Nesting::Single, members)) => says_nothing(members, held),
        _ => false,
    })
}

/// Whether an element that was found on the server is the one that the state holds.
fn is_found(attribute: &Attribute, found: &Value, held: &Value) -> bool {
    match (&attribute.kind, found, held) {
        (Kind::Nested(_, members), Value::Map(found), Value::Map(held)) => {
            arrange_object(members, found.clone(), held) == *held
        }
        _ => found == held,
    }
}

/// Whether two elements of a collection mean the same.
fn means(attribute: &Attribute, a: &Value, b: &Value) -> bool {
    match &attribute.kind {
        Kind::Nested(_, members) => settle_object(members, a.clone(), b) == *b,
        Kind::Plain(_) => a == b,
    }
}
