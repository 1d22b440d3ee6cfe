//! What is only read: data sources, and ephemeral resources, whose values live no longer than the run.

use super::{
    ClientSlot, Config, Context, Diagnostics, Model, Object, Private, Read, Result, Schema, managed,
    validate::validate,
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
        let Some(client) = self.client.get() else { return nothing(vec![managed::unconfigured()]) };
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
