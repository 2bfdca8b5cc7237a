//! An app: its specification, which the plan is made from, and its context, which calls see.

mod context;
mod info;
mod running;
mod spec;
mod states;

pub use context::AppContext;
pub use info::{AppInfo, Contact, License};
pub(crate) use running::running;
pub use spec::AppSpec;
pub use states::States;
