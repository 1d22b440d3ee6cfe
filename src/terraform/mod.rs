//! Terraform's data model: values, types, schemas, models, plans and diagnostics.
//!
//! Pure: no I/O, no clock, no logging. The words are Terraform's own: *configuration*, *prior state*,
//! *planned state*, *new state*. Read in this order: [`Value`] and [`Type`], [`Schema`] and [`Attribute`],
//! [`Field`] (which Rust type is which attribute), [`Model`] (which struct is which object), [`plan`],
//! [`Resource`] (what an author writes) and [`AnyResource`] (what the plugin layer calls).

mod action;
mod any_resource;
mod diagnostic;
mod equivalence;
mod field;
mod function;
mod managed;
mod model;
mod number;
mod path;
mod plan;
#[cfg(test)]
mod plan_tests;
mod private;
mod provider;
mod quantity;
mod resource;
mod schema;
mod secrecy;
mod source;
mod timeouts;
mod types;
mod validate;
mod value;

pub use action::{Action, AnyAction, Invocation, Invoked, Progress};
pub use any_resource::{
    AnyResource, Applied, Apply, Imported, ListFilter, Listed, MoveSource, Planned, Read,
};
pub use derive::Model;
pub use diagnostic::{Diagnostic, Diagnostics, Result, Severity};
pub use field::{Computed, Field};
pub use function::{AnyFunction, Called, Function};
pub use managed::{ClientSlot, Managed};
pub use model::Model;
pub use number::Number;
pub use path::{Path, Step};
pub use plan::{Config, Plan};
pub use private::Private;
pub use provider::Provider;
pub use quantity::{Duration, Size};
pub use resource::{Context, Resource};
pub use schema::{Attribute, Builder, Kind, Nesting, Schema, Unset};
pub use secrecy::{Sensitive, WriteOnly};
pub use source::{AnySource, Source, Sourced};
pub use timeouts::Timeouts;
pub use types::Type;
pub use value::{Object, Refinement, Value};
