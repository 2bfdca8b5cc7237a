//! Each rule by its name, as a table of events and answers; then everything at random.

mod account;
mod bounds;
mod control;
mod failures;
mod keyed;
mod keyed_random;
mod lab;
mod model;
mod offsets;
mod oracle;
mod random;
mod rebalance;
mod replays;
mod run;
mod throughput;
mod world;
