//! When health is worked out, and how often the log repeats what stands still.

use fastkafka_engine::{PartIndex, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the settled prefixes of runs that go on are stored, and health is worked out.
const PROGRESS: Duration = Duration::from_millis(200);
/// How often the log repeats that a record stands still.
const REMIND: Duration = Duration::from_secs(60);

/// What is said of a record, and which one. A record that stood may come to stand for another reason: that
/// is said at once.
pub(crate) type Reminder = (Standing, PartIndex, i64);

/// How a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    Stopped,
    Stalled,
    OnAnotherLog,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Upkeep {
    progressed: Time,
    health_changed: bool,
    /// When the log has last said each of these.
    reminded: BTreeMap<Reminder, Time>,
}

impl Upkeep {
    /// Health is to be worked out with this turn.
    pub(crate) fn health_changed(&mut self) {
        self.health_changed = true;
    }

    pub(crate) fn take_health_changed(&mut self) -> bool {
        std::mem::take(&mut self.health_changed)
    }

    /// True when it is time to look at what goes on.
    pub(crate) fn progress(&mut self, now: Time) -> bool {
        let due = now.saturating_sub(self.progressed) >= PROGRESS;
        if due {
            self.progressed = now;
        }
        due
    }

    /// How long the driver may sleep while runs go on.
    pub(crate) fn due(&self, now: Time) -> Duration {
        (self.progressed + PROGRESS).saturating_sub(now)
    }

    /// Forgets the records that do not stand still any more.
    pub(crate) fn retain(&mut self, stands: impl Fn(Reminder) -> bool) {
        self.reminded.retain(|record, _| stands(*record));
    }

    /// True when the log is to name this record now.
    pub(crate) fn remind(&mut self, record: Reminder, now: Time) -> bool {
        let last = self.reminded.get(&record);
        let due = last.is_none_or(|last| now.saturating_sub(*last) >= REMIND);
        if due {
            self.reminded.insert(record, now);
        }
        due
    }
}
