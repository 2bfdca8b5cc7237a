//! The vocabulary of the engine: what it is told and what it answers.

use std::time::Duration;

/// Time since an origin of the caller's choice; it never goes back.
pub type Time = Duration;

/// A (topic, partition) of one owner, given out by [`Engine::add`](crate::Engine::add) and never
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
    /// How many records lie in it.
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
    /// Where it stands.
    pub offset: i64,
    /// Its order unit; a record without one has no order.
    pub key: Option<Key>,
    /// Key, payload and headers together.
    pub bytes: u64,
}

/// What the engine is told.
///
/// # Partition order
///
/// A lane runs the runs of one partition one after another and begins the next as soon as the
/// handlers of the previous one have returned. `round` counts the times a partition's lane was
/// brought to a halt: by a failure, or by [`Effect::Cut`]. A halted lane forgets every run of
/// that round it has not begun, so the engine starts those again in the next round. Runs that
/// were forgotten count as closed; nothing more is expected of them.
///
/// `Settled` may come before or after the `Failed` or `Ended` that concerns the same run.
///
/// # Order by key, and none
///
/// There is no lane: each `Start` is a task of its own, one record or one batch, that nothing cuts.
/// It ends with one `Handled` or `Failed`, whatever became of its partition, and until then its key
/// is locked. `Settled` may come before or after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The partition is ours from `position` on.
    Assigned {
        /// Which partition.
        part: PartIndex,
        /// Where reading begins; everything below is already terminal.
        position: i64,
    },
    /// The group wants these back. Answered by one [`Effect::Release`], at `deadline` at the latest.
    Revoking {
        /// Which partitions.
        parts: Vec<PartIndex>,
        /// When to give them back whatever still runs.
        deadline: Time,
    },
    /// These already belong to somebody else: forget them, store nothing. If a revoke of them was
    /// being answered it ends with [`Effect::Release`] as well.
    Lost {
        /// Which partitions.
        parts: Vec<PartIndex>,
    },
    /// A run was read. An offset below the highest one seen opens a new epoch: the log was read
    /// again from there, and what is held of the old one from that offset on is forgotten.
    Fetched {
        /// Which partition.
        part: PartIndex,
        /// The run.
        span: Span,
    },
    /// The same in order by key, record by record: what one batch may hold at most, in offset order.
    Read {
        /// Which partition.
        part: PartIndex,
        /// The records; none of them is below the highest offset seen, unless the log was read
        /// again from there.
        records: Vec<Read>,
    },
    /// By key: the task of this run has returned and accepted all of it. Its key is free.
    Handled {
        /// Which partition.
        part: PartIndex,
        /// Which run.
        run: RunId,
    },
    /// Everything of the run below `prefix` is settled: handled, and every output acknowledged.
    /// Sent once when the run closes, and with a shorter prefix while it still goes on.
    Settled {
        /// Which partition.
        part: PartIndex,
        /// Which run.
        run: RunId,
        /// Offset of the first record that is not settled, or the end of the run.
        prefix: i64,
        /// A record at or behind `prefix` was handled, but one of its outputs is lost, its `Ack` was
        /// failed, or a task it spawned failed. The lane stops at the next record boundary.
        broken: Option<Broken>,
        /// Nothing of this run is open any more: it no longer counts as outstanding.
        closed: bool,
    },
    /// The handler did not accept `[at, next)`: one record, or one batch. The lane has halted: of
    /// this round nothing from `next` on has begun or will. By key: the task has ended, what is
    /// before `at` was accepted, what follows `next` was not begun.
    Failed {
        /// Which partition.
        part: PartIndex,
        /// Which run.
        run: RunId,
        /// Offset of the record, or of the first record of the batch.
        at: i64,
        /// Offset of the first record after the unit that failed.
        next: i64,
        /// What kind of failure.
        failure: Failure,
    },
    /// The answer to [`Effect::DeadLetter`].
    DeadLetterDone {
        /// Which partition.
        part: PartIndex,
        /// The run number of the effect.
        run: RunId,
        /// What became of the dead letter.
        outcome: DeadLetterOutcome,
    },
    /// The answer to [`Effect::Cut`]: the lane has halted.
    Ended {
        /// Which partition.
        part: PartIndex,
        /// The round that was cut.
        cut: u32,
        /// Nothing of the round from this offset on has begun or will; `None` when everything
        /// that was started has also been handled.
        at: Option<i64>,
    },
    /// The user wants nothing of the partition handled or read for now, or wants that to end. The
    /// next assignment begins without it.
    Pause {
        /// Which partition.
        part: PartIndex,
        /// Whether it begins or ends.
        pause: bool,
    },
    /// The user wants to go on at `position`: what is held is forgotten, and `position` is stored.
    /// The caller has moved the client: what is read next begins there. Void while the partition is
    /// not assigned or is being given back.
    Seek {
        /// Which partition.
        part: PartIndex,
        /// The offset to read next.
        position: i64,
    },
    /// The user wants the records the partition has stopped at tried again, with all attempts.
    Restart {
        /// Which partition.
        part: PartIndex,
    },
    /// The producer has room for outputs, or has none: without room no run starts.
    Room(bool),
    /// A deadline of [`Engine::next_deadline`](crate::Engine::next_deadline) has come.
    Tick,
    /// Start nothing any more and halt every lane. The revoke that follows ends it.
    Shutdown,
}

/// Why an accepted record is not settled after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Offset of the record.
    pub at: i64,
    /// Offset of the record after it.
    pub next: i64,
    /// What kind of failure; [`Failure::Rejected`] when no repetition can help.
    pub failure: Failure,
}

/// What kind of failure a record met.
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

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadLetterOutcome {
    /// It is acknowledged.
    Written,
    /// It could not be written now; try again.
    Transient,
    /// It can never be written: the partition stops.
    Permanent,
}

/// What the engine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Hand these records to the partition's lane.
    Start {
        /// Which partition.
        part: PartIndex,
        /// The round the lane is in; 0 where there is none.
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
        /// Which partition.
        part: PartIndex,
        /// The round that ends.
        cut: u32,
    },
    /// Write the record at `at` to the dead-letter topic. Answered by [`Event::DeadLetterDone`].
    DeadLetter {
        /// Which partition.
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
        /// Which partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
    },
    /// The record at `at` could not be handled and the policy says stop: the partition stays
    /// assigned and stands still. A stopped partition is not read. By key only the records of its
    /// key stand still, and reading goes on within the bounds.
    Stopped {
        /// Which partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
        /// Attempts that were made.
        attempts: u32,
    },
    /// The record at `at` could not be handled and the policy ends the app: drain, then exit 1.
    Exit {
        /// Which partition.
        part: PartIndex,
        /// Offset of the record.
        at: i64,
    },
    /// Read no more of this partition for now. Ends with `Resume`, with the `Release` of the
    /// partition, or with its next assignment; until then `Full` may become `Waiting`.
    HoldBack {
        /// Which partition.
        part: PartIndex,
        /// Why; decides whether it may block the others of a shared queue for a while.
        why: HoldBack,
    },
    /// Read on.
    Resume {
        /// Which partition.
        part: PartIndex,
    },
    /// Everything below `offset` is terminal: store it, and free what was kept for a replay.
    Store {
        /// Which partition.
        part: PartIndex,
        /// The offset to commit: the next one to read.
        offset: i64,
    },
    /// By key: the record at `at` is terminal, and so is everything before it of its key. Nothing
    /// will start it again, so what was kept of it can go, also above the watermark.
    Free {
        /// Which partition.
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

/// Why a partition is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldBack {
    /// Its bound is reached and its handlers or outputs are at work: soon over.
    Full,
    /// It is full and waits for a retry, a transient failure or a dead letter, or it has stopped:
    /// nobody knows how long.
    Waiting,
    /// The user paused it.
    Paused,
}
