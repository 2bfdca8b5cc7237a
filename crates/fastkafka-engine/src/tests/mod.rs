//! Each rule by its name, as a table of events and answers. Everything at random, and everything
//! there is, are in `tools/proof`.

mod account;
mod bounds;
mod control;
mod failures;
mod keyed;
mod keyed_reread;
mod lab;
mod offsets;
mod rebalance;
mod replays;
mod throughput;
