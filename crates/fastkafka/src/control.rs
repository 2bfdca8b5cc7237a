//! The controls of a running app: pause, resume, seek.
//!
//! [`App::handle`](crate::App::handle) returns a [`Handle`], and a handler or task takes it as
//! `State<Handle>`. You need the other types to name partitions ([`Target`]) and offsets ([`Seek`]). The
//! guide's chapter [Steering a running app](crate::guide::control) shows them at work.

#[doc(inline)]
pub use fastkafka_runtime::{ControlError, Handle, Position, Seek, Target};
