//! A hook around every handler call: the trait [`Around`], set by
//! [`AppBuilder::around`](crate::app::AppBuilder::around).
//!
//! You need it to do the same before and after each call: a span, a transaction, a metric, an identity taken
//! from a header. The hooks of an app's start and stop are methods of the builder; they return a
//! [`TaskReturn`].

mod list;

#[doc(inline)]
pub use fastkafka_core::{Around, HandlerCall, HandlerFuture, TaskReturn};
pub(crate) use list::{Hook, Hooks, LEAST, Name, done};
