//! Which attribute only some of Distribution's dialects can carry out. The others would ignore its key without a word.

use crate::{
    registry::{Dialect, Finding},
    terraform::{Config, Value},
};

/// The dialects that read an attribute's key.
#[derive(Clone, Copy, PartialEq)]
enum In {
    /// 2.8 alone.
    V2,
    /// 3.0 and later.
    V3,
    /// 3.1 and later.
    V31,
}

impl In {
    fn has(self, dialect: Dialect) -> bool {
        match self {
            In::V2 => dialect == Dialect::V2_8,
            In::V3 => dialect.is_3(),
            In::V31 => dialect >= Dialect::V3_1,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            In::V2 => "2.8, and was removed in 3.0",
            In::V3 => "3.0 and later",
            In::V31 => "3.1 and later",
        }
    }
}

/// What is not in this table, every dialect reads. The code is that of the rule in the documentation of the checks.
const READ_BY: &[(&str, In, &str)] = &[];

/// What is set although the dialect would ignore it.
pub fn findings(config: &Config, dialect: Dialect) -> Vec<Finding> {
    let is_lost = |(path, read_by, _): &&(&str, In, &str)| {
        !read_by.has(dialect) && !matches!(config.get(path), Value::Null | Value::Unknown(_))
    };
    let finding = |(path, read_by, code): &(&str, In, &'static str)| {
        let message = format!(
            "Only Distribution {} has this setting; {dialect} would ignore it without a word. Leave it out, or use \
             an image of such a version.",
            read_by.in_words()
        );
        Finding::error(code, *path, message)
    };
    READ_BY.iter().filter(is_lost).map(finding).collect()
}
