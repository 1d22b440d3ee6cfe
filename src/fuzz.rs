//! What is done with bytes that anybody may have made. Each function is a fuzz target of `acceptance-tests/fuzz`; the unit
//! tests run them over that folder's corpora.
//!
//! A function panics where a promise is broken: that nothing panics, that what was read can be written, and that it is then
//! the same.

use crate::{
    plugin,
    provider::Swarm,
    registry,
    terraform::{AnyResource, Object, Provider, Type, Value},
};
use std::{collections::BTreeMap, sync::LazyLock};

/// A target: its name, which is that of its corpus, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("msgpack", msgpack),
    ("state", state),
    ("handshake", handshake),
    ("headers", headers),
    ("manifest", manifest),
    ("configuration", configuration),
];

static SWARM: LazyLock<Swarm> = LazyLock::new(Swarm::default);

/// Types that no schema of ours has, but that Terraform may send.
static OTHER_TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| {
    let members = [("any", Type::Dynamic), ("number", Type::Number), ("flags", Type::set(Type::Bool))];
    let members: BTreeMap<String, Type> = members.map(|(name, r#type)| (name.to_owned(), r#type)).into();
    vec![
        Type::Dynamic,
        Type::Number,
        Type::list(Type::map(Type::Dynamic)),
        Type::Tuple(vec![Type::Object(members), Type::String]),
    ]
});

/// A resource's type, or one that none has.
type Chosen = Result<&'static dyn AnyResource, &'static Type>;

/// The first byte says which resource's, or which other type's, the rest is.
fn chosen(data: &[u8]) -> Option<(Chosen, &[u8])> {
    let (&first, rest) = data.split_first()?;
    let (at, resources) = (usize::from(first), SWARM.resources());
    Some(match resources.get(at) {
        Some(resource) => (Ok(resource.as_ref()), rest),
        None => (Err(&OTHER_TYPES[at % OTHER_TYPES.len()]), rest),
    })
}

/// A value in Terraform's encoding; what is an object of a resource is validated too.
pub fn msgpack(data: &[u8]) {
    let Some((chosen, bytes)) = chosen(data) else { return };
    let r#type = chosen.map_or_else(Clone::clone, |resource| resource.schema().object_type());
    if let (Ok(resource), Some(Value::Map(config))) = (chosen, plugin::fuzz::msgpack(bytes, &r#type)) {
        resource.validate(Object(config), true);
    }
}

/// A state file's attributes, as they are and as those of an older release.
pub fn state(data: &[u8]) {
    let Some((chosen, bytes)) = chosen(data) else { return };
    let Ok(resource) = chosen else { return };
    plugin::fuzz::state(bytes, &resource.schema().object_type());
    if let Ok(attributes) = serde_json::from_slice(bytes)
        && let Ok(upgraded) = resource.upgrade(0, attributes)
    {
        plugin::fuzz::state(
            serde_json::Value::Object(upgraded).to_string().as_bytes(),
            &resource.schema().object_type(),
        );
    }
}

/// The environment that a host makes.
pub fn handshake(data: &[u8]) {
    plugin::fuzz::handshake(data);
}

/// The headers of a registry's answer.
pub fn headers(data: &[u8]) {
    registry::client::fuzz::headers(data);
}

/// A manifest or an image's configuration.
pub fn manifest(data: &[u8]) {
    registry::client::fuzz::manifest(data);
}

/// A registry's configuration with any text in it.
pub fn configuration(data: &[u8]) {
    registry::configuration::fuzz::configuration(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn corpora_pass() {
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/fuzz/corpus");
        for (name, target) in TARGETS {
            let files: Vec<_> =
                fs::read_dir(corpora.join(name)).unwrap().map(|file| file.unwrap().path()).collect();
            assert!(files.len() > 5, "the corpus of {name} is to have the ordinary cases");
            files.iter().for_each(|file| target(&fs::read(file).unwrap()));
        }
    }
}
