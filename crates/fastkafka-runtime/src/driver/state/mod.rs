//! What a driver decides, without a client, a channel or a clock.
//!
//! A state is told what has come, and when. It answers with what is to be done, and the driver does it.

pub(crate) mod backpressure;
pub(crate) mod client_errors;
pub(crate) mod membership;
pub(crate) mod rebalance;
pub(crate) mod seeks;
pub(crate) mod upkeep;
