//! Schemas, diagnostics and paths as the protocol has them.

use super::codec::type_to_json;
use super::proto::tfplugin6 as pb;
use crate::terraform::{
    AnyFunction, Attribute, Diagnostic, Kind, Nesting, Path, Schema, Severity, Step, Type,
};

/// The protocol's own severity, named for what clashes with ours.
type Level = pb::diagnostic::Severity;
/// The protocol's own nesting.
type Mode = pb::schema::object::NestingMode;

/// A schema. Nested objects are attributes in it, never blocks.
pub(super) fn schema(schema: &Schema) -> pb::Schema {
    let block = pb::schema::Block {
        attributes: attributes(&schema.attributes),
        description: schema.docs.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        ..Default::default()
    };
    pb::Schema { version: schema.version, block: Some(block) }
}

fn attributes(attributes: &[(&'static str, Attribute)]) -> Vec<pb::schema::Attribute> {
    attributes.iter().map(|(name, inner)| attribute(name, inner)).collect()
}

fn attribute(name: &str, attribute: &Attribute) -> pb::schema::Attribute {
    // One of the two, never both: a host ends in a panic of its own where neither or a wrong one is there.
    let (r#type, nested_type) = match &attribute.kind {
        Kind::Plain(plain) => (type_to_json(plain), None),
        Kind::Nested(nesting, members) => {
            let nesting = match nesting {
                Nesting::Single => Mode::Single,
                Nesting::List => Mode::List,
                Nesting::Set => Mode::Set,
                Nesting::Map => Mode::Map,
            };
            let object = pb::schema::Object {
                attributes: attributes(members),
                nesting: nesting.into(),
                ..Default::default()
            };
            (vec![], Some(object))
        }
    };
    pb::schema::Attribute {
        name: name.to_owned(),
        r#type: r#type.into(),
        nested_type,
        description: attribute.docs.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
        deprecated: attribute.deprecated.is_some(),
        deprecation_message: attribute.deprecated.unwrap_or_default().to_owned(),
    }
}

/// A type as the protocol has it: JSON.
pub(super) fn r#type(r#type: &Type) -> Vec<u8> {
    type_to_json(r#type)
}

/// The signature of a function.
pub(super) fn function(function: &dyn AnyFunction) -> pb::Function {
    let parameter = |(name, parameter): (&'static str, Attribute)| pb::function::Parameter {
        name: name.to_owned(),
        r#type: type_to_json(&parameter.kind.value_type()).into(),
        // Else Terraform refuses a null itself, with the name of the parameter.
        allow_null_value: parameter.optional,
        description: parameter.docs.to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        ..Default::default()
    };
    pb::Function {
        parameters: function.parameters().into_iter().map(parameter).collect(),
        r#return: Some(pb::function::Return { r#type: type_to_json(&function.answer().value_type()).into() }),
        summary: function.docs().split("\n\n").next().unwrap_or_default().replace('\n', " "),
        description: function.docs().to_owned(),
        description_kind: pb::StringKind::Markdown.into(),
        ..Default::default()
    }
}

/// Why a function has no answer. Terraform makes a sentence of the text, and names the argument itself.
pub(super) fn function_error(reason: Diagnostic, parameters: &[&str]) -> pb::FunctionError {
    let argument = match reason.path.0.first() {
        Some(Step::Attribute(name)) => parameters.iter().position(|parameter| parameter == name),
        _ => None,
    };
    let text = match argument {
        Some(_) if !reason.detail.is_empty() => reason.detail,
        _ => format!("{}: {}", reason.summary, reason.detail),
    };
    pb::FunctionError {
        text: text.trim_end_matches(['.', ':', ' ']).to_owned(),
        function_argument: argument.and_then(|position| i64::try_from(position).ok()),
    }
}

/// Diagnostics, in their order.
pub(super) fn diagnostics(diagnostics: impl IntoIterator<Item = Diagnostic>) -> Vec<pb::Diagnostic> {
    diagnostics.into_iter().map(diagnostic).collect()
}

/// One diagnostic. Without a path it is about the whole block.
pub(super) fn diagnostic(diagnostic: Diagnostic) -> pb::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
    };
    pb::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        attribute: (!diagnostic.path.0.is_empty()).then(|| path(&diagnostic.path)),
    }
}

/// A path.
pub(super) fn path(path: &Path) -> pb::AttributePath {
    use pb::attribute_path::step::Selector;
    let step = |step: &Step| {
        let selector = match step {
            Step::Attribute(name) => Selector::AttributeName(name.clone()),
            Step::Key(key) => Selector::ElementKeyString(key.clone()),
            // A list of more elements than an i64 counts does not exist.
            Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
        };
        pb::attribute_path::Step { selector: Some(selector) }
    };
    pb::AttributePath { steps: path.0.iter().map(step).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::codec::{samples::types, type_from_json};
    use super::*;
    use crate::terraform::Builder;
    use pb::attribute_path::step::Selector;
    use proptest::prelude::*;

    #[test]
    fn attributes_have_a_type_or_members() {
        let plain = Builder::<String>::new(Kind::Plain(Type::list(Type::String)))
            .optional()
            .sensitive()
            .deprecated("Use `other`.")
            .docs("Some *docs*.")
            .build();
        let member = Builder::<bool>::new(Kind::Plain(Type::Bool)).write_only().build();
        let nested =
            Builder::<()>::new(Kind::Nested(Nesting::Map, vec![("inner", member)])).computed().build();
        let schema =
            schema(&Schema { version: 3, docs: "A thing.", attributes: vec![("a", plain), ("b", nested)] });
        assert_eq!(schema.version, 3);
        let block = schema.block.expect("a block");
        assert_eq!((block.description.as_str(), block.block_types.len()), ("A thing.", 0));
        let [a, b] = &block.attributes[..] else { panic!("two attributes") };
        assert_eq!((&a.r#type[..], &a.nested_type), (&br#"["list","string"]"#[..], &None));
        assert!(a.optional && a.sensitive && a.deprecated && !a.required && !a.computed && !a.write_only);
        assert_eq!(
            (a.deprecation_message.as_str(), a.description.as_str()),
            ("Use `other`.", "Some *docs*.")
        );
        let members = b.nested_type.as_ref().expect("members");
        assert!(b.r#type.is_empty() && b.computed && members.nesting() == Mode::Map);
        assert!(members.attributes[0].write_only && members.attributes[0].required);
    }

    #[test]
    fn diagnostics_keep_their_path() {
        let at = Path::of("ports[2].target").then(Step::Key("k".into()));
        let found = diagnostic(Diagnostic::warning("Hm", "So.").at(at));
        assert_eq!(
            (found.severity(), found.summary.as_str(), found.detail.as_str()),
            (Level::Warning, "Hm", "So.")
        );
        let steps: Vec<_> =
            found.attribute.expect("a path").steps.into_iter().filter_map(|step| step.selector).collect();
        assert_eq!(
            steps,
            [
                Selector::AttributeName("ports".into()),
                Selector::ElementKeyInt(2),
                Selector::AttributeName("target".into()),
                Selector::ElementKeyString("k".into()),
            ]
        );
        let whole = diagnostic(Diagnostic::error("No", ""));
        assert_eq!((whole.severity(), whole.attribute), (Level::Error, None));
    }

    /// Attributes of any kind, three levels deep, with any flags.
    fn any_attributes() -> impl Strategy<Value = Vec<(&'static str, Attribute)>> {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let plain = types().prop_map(Kind::Plain).boxed();
        let named = |kinds: BoxedStrategy<Kind>| {
            let one = (kinds, any::<[bool; 5]>()).prop_map(|(kind, flags)| {
                let builder = Builder::<()>::new(kind);
                let builder = if flags[0] { builder.optional() } else { builder };
                let builder = if flags[1] { builder.computed() } else { builder };
                let builder = if flags[2] { builder.sensitive() } else { builder };
                let builder = if flags[3] { builder.write_only() } else { builder };
                if flags[4] { builder.deprecated("Use another.").build() } else { builder.build() }
            });
            let many = proptest::collection::vec(one, 0..NAMES.len());
            many.prop_map(|many| NAMES.into_iter().zip(many).collect::<Vec<_>>()).boxed()
        };
        let nested = |inner: BoxedStrategy<Vec<(&'static str, Attribute)>>, plain: BoxedStrategy<Kind>| {
            let nesting = prop_oneof![
                Just(Nesting::Single),
                Just(Nesting::List),
                Just(Nesting::Set),
                Just(Nesting::Map)
            ];
            let object = (nesting, inner).prop_map(|(nesting, members)| Kind::Nested(nesting, members));
            named(prop_oneof![2 => plain, 1 => object].boxed())
        };
        let deepest = named(plain.clone());
        nested(nested(deepest, plain.clone()), plain)
    }

    /// The type that a host makes of an attribute.
    fn type_of(attribute: &pb::schema::Attribute) -> Type {
        let Some(nested) = &attribute.nested_type else {
            return type_from_json(&attribute.r#type).expect("a type");
        };
        assert!(attribute.r#type.is_empty(), "a host takes one or the other");
        let object = object_of(&nested.attributes);
        match nested.nesting() {
            Mode::Single => object,
            Mode::List => Type::list(object),
            Mode::Set => Type::set(object),
            Mode::Map => Type::map(object),
            Mode::Invalid => panic!("no nesting"),
        }
    }

    fn object_of(attributes: &[pb::schema::Attribute]) -> Type {
        Type::Object(attributes.iter().map(|it| (it.name.clone(), type_of(it))).collect())
    }

    fn flags_are_kept(ours: &[(&'static str, Attribute)], theirs: &[pb::schema::Attribute]) {
        assert_eq!(ours.len(), theirs.len());
        for ((name, ours), theirs) in ours.iter().zip(theirs) {
            assert_eq!(*name, theirs.name);
            assert_eq!(
                [ours.required, ours.optional, ours.computed, ours.sensitive, ours.write_only],
                [theirs.required, theirs.optional, theirs.computed, theirs.sensitive, theirs.write_only]
            );
            assert_eq!(ours.deprecated.is_some(), theirs.deprecated);
            if let (Kind::Nested(_, ours), Some(theirs)) = (&ours.kind, &theirs.nested_type) {
                flags_are_kept(ours, &theirs.attributes);
            }
        }
    }

    proptest! {
        /// What a host reads out of a schema is the type by which values are written and read.
        #[test]
        fn a_host_reads_the_same_types(attributes in any_attributes()) {
            let own = Schema { version: 0, docs: "", attributes };
            let block = schema(&own).block.expect("a block");
            prop_assert_eq!(object_of(&block.attributes), own.object_type());
            flags_are_kept(&own.attributes, &block.attributes);
        }
    }
}
