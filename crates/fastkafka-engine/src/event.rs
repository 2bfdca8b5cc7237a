//! The vocabulary of the engine: events that it takes and effects that it answers with.

use std::time::Duration;

/// Time since an origin of the caller's choice; it never goes back.
pub type Time = Duration;

/// A (topic, partition) of one engine, given out by [`Engine::add`](crate::Engine::add) and never
/// reused for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartIndex(pub u32);

/// The identity of one started run, unique in the life of its engine.
///
/// A result counts only while its records still belong to this run; that one comparison covers
/// the epoch of the assignment, the attempt and a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// Consecutive delivered records of one partition: offsets from `first` up to, not including,
/// `next`, which is the offset after the last record. Offsets may have gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first record.
    pub first: i64,
    /// Offset after the last record.
    pub next: i64,
    /// The number of records in it.
    pub records: u32,
    /// Keys, payloads and headers together.
    pub bytes: u64,
}

/// The identity of a record's key within its partition, for order by key.
///
/// The caller gives the numbers out and keeps them apart exactly: two keys never have one number
/// while a record of either is held or a task of either has not ended, however they hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub u64);

/// A record of a partition whose order is by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// Its offset.
    pub offset: i64,
    /// Its order unit; a record without one has no order.
    pub key: Option<Key>,
    /// Key, payload and headers together.
    pub bytes: u64,
}

/// Events from outside: assignments, fetched records, results of runs, and the user's pause, seek
/// and restart.
///
/// # Partition order
///
/// A lane runs the runs of one partition one after another and begins the next as soon as the
/// handlers of the previous one have returned. A failure or [`Effect::Cut`] halts it. `cut` counts
/// the halts of a lane, and each start has the number it was made with. A halted lane forgets every
/// run with that number that it has not begun, so the engine starts those again with the next one.
/// Runs that were forgotten count as closed; nothing more is expected of them.
///
/// `Settled` may come before or after the `Failed` or `Ended` that concerns the same run.
///
/// # Order by key, and none
///
/// Nothing runs in a lane: each `Start` is a task of its own, one record or one batch, that nothing
/// cuts. It ends with one `Handled` or `Failed`, even when its partition was revoked, and until then
/// its key is locked. `Settled` may come before or after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The partition is ours from `position` on.
    Assigned {
        /// The partition.
        part: PartIndex,
        /// The offset where reading begins; everything below is already terminal.
        position: i64,
    },
    /// The group wants these back. Answered by one [`Effect::Release`], at `deadline` at the latest.
    Revoking {
        /// The partitions.
        parts: Vec<PartIndex>,
        /// The time to give them back at, even if something still runs.
        deadline: Time,
    },
    /// These already belong to another member: forget them, store nothing. If a revoke of them was
    /// being answered, it ends with [`Effect::Release`] as well.
    Lost {
        /// The partitions.
        parts: Vec<PartIndex>,
    },
    /// A run was read. An offset below the highest one seen opens a new epoch: the log was read
    /// again from there, and what is held of the old one from that offset on is forgotten.
    Fetched {
        /// The partition.
        part: PartIndex,
        /// The run.
        span: Span,
    },
    /// The same in order by key, record by record: at most one batch, in offset order.
    Read {
        /// The partition.
        part: PartIndex,
        /// The records; none of them is below the highest offset seen, unless the log was read
        /// again from there.
        records: Vec<Read>,
    },
    /// The log was read up to here: what is below and was not told will never come. It is a control record
    /// of a transaction, or was aborted or compacted away. The watermark moves over it when nothing below is
    /// open.
    ReadTo {
        /// The partition.
        part: PartIndex,
        /// The offset to read next.
        offset: i64,
    },
    /// By key: the task of this run has returned and accepted all of it. Its key is free.
    Handled {
        /// The partition.
        part: PartIndex,
        /// The run.
        run: RunId,
    },
    /// Everything of the run below `prefix` is settled: handled, and every output acknowledged.
    /// Sent once when the run closes, and with a shorter prefix while it still goes on.
    Settled {
        /// The partition.
        part: PartIndex,
        /// The run.
        run: RunId,
        /// Offset of the first record that is not settled, or the end of the run.
        prefix: i64,
        /// A record at or behind `prefix` was handled, but one of its outputs is lost, its `Ack` was
        /// failed, or a task it spawned failed. The lane stops at the next record boundary.
        broken: Option<Broken>,
        /// Nothing of this run is open any more: it no longer counts as outstanding.
        closed: bool,
    },
    /// The handler did not accept `[at, next)`: one record, or one batch. The lane has halted:
    /// nothing from `next` on that was started with the same `cut` has begun or will. By key: the
    /// task has ended, the records before `at` were accepted, those from `next` on were not begun.
    Failed {
        /// The partition.
        part: PartIndex,
        /// The run.
        run: RunId,
        /// Offset of the record, or of the first record of the batch.
        at: i64,
        /// Offset of the first record after the unit that failed.
        next: i64,
        /// The kind of failure.
        failure: Failure,
    },
    /// The answer to [`Effect::DeadLetter`].
    DeadLetterDone {
        /// The partition.
        part: PartIndex,
        /// The run number of the effect.
        run: RunId,
        /// The outcome.
        outcome: DeadLetterOutcome,
    },
    /// The answer to [`Effect::Cut`]: the lane has halted.
    Ended {
        /// The partition.
        part: PartIndex,
        /// The number of the cut.
        cut: u32,
        /// Nothing from this offset on that was started with this number has begun or will; `None`
        /// when everything that was started has also been handled.
        at: Option<i64>,
    },
    /// The user pauses the partition or resumes it: while it is paused, nothing of it is read or
    /// started. A new assignment begins without a pause.
    Pause {
        /// The partition.
        part: PartIndex,
        /// `true` for a pause, `false` for a resume.
        pause: bool,
    },
    /// The user wants to go on at `position`: the records held are forgotten, and `position` is
    /// stored. The caller has moved the client, so the next fetch begins there. Ignored while the
    /// partition is not assigned or is being given back.
    Seek {
        /// The partition.
        part: PartIndex,
        /// The offset to read next.
        position: i64,
    },
    /// The user wants the records at which the partition has stopped tried again, with all attempts. In partition
    /// order a caller that has freed them seeks to the watermark instead, which is where it stands.
    Restart {
        /// The partition.
        part: PartIndex,
    },
    /// The producer has room for outputs, or has none: without room no run starts.
    Room(bool),
    /// A deadline of [`Engine::next_deadline`](crate::Engine::next_deadline) has come.
    Tick,
    /// Start nothing any more and halt every lane. The revoke that follows ends it.
    Shutdown,
}

/// An accepted record that is not settled after all, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Offset of the record.
    pub at: i64,
    /// Offset of the record after it.
    pub next: i64,
    /// The kind of failure; [`Failure::Rejected`] when no repetition can help.
    pub failure: Failure,
}

/// The kinds of failure of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A failed attempt: again after the back-off while attempts are left.
    Retry {
        /// Wait this long instead of the back-off of the policy.
        after: Option<Duration>,
    },
    /// No repetition helps: straight to the policy's end.
    Rejected,
    /// Not the record's fault: again and again, without limit and without using up attempts.
    Transient {
        /// Wait this long instead of the back-off of the policy.
        after: Option<Duration>,
    },
}

/// The outcome of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterOutcome {
    /// It is acknowledged.
    Written,
    /// It could not be written now; try again.
    Transient,
    /// It can never be written: the partition stops.
    Permanent,
}

/// The engine's answers: actions for the caller, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Hand these records to the partition's lane.
    Start {
        /// The partition.
        part: PartIndex,
        /// The number of halts of the lane before this start; 0 by key.
        cut: u32,
        /// The identity of the work.
        run: RunId,
        /// The records: a part of one fetched run, never of two. Where offsets have gaps and the
        /// run was cut, `records` and `bytes` are estimates; only the offsets are exact.
        span: Span,
        /// 1 for the first attempt of its first record.
        attempt: u32,
        /// Of a batch handler: hand over the records one by one.
        single: bool,
    },
    /// Halt the lane at the next record boundary. Answered by [`Event::Ended`].
    Cut {
        /// The partition.
        part: PartIndex,
        /// The number of this cut.
        cut: u32,
    },
    /// Write the record at `at` to the dead-letter topic. Answered by [`Event::DeadLetterDone`].
    DeadLetter {
        /// The partition.
        part: PartIndex,
        /// The identity of this work.
        run: RunId,
        /// Offset of the record.
        at: i64,
        /// Attempts that were made.
        attempts: u32,
    },
    /// The policy says to go on without the record at `at`. For the log and the counters.
    Skipped {
        /// The partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
    },
    /// The record at `at` could not be handled and the policy says stop: the partition stays
    /// assigned and stands still. A stopped partition is not read. By key only the records of its
    /// key stand still, and reading goes on within the bounds.
    Stopped {
        /// The partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
        /// Attempts that were made.
        attempts: u32,
    },
    /// The record at `at` could not be handled and the policy ends the app: drain, then exit 1.
    Exit {
        /// The partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
    },
    /// Read no more of this partition for now. Ends with `Resume`, with the `Release` of the
    /// partition, or with its next assignment; until then `Full` may become `Waiting`.
    HoldBack {
        /// The partition.
        part: PartIndex,
        /// The reason; it decides whether the partition may block the others of a shared queue for a
        /// while.
        why: HoldBack,
    },
    /// Read on.
    Resume {
        /// The partition.
        part: PartIndex,
    },
    /// Everything below `offset` is terminal: store it, and free the payloads kept for a replay.
    Store {
        /// The partition.
        part: PartIndex,
        /// The offset to commit: the next one to read.
        offset: i64,
    },
    /// By key: the record at `at` is terminal, and so is everything before it of its key. Nothing
    /// will start it again, so its payload can be freed, even above the watermark.
    Free {
        /// The partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
    },
    /// Give the partitions back. Comes after the stores of the same step.
    Release {
        /// The partitions of the revoke, or of the loss.
        parts: Vec<PartIndex>,
    },
}

/// The reason why a partition is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldBack {
    /// Its bound is reached and its handlers or outputs are at work: soon over.
    Full,
    /// It is full and waits for a retry, a transient failure or a dead letter, or it has stopped:
    /// for an unknown time.
    Waiting,
    /// The user paused it.
    Paused,
}
