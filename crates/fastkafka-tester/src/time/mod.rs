//! The test's clock, and the threads that it waits for.

pub(crate) mod clock;
pub(crate) mod threads;
