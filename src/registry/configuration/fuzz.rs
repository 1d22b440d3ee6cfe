//! What a configuration meets that holds any text at all.

use super::{
    Configuration, ExtraConfig, Section, extra,
    tree::{Map, Node},
};
use crate::registry::{Dialect, Secret};

/// Writes the text as a value, as a secret and as a key of the file, and lays it over as an extra configuration; what is
/// read from the file is what was written, and nobody sees the secret.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let section = Section::new().with("text", text).with("secret", Secret::from(text.to_owned()));
    let sections = Section::new().with("log", section).with_map(text, Section::new().with("key", text));
    let written = Configuration { sections: sections.clone(), extra: vec![] };
    let mut wanted = plain(&sections.0);
    // Only the format itself has that, and who sets it is told so.
    wanted.remove("version");
    assert_eq!(read(&written), wanted, "{:?}", written.render().yaml.expose());

    let Ok(extra) = ExtraConfig::parse("extra_config", text) else { return };
    let laid_over = Configuration { sections: Section::new(), extra: vec![extra] };
    laid_over.inspect(Dialect::V2_8);
    laid_over.unread(Dialect::V3_1);
    read(&laid_over);
}

/// What a reader of YAML finds in the file, but for the version.
fn read(configuration: &Configuration) -> Map {
    let rendered = configuration.render();
    let mut map = extra::read(rendered.yaml.expose())
        .unwrap_or_else(|error| panic!("{error}: {:?}", rendered.yaml.expose()));
    map.remove("version");
    plain(&map)
}

/// The same with secrets as the texts that a reader sees.
fn plain(map: &Map) -> Map {
    fn node(found: &Node) -> Node {
        match found {
            Node::Secret(secret) => Node::Text(secret.expose().to_owned()),
            Node::SecretNumber(secret) => Node::Number(secret.expose().to_owned()),
            Node::Versioned(inner, _) => node(inner),
            Node::List(items) => Node::List(items.iter().map(node).collect()),
            Node::Map(map) => Node::Map(plain(map)),
            other => other.clone(),
        }
    }
    map.iter().map(|(key, found)| (key.clone(), node(found))).collect()
}
