//! What hostile bytes meet first.

use super::{
    codec,
    handshake::{self, Environment},
    tls,
};
use crate::terraform::{Type, Value};
use std::{collections::HashMap, path::Path};

/// Reads a value. What was read can be written and read again.
pub fn msgpack(bytes: &[u8], r#type: &Type) -> Option<Value> {
    let sent = super::proto::tfplugin6::DynamicValue { msgpack: bytes.to_vec().into(), ..Default::default() };
    let value = codec::decode_value(Some(&sent), r#type).ok()?;
    comes_back(&value, r#type);
    Some(value)
}

/// Reads an object out of a state file. What was read can be written and read again.
pub fn state(bytes: &[u8], schema: &Type) {
    let Ok(Some(object)) = codec::decode_state(bytes, schema) else { return };
    let (sent, mismatches) = codec::encode(Some(&object), schema);
    assert!(mismatches.is_empty(), "what was read does not fit: {mismatches:?}");
    assert_eq!(codec::decode(Some(&sent), schema).ok().flatten(), Some(object));
}

fn comes_back(value: &Value, r#type: &Type) {
    let sent = codec::encode_value(value, r#type).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    let again = codec::decode_value(Some(&sent), r#type).unwrap_or_else(|error| panic!("{value:?}: {error}"));
    assert_eq!(unrefined(&again), unrefined(value));
    // Of what is known of an unknown value, only what its type allows is written.
    assert_eq!(codec::encode_value(&again, r#type).ok(), Some(sent));
}

/// The value without what is known of its unknown parts.
fn unrefined(value: &Value) -> Value {
    match value {
        Value::Unknown(_) => Value::UNKNOWN,
        Value::List(items) => Value::List(items.iter().map(unrefined).collect()),
        Value::Map(items) => {
            Value::Map(items.iter().map(|(key, item)| (key.clone(), unrefined(item))).collect())
        }
        Value::Dynamic(typed) => Value::Dynamic(Box::new((typed.0.clone(), unrefined(&typed.1)))),
        other => other.clone(),
    }
}

/// Reads an environment, whose variables are separated by zeros, and answers it. The answer is one line of known fields.
pub fn handshake(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let variables: HashMap<&str, &str> =
        text.split('\0').filter_map(|variable| variable.split_once('=')).collect();
    let environment = Environment::read(|name| variables.get(name).map(|value| (*value).to_owned()));
    let certificate = environment.client_certificate.as_deref().map(tls::Server::for_client);
    let certificate = certificate.and_then(Result::ok).map(|server| server.certificate);
    let mut out = vec![];
    let folder = environment.socket_folder.as_deref().unwrap_or("/tmp");
    let socket = Path::new(folder).join("plugin.sock");
    if handshake::announce(&mut out, &environment, &socket, certificate.as_deref()).is_ok() {
        let line = String::from_utf8(out).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?}");
        let fields = line.split('|').count();
        assert_eq!(fields, if environment.asks_for_multiplexing { 7 } else { 6 }, "{line:?}");
    }
}
