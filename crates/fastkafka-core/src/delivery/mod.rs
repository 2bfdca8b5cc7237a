//! From a handler's return to a settled record: failures, acknowledgements, and the outputs that a
//! record waits for.

pub(crate) mod ack;
pub(crate) mod ambient;
pub(crate) mod dead_letter;
pub(crate) mod entered;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod scope;
pub(crate) mod send;
pub(crate) mod settle;
pub(crate) mod sink;
// A delivery report finds its record through one raw pointer: see the module.
#[allow(unsafe_code)]
pub(crate) mod slot;
pub(crate) mod stop_flag;
pub(crate) mod sync;
