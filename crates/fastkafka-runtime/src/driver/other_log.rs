//! Positions that do not belong to the log that is there: the partition stops, or goes on with the first
//! record that is new.

use super::Driver;
use super::partition::GoesOn;
use super::state::problems::Key;
use crate::control::command::Seek;
use crate::control::error::ControlError;
use crate::health::ProblemCode;
use crate::transport::{GroupConsumer, PartitionRef};
use fastkafka_core::OnTruncation;
use std::time::Duration;

/// What follows where the handler lets a partition go on by itself.
enum Then {
    /// It stops all the same: what is new, nobody knows.
    Stop,
    /// Here is the first record that was never read.
    GoOn(Seek),
    /// It goes on at the beginning once there is more evidence.
    Wait,
}

/// Between two attempts to go on.
const AGAIN: Duration = Duration::from_secs(1);

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn out_of_range(&mut self, place: PartitionRef, position: i64, low: i64, high: i64) {
        if self.leaves(place) {
            return;
        }
        if position < low {
            tracing::error!(
                %place,
                lost = low - position,
                "records {position}..{low} are gone from the log before they were read (retention; an embedded broker keeps 5 MiB of each partition): going on at {low}"
            );
            self.leave_position(place);
            self.move_client(place, low);
        } else {
            let what = format!(
                "position {position} is past the end of the log ({high}): the topic was truncated or made anew"
            );
            self.stand_still(place, position, what, Then::Stop);
        }
    }

    /// A seek, or the client's own move, already leaves that position.
    fn leaves(&mut self, place: PartitionRef) -> bool {
        let part = self.part(place);
        self.seeks.is_moving(place) || self.failed_calls.is_moving(part)
    }

    pub(super) fn truncated(&mut self, place: PartitionRef, position: i64, end: Option<i64>) {
        let cut = end.map_or("was cut".to_owned(), |end| format!("was cut at {end}"));
        let what = format!(
            "the log {cut} and has grown again (an unclean election): position {position} belongs to the one before"
        );
        let then = end.map_or(Then::Stop, |end| Then::GoOn(Seek::Offset(end)));
        self.stand_still(place, position, what, then);
    }

    pub(super) fn made_anew(&mut self, place: PartitionRef, position: i64) {
        let what = format!(
            "the topic was deleted and made anew: position {position} belongs to the one before, and records of \
             the new one may have been left out"
        );
        // A broker that is behind may have said so, and what was handled would be handled again.
        self.stand_still(place, position, what, Then::Wait);
    }

    /// It was: those that were asked later say so, too.
    pub(super) fn still_anew(&mut self, place: PartitionRef, position: i64) {
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        let resets = partition.handler.on_truncation == OnTruncation::Reset;
        if resets && partition.truncated == Some(position) && partition.goes_on.is_none() {
            let (to, at) = (Seek::Beginning, self.now);
            partition.goes_on = Some(GoesOn { to, at });
            self.go_on();
        }
    }

    /// It was not: a broker that is behind knows an older topic for a while.
    pub(super) fn same_again(&mut self, place: PartitionRef, position: i64) {
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        if partition.truncated != Some(position) {
            return;
        }
        partition.errors.forget(position);
        if partition.goes_on.is_some() {
            // Its seek may be on its way to the beginning, and must not move it from here.
            self.seeks.cancel_own(place);
        }
        tracing::info!(%place, "the topic is the one before: going on at {position}");
        self.leave_position(place);
        self.move_client(place, position);
        self.report();
    }

    pub(super) fn unreadable(&mut self, place: PartitionRef, position: i64, why: &str) {
        let key = Key::partition(ProblemCode::BatchUnreadable, place);
        // The client says it twice a second.
        if self.problems.raise_at(key, position, self.now, why) {
            tracing::error!(
                %place,
                offset = position,
                "a batch cannot be read, and nothing behind it is: {why}; it is tried again, and a seek leaves it"
            );
        }
    }

    /// The partition stands still at `position`.
    fn stand_still(&mut self, place: PartitionRef, position: i64, what: String, then: Then) {
        if self.leaves(place) {
            return;
        }
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        let resets = partition.handler.on_truncation == OnTruncation::Reset;
        let at = self.now;
        partition.goes_on = match then {
            Then::GoOn(to) if resets => Some(GoesOn { to, at }),
            _ => None,
        };
        let what = match then {
            Then::GoOn(Seek::Offset(offset)) if resets => format!("{what}; going on at {offset}"),
            Then::GoOn(_) if resets => format!("{what}; going on at its beginning"),
            Then::Wait if resets => {
                format!("{what}; going on at its beginning when the next looks at the topic agree")
            }
            _ => format!(
                "{what}; the partition stops: seek to an offset that is there, or reset the group's, to go on"
            ),
        };
        partition.truncated = Some(position);
        // With the first reminder it is in the log.
        let key = Key::partition(ProblemCode::LogTruncated, place);
        self.problems.raise_at(key, position, self.now, &what);
        partition.errors.failed(position, what);
        self.pause(part, true);
        self.upkeep.health_changed();
        self.go_on();
    }

    /// The partition leaves the position that did not belong to its log, or the batch that could not be read.
    pub(super) fn leave_position(&mut self, place: PartitionRef) {
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        (partition.truncated, partition.goes_on) = (None, None);
        for code in [ProblemCode::LogTruncated, ProblemCode::BatchUnreadable] {
            self.problems.clear(&Key::partition(code, place));
        }
    }

    /// What stands where the partition was to go on by itself may be gone meanwhile.
    pub(super) fn cannot_go_on(&mut self, place: PartitionRef, error: &ControlError) {
        let part = self.part(place);
        let partition = &mut self.partitions[part];
        let Some(goes_on) = &mut partition.goes_on else {
            return;
        };
        if let (Seek::Offset(offset), ControlError::OutOfRange { low, .. }) = (goes_on.to, error) {
            tracing::error!(
                %place,
                lost = low.saturating_sub(offset),
                "records {offset}..{low} are gone from the log before they were read (retention): going on at its beginning"
            );
            goes_on.to = Seek::Beginning;
        }
        let position = partition.truncated.unwrap_or_default();
        let what = format!("{}; that failed: {error}", partition.error(position));
        let key = Key::partition(ProblemCode::LogTruncated, place);
        self.problems.raise_at(key, position, self.now, &what);
    }

    /// Begins the seeks of partitions that go on by themselves.
    pub(super) fn go_on(&mut self) {
        for part in self.partitions.numbers() {
            let partition = &self.partitions[part];
            let (place, goes_on) = (partition.place, partition.goes_on);
            let Some(GoesOn { to, at }) = goes_on.filter(|goes_on| goes_on.at <= self.now) else {
                continue;
            };
            // What was read of the log before is handled first: a seek forgets it.
            if !self.engine.starves(part) {
                continue;
            }
            // Later, if it may not be moved now or the broker does not answer.
            let at = at.max(self.now) + AGAIN;
            self.partitions[part].goes_on = Some(GoesOn { to, at });
            if self.may_move(place).is_ok() && !self.seeks.is_under_way(place) {
                // Nobody waits for the answer.
                let (reply, _) = tokio::sync::mpsc::unbounded_channel();
                self.seeks.begin_own(place, reply);
                self.consumer.find(place, to);
            }
        }
    }
}
