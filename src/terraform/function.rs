//! Functions of the provider, which HCL calls as `provider::swarm::NAME(…)`.

use super::{Attribute, Diagnostic, Field, Kind, Model, Object, Result, Step, Value};
use std::marker::PhantomData;

/// One function: its parameters are the fields of the struct in their order, and its doc comment the documentation.
///
/// A function is pure: the same arguments give the same answer, always and everywhere, since Terraform calls it whenever
/// it likes and compares.
pub trait Function: Model + 'static {
    /// The name of the function in HCL.
    const NAME: &'static str;

    /// What it answers.
    type Answer: Field;

    /// Calls it with arguments that are all known.
    ///
    /// # Errors
    /// An argument means nothing; the diagnostic's path says which.
    fn call(self) -> Result<Self::Answer>;
}

/// A [`Function`] of any signature, as the plugin layer sees it.
pub trait AnyFunction: Send + Sync {
    /// The name of the function in HCL.
    fn name(&self) -> &'static str;

    /// What it does: Markdown.
    fn docs(&self) -> &'static str;

    /// The parameters in their order.
    fn parameters(&self) -> Vec<(&'static str, Attribute)>;

    /// What the answer holds.
    fn answer(&self) -> Kind;

    /// Calls it.
    ///
    /// # Errors
    /// An argument means nothing; the diagnostic's path begins with the parameter.
    fn call(&self, arguments: Vec<Value>) -> Result<Value>;
}

/// The one [`AnyFunction`] of a [`Function`].
pub struct Called<F: Function>(PhantomData<fn() -> F>);

impl<F: Function> Default for Called<F> {
    fn default() -> Self {
        Called(PhantomData)
    }
}

impl<F: Function> AnyFunction for Called<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn docs(&self) -> &'static str {
        F::DOCS
    }

    fn parameters(&self) -> Vec<(&'static str, Attribute)> {
        F::attributes()
    }

    fn answer(&self) -> Kind {
        F::Answer::attribute().kind().clone()
    }

    fn call(&self, arguments: Vec<Value>) -> Result<Value> {
        let parameters = F::attributes();
        if parameters.len() != arguments.len() {
            return Err(Diagnostic::bug(format!(
                "`{}` was called with another number of arguments.",
                F::NAME
            )));
        }
        let mut object = Object::default();
        for ((name, parameter), argument) in parameters.into_iter().zip(arguments) {
            // A null is not for the checks to judge, as in a configuration.
            for check in parameter.checks.iter().filter(|_| !argument.is_null()) {
                check(&argument).map_err(|rule| {
                    Diagnostic::error(format!("Invalid value for `{name}`"), rule)
                        .beneath(Step::Attribute(name.to_owned()))
                })?;
            }
            object.0.insert(name.to_owned(), argument);
        }
        F::decode(object)?.call().map(F::Answer::encode)
    }
}
