//! The contract of one resource: what an author writes.

use super::{Config, Diagnostic, Diagnostics, Model, MoveSource, Plan, Private, Result};

type Json = serde_json::Map<String, serde_json::Value>;

/// What an operation works with.
pub struct Context<C> {
    /// The connection that the provider block describes.
    pub client: C,
    /// The private state: kept as it stands when the operation ends, however it ends.
    pub private: Private,
    /// Warnings for the user, beside the operation's outcome.
    pub warnings: Diagnostics,
}

impl<C> Context<C> {
    /// Tells the user something that does not make the operation fail.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning.as_warning());
    }
}

/// One managed resource: the struct is what Terraform stores, the verbs are what it does.
///
/// # Expected flow
/// 1. [`validate`](Resource::validate) sees the configuration, of which parts may be unknown. No connection.
/// 2. [`plan`](Resource::plan) refines what the schema planned; [`check`](Resource::check) may look at what is live.
/// 3. [`create`](Resource::create) or [`update`](Resource::update) runs on the planned struct, write-only values
///    laid over it from the configuration. The second plan, just before, saw everything known.
/// 4. [`read`](Resource::read) refreshes, before each later plan.
///
/// # Guarantees
/// No verb sees an unknown value, but for computed values that are not set yet. Whatever computed value was set
/// before an error or a panic is saved; if none was, the object is taken not to exist. After a failed update the
/// state becomes what [`read`](Resource::read) finds.
///
/// # Caveats
/// `plan` must be deterministic: no clock, no randomness, nothing live. `read` returns what is there in the
/// Engine's terms; spellings and orders that mean the same are brought to those of the state afterwards.
pub trait Resource: Model + Send + Sync + 'static {
    /// The name of the type in HCL.
    const TYPE: &'static str;

    /// Raised when stored states must be upgraded.
    const VERSION: i64 = 0;

    /// The attributes that tell an object from all others in the swarm, for as long as it lives: what Terraform calls
    /// its identity. Joined by `/`, their values are an ID to import by. None for what is done and is not there afterwards:
    /// it can be neither imported nor listed.
    const IDENTITY: &'static [&'static str];

    /// What the verbs talk to.
    type Client: Clone + Send + Sync + 'static;

    /// What is wrong with a configuration beyond single values: what excludes or needs one another.
    fn validate(_config: &Config) -> Diagnostics {
        vec![]
    }

    /// Refines the plan: derived and computed values that follow from the configuration.
    ///
    /// # Errors
    /// The configuration cannot be planned.
    fn plan(_plan: &mut Plan) -> Result<()> {
        Ok(())
    }

    /// What the live system says about the plan, as warnings or errors. It never changes the plan.
    fn check(_plan: &Plan, _client: &Self::Client) -> impl Future<Output = Diagnostics> + Send {
        async { vec![] }
    }

    /// Makes it exist and sets the computed values.
    ///
    /// # Errors
    /// What was set before is saved as a tainted object.
    fn create(&mut self, context: &mut Context<Self::Client>) -> impl Future<Output = Result<()>> + Send;

    /// What is there now, or `None` when it is gone.
    ///
    /// # Errors
    /// Whatever is not "gone": the state stays.
    fn read(self, context: &mut Context<Self::Client>) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Changes it in place, from `prior` to `self`.
    ///
    /// # Errors
    /// The state becomes what is there.
    fn update(
        &mut self,
        prior: &Self,
        context: &mut Context<Self::Client>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Makes it not exist. That it is gone already is a success.
    ///
    /// # Errors
    /// It is still there, and stays in the state.
    fn delete(self, context: &mut Context<Self::Client>) -> impl Future<Output = Result<()>> + Send;

    /// What the user means by `id`, or `None` when there is no such thing.
    ///
    /// # Errors
    /// `id` has the wrong form, is ambiguous, or could not be looked up.
    fn import(
        id: &str,
        context: &mut Context<Self::Client>,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// All objects of the type that there are, each as [`import`](Resource::import) finds it.
    ///
    /// # Errors
    /// They could not be listed.
    fn list(context: &mut Context<Self::Client>) -> impl Future<Output = Result<Vec<Self>>> + Send;

    /// The attributes of a state that an older version stored, in today's shape. What today's schema does not
    /// have is dropped afterwards, what it has in addition becomes null.
    ///
    /// # Errors
    /// The state cannot be carried over.
    fn upgrade(_version: i64, attributes: Json) -> Result<Json> {
        Ok(attributes)
    }

    /// The attributes of another resource type's state in this one's shape, or `None` for a type that cannot be
    /// moved here. Moves between the names of one resource need no code.
    fn moved(_source: &MoveSource) -> Option<Result<Json>> {
        None
    }
}
