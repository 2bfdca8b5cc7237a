//! Errors, and what may follow them.
//!
//! A handler returns any error that is `Display`, or a [`Failure`](crate::Failure) to choose what follows it;
//! a producer returns [`ProduceError`](crate::ProduceError). You need this module to fail one record of a batch
//! ([`BatchFailure`]), to look into a failure ([`FailureKind`]), and for the errors of an app: [`Problems`] of
//! [`App::check`](crate::App::check), [`RunError`] of [`App::run`](crate::App::run), `start` and `stop`. The
//! guide's chapter [Delivery](crate::guide::delivery) says what becomes of a record that fails.

#[cfg(feature = "docs")]
mod docs;
mod run;

#[cfg(feature = "docs")]
pub use docs::DocsError;
#[doc(inline)]
pub use fastkafka_core::{
    BatchFailure, FailureKind, IntoFailure, Problem, Problems, Rejection, Revoked, UnknownBroker,
};
pub use run::RunError;
