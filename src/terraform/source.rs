//! What is only read: data sources, and ephemeral resources, whose values live no longer than the run.

use super::{
    ClientSlot, Config, Context, Diagnostic, Diagnostics, Model, Object, Private, Read, Result, Schema,
    managed, validate::validate,
};
use async_trait::async_trait;
use std::{marker::PhantomData, sync::OnceLock};

/// One data source or ephemeral resource type: the struct is its block, the verb fills in what is computed.
///
/// Both are asked for in the same way and differ in where the answer goes: that of a data source into the state, that of
/// an ephemeral resource nowhere. The list in which the type stands says which it is.
pub trait Source: Model + Send + Sync + 'static {
    /// The name of the type in HCL.
    const TYPE: &'static str;

    /// What the verb talks to.
    type Client: Clone + Send + Sync + 'static;

    /// What is wrong with a configuration beyond single values: what excludes or needs one another.
    fn validate(_config: &Config) -> Diagnostics {
        vec![]
    }

    /// Sets every computed value.
    ///
    /// # Errors
    /// What is asked for is not there, or could not be read.
    fn read(&mut self, context: &mut Context<Self::Client>) -> impl Future<Output = Result<()>> + Send;
}

/// A [`Source`] of any type, as the plugin layer sees it.
#[async_trait]
pub trait AnySource: Send + Sync {
    /// The name of the type in HCL.
    fn type_name(&self) -> &str;

    /// The schema.
    fn schema(&self) -> &Schema;

    /// What is wrong with a configuration, of which parts may be unknown.
    fn validate(&self, config: Object) -> Diagnostics;

    /// The configuration with all that is computed, unless something went wrong.
    async fn read(&self, config: Object) -> Read;
}

/// The one [`AnySource`] of a [`Source`].
pub struct Sourced<S: Source> {
    client: ClientSlot<S::Client>,
    schema: OnceLock<Schema>,
    source: PhantomData<fn() -> S>,
}

impl<S: Source> Sourced<S> {
    /// The source, with the client that the provider is configured with.
    pub fn new(client: &ClientSlot<S::Client>) -> Self {
        Sourced { client: client.clone(), schema: OnceLock::new(), source: PhantomData }
    }
}

#[async_trait]
impl<S: Source> AnySource for Sourced<S> {
    fn type_name(&self) -> &str {
        S::TYPE
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: 0, docs: S::DOCS, attributes: S::attributes() })
    }

    fn validate(&self, config: Object) -> Diagnostics {
        let mut found = validate(self.schema(), &config, true);
        found.extend(S::validate(&Config(config)));
        found
    }

    async fn read(&self, config: Object) -> Read {
        let nothing = |diagnostics| Read { state: None, private: Private::default(), diagnostics };
        let Some(client) = self.client.get() else { return nothing(vec![not_yet(S::TYPE)]) };
        let mut context = Context { client, private: Private::default(), warnings: vec![] };
        // Defaults are what the schema plans where the configuration says nothing.
        let mut source = match S::decode(managed::with_defaults(self.schema(), config)) {
            Ok(source) => source,
            Err(error) => return nothing(vec![error]),
        };
        let outcome = managed::caught(source.read(&mut context)).await;
        let mut diagnostics = context.warnings;
        match outcome {
            Ok(()) => {
                let state = source.encode();
                diagnostics.extend(managed::left_open(&state));
                Read { state: Some(managed::without_unknowns(state)), private: context.private, diagnostics }
            }
            Err(error) => {
                diagnostics.push(error);
                nothing(diagnostics)
            }
        }
    }
}

fn not_yet(type_name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("There is nothing to read {type_name} from yet"),
        "The configuration of the provider is not known before the apply. Let the block depend (`depends_on`) on what \
         makes the Engine: then it is read during the apply.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Computed, Value};
    use futures_util::FutureExt;

    /// What time it is.
    #[derive(Debug, Model)]
    struct Clock {
        /// Where.
        #[tf(default = "UTC")]
        zone: String,
        /// On which wall.
        wall: Option<String>,
        /// The hour.
        hour: Computed<i64>,
    }

    impl Source for Clock {
        const TYPE: &'static str = "swarm_clock";
        type Client = i64;

        async fn read(&mut self, context: &mut Context<i64>) -> Result<()> {
            self.hour = context.client.into();
            Ok(())
        }
    }

    fn read(client: Option<i64>) -> Read {
        let slot = ClientSlot::default();
        slot.set(client);
        Sourced::<Clock>::new(&slot).read(Object::default()).now_or_never().expect("it waits for nothing")
    }

    #[test]
    fn what_is_not_set_has_its_default_or_is_null() {
        let state = read(Some(3)).state.expect("a state");
        assert_eq!(
            (state.get("zone"), state.get("wall"), state.get("hour")),
            (&Value::from("UTC"), &Value::Null, &Value::Number(3_i64.into()))
        );
    }

    #[test]
    fn without_a_client_it_says_how_to_wait_for_one() {
        let read = read(None);
        assert!(read.state.is_none());
        assert!(read.diagnostics[0].detail.contains("depends_on"), "{:?}", read.diagnostics);
    }
}
