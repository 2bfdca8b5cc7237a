//! The eye on a client: its [`Condition`] behind a clock and a lock.

use crate::lock::lock;
#[cfg(test)]
use crate::producer::condition::Trouble;
use crate::producer::condition::{Condition, Kind};
use fastkafka_runtime::platform::{ClientError, ProducerHealth, Scope};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Written by the thread of the client's reports and read by whoever asks for health.
pub(crate) struct Watch {
    since: Instant,
    condition: Mutex<Condition>,
    /// A record was acknowledged since the last look. Apart, so that a report takes no lock.
    acknowledged: AtomicBool,
    /// Some partition has a record that was late.
    late: AtomicBool,
    /// The time that a record has.
    in_time: Duration,
}

impl Watch {
    /// `in_time` is the time that a record has.
    pub(super) fn new(in_time: Duration) -> Self {
        Self {
            since: Instant::now(),
            condition: Mutex::default(),
            acknowledged: AtomicBool::new(false),
            late: AtomicBool::new(false),
            in_time,
        }
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    /// A record was acknowledged; `place` is its topic and partition.
    pub(super) fn acknowledged<'a>(&self, place: impl FnOnce() -> (&'a str, i32)) {
        if !self.acknowledged.load(Relaxed) {
            self.acknowledged.store(true, Relaxed);
        }
        if self.late.load(Relaxed) {
            let some = lock(&self.condition).in_time(place());
            self.late.store(some, Relaxed);
        }
    }

    /// The time of a record has run out.
    pub(super) fn late(&self, topic: &str, partition: i32, error: &str) {
        let place = (topic.to_owned(), partition);
        lock(&self.condition).late(self.now(), self.in_time, place, error);
        self.late.store(true, Relaxed);
    }

    pub(super) fn is_login_refused(&self) -> bool {
        lock(&self.condition).is_login_refused()
    }

    /// The client has told of an error that belongs to no record.
    pub(super) fn error(&self, error: &ClientError) {
        let kind = match error.scope {
            _ if error.is_unreachable() => Some(Kind::Away),
            Scope::Login => Some(Kind::Login),
            _ => None,
        };
        let now = self.now();
        let mut condition = lock(&self.condition);
        self.take_in(&mut condition, now);
        condition.error(now, kind, &error.message);
    }

    /// Takes in what was acknowledged since the last look. True when a broker is to be asked whether it
    /// answers.
    pub(super) fn look(&self, on_their_way: bool) -> bool {
        let now = self.now();
        let mut condition = lock(&self.condition);
        self.take_in(&mut condition, now);
        let late = condition.on_their_way(now, on_their_way);
        self.late.store(late, Relaxed);
        condition.is_due(now)
    }

    /// What was acknowledged before an error is no evidence that it is over. The same thread brings both.
    fn take_in(&self, condition: &mut Condition, now: Duration) {
        if self.acknowledged.swap(false, Relaxed) {
            condition.delivered(now);
        }
    }

    pub(super) fn answered(&self) {
        lock(&self.condition).answered(self.now());
    }

    /// None has answered. True when the client is to begin again.
    pub(super) fn unanswered(&self) -> bool {
        lock(&self.condition).unanswered(self.now())
    }

    pub(super) fn ended(&self, error: &ClientError) {
        let now = self.now();
        let mut condition = lock(&self.condition);
        self.take_in(&mut condition, now);
        condition.ended(now, &error.message);
    }

    pub(super) fn made(&self) {
        let mut condition = lock(&self.condition);
        // What the one before was still told is no evidence of this one.
        self.acknowledged.store(false, Relaxed);
        condition.made(self.now());
    }

    /// Says what is wrong, and since when.
    pub(super) fn tell(&self, health: &mut ProducerHealth) {
        lock(&self.condition).tell(self.now(), health);
    }

    #[cfg(test)]
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        lock(&self.condition).troubles(self.now())
    }

    /// What will be wrong if nothing changes for so long.
    #[cfg(test)]
    pub(crate) fn troubles_in(&self, time: Duration) -> Vec<Trouble> {
        lock(&self.condition).troubles(self.now() + time)
    }
}
