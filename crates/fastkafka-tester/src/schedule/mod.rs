//! What happens next in a test: the tasks of its apps behind gates, and the steps at which it may be something
//! else than what happens by itself.
//!
//! Only an exploration has steps. In every other test [`Steps`](steps::Steps) is empty, no task has a gate, and
//! tokio decides.

pub(crate) mod choice;
pub(crate) mod gate;
pub(crate) mod steps;
pub(crate) mod turns;
