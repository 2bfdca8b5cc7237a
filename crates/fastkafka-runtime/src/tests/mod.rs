//! The production turn on a client in memory, under a paused clock.

mod batches;
mod cluster;
mod control;
mod dead_letters;
mod failures;
mod foreign_text;
mod keyed;
mod lab;
mod late_starts;
mod log;
mod memory;
mod order;
mod other_log;
mod outbox;
mod outputs;
mod pressure;
mod random;
mod rebalance;
mod refusals;
mod settling;
mod shutdown;
mod stalls;
mod starts;
mod starving;
mod stuck;
mod time_limits;
