//! What is done once and leaves nothing to manage: actions, which Terraform 1.14 and later invoke.

use super::{
    ClientSlot, Config, Diagnostic, Diagnostics, Model, Object, Result, Schema, managed, validate::validate,
};
use async_trait::async_trait;
use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

/// One action type: the struct is its `config` block, the verb does it.
///
/// An action has no state, so it has nothing computed, and Terraform invokes it whenever a user or a trigger says so:
/// [`invoke`](Action::invoke) must be able to run again at any time, after a run that was cut off, too.
pub trait Action: Model + Send + Sync + 'static {
    /// The name of the type in HCL.
    const TYPE: &'static str;

    /// What the verb talks to.
    type Client: Clone + Send + Sync + 'static;

    /// What is wrong with a configuration beyond single values: what excludes or needs one another.
    fn validate(_config: &Config) -> Diagnostics {
        vec![]
    }

    /// What the live system says about a plan to invoke it, as warnings or errors. Parts of the configuration may be
    /// unknown.
    fn check(_config: &Config, _client: &Self::Client) -> impl Future<Output = Diagnostics> + Send {
        async { vec![] }
    }

    /// Does it, and reports how far it is as it goes.
    ///
    /// # Errors
    /// It was not done, or not all of it.
    fn invoke(self, invocation: &mut Invocation<Self::Client>) -> impl Future<Output = Result<()>> + Send;
}

/// What an action works with.
pub struct Invocation<C> {
    /// The connection that the provider block describes.
    pub client: C,
    /// Tells the user how far it is.
    pub progress: Progress,
    /// Warnings for the user, beside the action's outcome.
    pub warnings: Diagnostics,
}

impl<C> Invocation<C> {
    /// Tells the user something that does not make the action fail.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning.as_warning());
    }
}

/// Where something that takes long says how far it is. Clones tell the same listener.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(String) + Send + Sync>);

impl Progress {
    /// Calls `listener` with each report.
    pub fn to(listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        Progress(Arc::new(listener))
    }

    /// Says how far it is: one line, which is shown at once. Nothing is not shown.
    pub fn report(&self, message: impl Into<String>) {
        let message = message.into();
        if !message.is_empty() {
            (self.0)(message);
        }
    }
}

/// Nobody listens.
impl Default for Progress {
    fn default() -> Self {
        Progress::to(drop)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// An [`Action`] of any type, as the plugin layer sees it.
#[async_trait]
pub trait AnyAction: Send + Sync {
    /// The name of the type in HCL.
    fn type_name(&self) -> &str;

    /// The schema of its `config` block.
    fn schema(&self) -> &Schema;

    /// What is wrong with a configuration, of which parts may be unknown.
    fn validate(&self, config: Object) -> Diagnostics;

    /// What is to be said before it is invoked, of a configuration of which parts may be unknown.
    async fn plan(&self, config: Object) -> Diagnostics;

    /// Does it. Where it went wrong, there is an error among what is answered.
    async fn invoke(&self, config: Object, progress: Progress) -> Diagnostics;
}

/// The one [`AnyAction`] of an [`Action`].
pub struct Invoked<A: Action> {
    client: ClientSlot<A::Client>,
    schema: OnceLock<Schema>,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Invoked<A> {
    /// The action, with the client that the provider is configured with.
    pub fn new(client: &ClientSlot<A::Client>) -> Self {
        Invoked { client: client.clone(), schema: OnceLock::new(), action: PhantomData }
    }
}

#[async_trait]
impl<A: Action> AnyAction for Invoked<A> {
    fn type_name(&self) -> &str {
        A::TYPE
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: 0, docs: A::DOCS, attributes: A::attributes() })
    }

    fn validate(&self, config: Object) -> Diagnostics {
        // Whoever knows actions knows write-only values.
        let mut found = validate(self.schema(), &config, true);
        found.extend(A::validate(&Config(config)));
        found
    }

    async fn plan(&self, config: Object) -> Diagnostics {
        // Without a client there is nothing to look at before the apply.
        let Some(client) = self.client.get() else { return vec![] };
        A::check(&Config(config), &client).await
    }

    async fn invoke(&self, config: Object, progress: Progress) -> Diagnostics {
        let Some(client) = self.client.get() else { return vec![managed::unconfigured()] };
        let action = match A::decode(managed::with_values(self.schema(), config)) {
            Ok(action) => action,
            Err(error) => return vec![error],
        };
        let mut invocation = Invocation { client, progress, warnings: vec![] };
        let outcome = managed::caught(action.invoke(&mut invocation)).await;
        let mut diagnostics = invocation.warnings;
        diagnostics.extend(outcome.err());
        diagnostics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terraform::{Value, WriteOnly};
    use futures_util::FutureExt;
    use std::sync::Mutex;

    /// Rings a bell.
    #[derive(Debug, Model)]
    struct Ring {
        /// How often.
        #[tf(default = 2)]
        times: i64,
        /// What the keeper is asked for.
        password_wo: WriteOnly<String>,
    }

    impl Action for Ring {
        const TYPE: &'static str = "swarm_ring";
        type Client = &'static str;

        async fn check(config: &Config, bell: &&'static str) -> Diagnostics {
            let loud = config.known::<i64>("times").is_some_and(|times| times > 9);
            loud.then(|| Diagnostic::warning(format!("{bell} is loud"), "")).into_iter().collect()
        }

        async fn invoke(self, invocation: &mut Invocation<&'static str>) -> Result<()> {
            let word = self.password_wo.required("password_wo").cloned().unwrap_or_default();
            for _ in 0..self.times {
                invocation.progress.report(format!("{} {word}", invocation.client));
            }
            invocation.warn(Diagnostic::warning("It is late", ""));
            match self.times {
                0 => Err(Diagnostic::error("Nothing to hear", "").at("times")),
                7 => panic!("the rope tore"),
                _ => Ok(()),
            }
        }
    }

    fn config(times: Value) -> Object {
        let attributes = [("times".to_owned(), times), ("password_wo".to_owned(), "please".into())];
        Object(attributes.into())
    }

    fn action(client: Option<&'static str>) -> Invoked<Ring> {
        let slot = ClientSlot::default();
        slot.set(client);
        Invoked::new(&slot)
    }

    fn invoke(client: Option<&'static str>, times: Value) -> (Vec<String>, Vec<String>) {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let listener = Arc::clone(&heard);
        let progress = Progress::to(move |message| listener.lock().unwrap().push(message));
        let said =
            action(client).invoke(config(times), progress).now_or_never().expect("it waits for nothing");
        let said =
            said.into_iter().map(|said| format!("{:?}: {} {}", said.severity, said.summary, said.detail));
        let heard = heard.lock().unwrap().clone();
        (heard, said.collect())
    }

    #[test]
    fn it_is_done_with_defaults_and_write_only_values() {
        let (heard, said) = invoke(Some("ding"), Value::Null);
        assert_eq!(heard, ["ding please", "ding please"]);
        assert_eq!(said, ["Warning: It is late "]);
    }

    #[test]
    fn what_goes_wrong_is_said_beside_the_warnings() {
        let number = |times: i64| Value::Number(times.into());
        let (_, said) = invoke(Some("ding"), number(0));
        assert_eq!(said, ["Warning: It is late ", "Error: Nothing to hear "]);
        let (heard, said) = invoke(Some("ding"), number(7));
        assert!(heard.len() == 7 && said[1].contains("It panicked: the rope tore"), "{said:?}");
        let (heard, said) = invoke(None, number(1));
        assert!(heard.is_empty() && said[0].contains("not configured"), "{said:?}");
    }

    #[test]
    fn a_plan_looks_where_there_is_something_to_look_at() {
        let plan = |client, times| action(client).plan(config(times)).now_or_never().expect("no wait").len();
        assert_eq!(plan(Some("ding"), Value::Number(10_i64.into())), 1);
        assert_eq!(plan(Some("ding"), Value::UNKNOWN), 0);
        assert_eq!(plan(None, Value::Number(10_i64.into())), 0);
    }
}
