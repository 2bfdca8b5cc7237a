//! The decisions of a driver, without a client, a channel or a clock.
//!
//! A state is told the events and the time. It answers with the steps to take, and the driver takes them.

pub(crate) mod backpressure;
pub(crate) mod failed_calls;
pub(crate) mod membership;
pub(crate) mod problems;
pub(crate) mod rebalance;
pub(crate) mod seeks;
pub(crate) mod stalls;
pub(crate) mod starts;
pub(crate) mod unfinished;
pub(crate) mod upkeep;
