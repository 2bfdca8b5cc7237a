//! Annotated functions, from the attribute to the plan and through a call.

// The attributes expand to paths of the facade; what they need is all in core.
extern crate fastkafka_core as fastkafka;

// Public, so that lints see what they would see of a user's modules.
pub mod background;
pub mod benchmark;
mod clusters;
mod dispatch;
pub mod interceptor;
mod precedence;
pub mod produce;
pub mod registry;
pub mod strict;
mod support;
