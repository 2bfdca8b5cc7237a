//! The delivery engine, searched to the end.
//!
//! [`search`] knows nothing of Kafka: it visits every state of a [`Model`](search::Model), walks
//! through large ones at random, and prints what it finds as a table. The rest of the crate is the
//! model: members that run the engine that ships, against a cluster in memory, and an oracle that
//! shares no code with the engine. `scopes` holds the lists of scopes: `shapes()`, `pairs()`,
//! `triples()`, `four()` (records), `wide()` for random walks, and `mutants()`, smallest first.
//!
//! `shell` is a second model, of what stands around the engine: the driver and the client's machines.
#![forbid(unsafe_code)]

pub mod cli;
mod oracle;
pub mod scopes;
pub mod search;
#[cfg(feature = "shell")]
pub mod shell;
#[cfg(test)]
mod tests;
pub mod world;
