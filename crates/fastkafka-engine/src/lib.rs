//! The delivery of a record: a pure state machine between the fetch and the commit.
//!
//! No clock, no thread, no I/O, no randomness: [`Engine::step`] takes an [`Event`] and appends
//! [`Effect`]s. It sees where a record stands (partition, offset, size), never what it carries.
//!
//! # The model
//!
//! A partition that is assigned is a queue of *pieces*: consecutive records in the same state,
//! from the watermark on. The usual life of a piece is one fetched run:
//!
//! ```text
//!                 ┌───────── the lane halted before it, or a replay ────────┐
//!                 ▼                                                         │
//!  Fetched ──▶ queued ──Start──▶ running ──Settled──▶ terminal ──▶ watermark, Store
//!                 ▲                 │
//!                 └─ due ── waiting ◀── Failed, or Settled { broken }
//!                                   │ no attempt left
//!                                   ▼
//!                                exhausted ── at the head ──▶ skipped, dead letter, or stopped
//! ```
//!
//! A record is *terminal* when it is settled (handled, and its outputs acknowledged), skipped
//! because the user said so, or dead-lettered and that write acknowledged. The *watermark* is the
//! end of the terminal records at the front of the queue; nothing else is ever stored. Every other
//! answer is looked up in the queue, too: the next start, the end of a revoke, the bound on
//! reading, the report to health.
//!
//! Three rules carry most of the weight:
//!
//! * **A result counts while its records belong to its run.** A run number is never used twice, so
//!   a late result of an old assignment, attempt or replay finds nothing to move.
//! * **A lane outlives assignments.** It runs the started runs in order until a failure or a cut
//!   halts it; nothing starts again before the halt is reported, whoever owns the partition (S5).
//! * **A failed output is a failed attempt.** Its record, and everything behind it in the
//!   partition, is handled again from memory; the record alone first, until it is settled.
//!
//! # A step
//!
//! 1. the event changes pieces and lanes (`intake`, `results`);
//! 2. watermarks move and are stored;
//! 3. revokes that are drained or out of time are released: after the stores;
//! 4. runs start, and heads without attempts meet their end;
//! 5. partitions are held back or resumed (2 to 5 are in `phases`).
//!
//! The cost of a step is that of one partition's pieces, not of its records. Names such as S5 are
//! the invariants of `docs/architecture.md`; the tests are named after them.
//!
//! # Order by key, and none
//!
//! Where the order is by key, each record is a slot of its own and each start is a task: the rules
//! above hold for a key in the place of a partition, and keys are independent of each other
//! (`keyed`, `tasks`). A record leaves when it and everything before it of its key are terminal; the
//! watermark is the lowest that has not left. A record without a key is alone in its line, so "no
//! order" is an order by key in which no record has a key.
#![forbid(unsafe_code)]

mod assigned;
mod backoff;
mod engine;
mod event;
mod health;
mod intake;
mod keyed;
mod lane;
mod phases;
mod piece;
mod pieces;
mod policy;
#[cfg(feature = "proof")]
mod proof;
mod queries;
mod results;
mod tasks;
#[cfg(test)]
mod tests;

pub use backoff::growing;
pub use engine::{Engine, HandlerId};
pub use event::{
    Broken, DeadLetterOutcome, Effect, Event, Failure, HoldBack, Key, PartIndex, Read, RunId, Span,
    Time,
};
pub use health::{Figures, Stopped, Wait, Waiting};
pub use policy::{Limits, OnFailure, Order, Policy};
