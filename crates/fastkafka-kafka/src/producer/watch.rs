//! The eye on a client: its [`Condition`] behind a clock and a lock.

use crate::lock::lock;
#[cfg(test)]
use crate::producer::condition::Trouble;
use crate::producer::condition::{Condition, Kind};
use fastkafka_runtime::platform::{ClientError, OutputState, ProducerHealth, Scope};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Written by the thread of the client's reports and read by whoever asks for health.
pub(crate) struct Watch {
    since: Instant,
    condition: Mutex<Condition>,
    /// Records that were acknowledged. Apart, so that a report takes no lock.
    acknowledged: AtomicU64,
    /// So many were at the last look.
    looked_at: AtomicU64,
    /// Records that were not, and are sent no more.
    lost: AtomicU64,
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
            acknowledged: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            late: AtomicBool::new(false),
            in_time,
        }
    }

    fn now(&self) -> Duration {
        self.since.elapsed()
    }

    /// A record was acknowledged; `place` is its topic and partition.
    pub(super) fn acknowledged<'a>(&self, place: impl FnOnce() -> (&'a str, i32)) {
        self.acknowledged.fetch_add(1, Relaxed);
        if self.late.load(Relaxed) {
            let some = lock(&self.condition).in_time(place());
            self.late.store(some, Relaxed);
        }
    }

    /// A record was not acknowledged, and is sent no more.
    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self, outputs: &mut OutputState) {
        outputs.acknowledged += self.acknowledged.load(Relaxed);
        outputs.lost += self.lost.load(Relaxed);
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
        let acknowledged = self.acknowledged.load(Relaxed);
        if self.looked_at.swap(acknowledged, Relaxed) != acknowledged {
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
        let acknowledged = self.acknowledged.load(Relaxed);
        self.looked_at.store(acknowledged, Relaxed);
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
