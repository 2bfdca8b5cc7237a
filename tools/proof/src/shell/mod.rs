//! The second model: the driver of a group over the client's machines, as they ship.
//!
//! What is searched is the real [`Driver`](fastkafka_runtime::proof::Searched) with its lanes over the real
//! consumer, whose client is [simulated](fastkafka_kafka::proof::Simulation). Around them everything is a
//! choice: when the driver takes a turn, when a request is answered, when a handler returns, what the
//! client tells and where in a turn it does.
//!
//! - `scope`, `scopes`: worlds and their faults; `world`, `apply`: a schedule; `actions`: its choices.
//! - `rest`: what must hold where only time passes, and at the end. `world` has what must hold always.
//! - `model`: all that as a [`Model`](crate::search::Model). A driver cannot be cloned, so a state is the list
//!   of the choices that lead to it.

mod actions;
mod apply;
mod coverage;
mod handler;
mod model;
mod part;
pub mod report;
mod rest;
mod scope;
pub mod scopes;
#[cfg(test)]
mod tests;
mod watch;
mod world;

pub use scope::{Fault, Scope};
