//! The time for which full partitions may keep the others waiting, and the cost of a pause.
//!
//! All partitions share one queue of the client. Back-pressure is not to read it: that costs nothing,
//! where a pause throws away what was prefetched. But while one partition is full, nothing is read of the
//! others either, whatever it is full for: slow handlers, an `Ack` that is kept, a task that goes on. So
//! it is paused when another one has starved for its sake.
//!
//! | event | what follows |
//! |---|---|
//! | a partition is full, none starves | nothing is read, and nobody waits for that |
//! | a partition is full, another starves | the clock of starving runs |
//! | none is full any more | the clock stops: the queue may have been full of the same partition's records. A [`SHORT`] time does not count |
//! | the queue is read to its end, or none starves | the clock is at zero |
//! | the clock reaches the patience with a full partition | the partition is paused |
//! | a paused partition is read again | its patience is the first one if the pause has paid, else twice as long |
//!
//! A pause has paid when it lasted for [`PAYS`] and another partition was given records meanwhile. The
//! longest patience is longer than `PAYS` and the first patience together: a partition that fills up and
//! drains in a time for which a pause never pays is not paused again and again.

use fastkafka_engine::{PartIndex, Time};
use std::collections::BTreeMap;
use std::time::Duration;

/// So long a partition may wait for its reports, or for a moment of its handlers, and it costs nobody
/// anything.
const SHORT: Duration = Duration::from_millis(100);
/// How long another partition starves before a full one is paused for its sake.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same where pauses have not paid.
const LONGEST_PATIENCE: Duration = Duration::from_secs(4);
/// A shorter pause costs more, by what is fetched again, than it gives to the others.
const PAYS: Duration = Duration::from_secs(3);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Backpressure {
    /// Since when nothing is read while another partition starves.
    starving_since: Option<Time>,
    /// The time before that, since the queue was read to its end.
    starved: Duration,
    /// When to look again.
    due: Option<Time>,
    /// Of the partitions that are paused, or whose last pause has not paid.
    pauses: BTreeMap<PartIndex, Pause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pause {
    patience: Duration,
    /// Since when it is paused, if it is.
    since: Option<Time>,
    /// Another partition was given records meanwhile.
    was_useful: bool,
}

impl Backpressure {
    /// A look before reading: `full` are the partitions for whose sake nothing is read. Returns those that
    /// are to be paused instead.
    pub(crate) fn look(&mut self, now: Time, full: &[PartIndex], starves: bool) -> Vec<PartIndex> {
        self.due = None;
        if full.is_empty() {
            let time = self
                .starving_since
                .take()
                .map(|since| now.saturating_sub(since));
            self.starved += time.filter(|time| *time >= SHORT).unwrap_or_default();
            return Vec::new();
        }
        if !starves {
            (self.starving_since, self.starved) = (None, Duration::ZERO);
            return Vec::new();
        }
        let since = *self.starving_since.get_or_insert(now);
        let starved = self.starved + now.saturating_sub(since);
        let is_over = |part: &PartIndex| self.patience(*part) <= starved;
        let (over, rest): (Vec<_>, Vec<_>) = full.iter().copied().partition(is_over);
        for part in &over {
            let pause = Pause {
                patience: self.patience(*part),
                since: Some(now),
                was_useful: false,
            };
            self.pauses.insert(*part, pause);
        }
        match rest.iter().map(|part| self.patience(*part)).min() {
            None => (self.starving_since, self.starved) = (None, Duration::ZERO),
            Some(patience) => self.due = Some(now + (patience - starved)),
        }
        over
    }

    fn patience(&self, part: PartIndex) -> Duration {
        self.pauses.get(&part).map_or(PATIENCE, |p| p.patience)
    }

    /// The queue was read to its end: nothing in it waits for anybody.
    pub(crate) fn read_to_end(&mut self) {
        self.starved = Duration::ZERO;
    }

    /// A partition was given records.
    pub(crate) fn fed(&mut self) {
        for pause in self.pauses.values_mut() {
            pause.was_useful = true;
        }
    }

    /// A partition is read again.
    pub(crate) fn resume(&mut self, part: PartIndex, now: Time) {
        let Some(pause) = self.pauses.get_mut(&part) else {
            return;
        };
        let Some(since) = pause.since.take() else {
            return;
        };
        if pause.was_useful && now.saturating_sub(since) >= PAYS {
            self.pauses.remove(&part);
        } else {
            pause.patience = LONGEST_PATIENCE.min(pause.patience * 2);
        }
    }

    /// A partition is given back, or begun with.
    pub(crate) fn forget(&mut self, part: PartIndex) {
        self.pauses.remove(&part);
    }

    /// How long the driver may sleep. It need not look in between: a lane that runs out of work while its
    /// outputs are open tells nobody, but while runs are open the driver looks at their progress anyway.
    pub(crate) fn due(&self, now: Time) -> Option<Duration> {
        Some(self.due?.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: [PartIndex; 1] = [PartIndex(0)];
    const MILLI: Duration = Duration::from_millis(1);

    /// Looks each 100 ms until the partition is paused; the time that it took.
    fn until_paused(pressure: &mut Backpressure, now: &mut Time) -> Duration {
        let begun = *now;
        while pressure.look(*now, &FULL, true).is_empty() {
            *now += MILLI * 100;
        }
        *now - begun
    }

    #[test]
    fn a_full_partition_is_paused_when_another_has_starved_for_a_second() {
        let mut pressure = Backpressure::default();
        assert_eq!(pressure.look(Time::ZERO, &FULL, false), []);
        assert_eq!(pressure.due(Time::ZERO), None, "nobody waits");
        let now = PATIENCE * 9;
        assert_eq!(pressure.look(now, &FULL, true), []);
        assert_eq!(pressure.due(now), Some(PATIENCE), "once, and not before");
        assert_eq!(pressure.look(now + PATIENCE - MILLI, &FULL, true), []);
        assert_eq!(pressure.due(now + PATIENCE - MILLI), Some(MILLI));
        assert_eq!(pressure.look(now + PATIENCE, &FULL, true), FULL);
        assert_eq!(pressure.look(now + PATIENCE, &[], true), []);
        assert_eq!(pressure.due(now + PATIENCE), None);
    }

    #[test]
    fn a_short_wait_is_no_pause_and_the_next_one_begins_anew() {
        let mut pressure = Backpressure::default();
        for round in 0..9 {
            let now = PATIENCE * 2 * round;
            assert_eq!(pressure.look(now, &FULL, true), []);
            // Room again, and all that waited is read.
            assert_eq!(pressure.look(now + PATIENCE - MILLI, &[], true), []);
            pressure.read_to_end();
        }
    }

    #[test]
    fn however_many_very_short_waits_are_no_pause() {
        let mut pressure = Backpressure::default();
        for round in 0..99 {
            let now = SHORT * 2 * round;
            assert_eq!(pressure.look(now, &FULL, true), []);
            assert_eq!(pressure.look(now + SHORT - MILLI, &FULL, true), []);
            assert_eq!(pressure.look(now + SHORT - MILLI, &[], true), []);
        }
    }

    #[test]
    fn a_partition_that_fills_the_queue_again_and_again_does_not_begin_the_time_anew() {
        let mut pressure = Backpressure::default();
        let half = PATIENCE / 2;
        assert_eq!(pressure.look(Time::ZERO, &FULL, true), []);
        assert_eq!(pressure.look(half, &[], true), []);
        // What was read in between was its own. The time in between does not count.
        assert_eq!(pressure.look(half * 4, &FULL, true), []);
        assert_eq!(pressure.due(half * 4), Some(half));
        assert_eq!(pressure.look(half * 5, &FULL, true), FULL);
    }

    #[test]
    fn each_pause_that_does_not_pay_makes_the_next_one_later_and_one_that_pays_soon_again() {
        let mut pressure = Backpressure::default();
        let mut now = Time::ZERO;
        for patience in [1, 2, 4, 4] {
            let took = until_paused(&mut pressure, &mut now);
            assert_eq!(took, Duration::from_secs(patience));
            // Short, or nobody had anything to read.
            if patience == 2 {
                now += PAYS;
            } else {
                pressure.fed();
            }
            pressure.resume(FULL[0], now);
            pressure.read_to_end();
        }
        until_paused(&mut pressure, &mut now);
        pressure.fed();
        now += PAYS;
        pressure.resume(FULL[0], now);
        assert_eq!(until_paused(&mut pressure, &mut now), PATIENCE);
    }

    /// The time in which a slow partition drains to where it is read again, be it paused or not.
    #[test]
    fn no_partition_is_paused_for_long_at_a_time_for_which_that_does_not_pay() {
        for tenths in 1..200 {
            let (mut pressure, mut now) = (Backpressure::default(), Time::ZERO);
            let mut unpaid = 0;
            for _ in 0..20 {
                let (full, end) = (now, now + MILLI * 100 * tenths);
                let mut paused = None;
                while now < end {
                    if paused.is_none() && !pressure.look(now, &FULL, true).is_empty() {
                        paused = Some(now);
                        pressure.fed();
                    }
                    now += MILLI * 100;
                }
                assert!(paused.is_none_or(|at| at - full <= LONGEST_PATIENCE));
                if let Some(at) = paused {
                    pressure.resume(FULL[0], now);
                    unpaid += u32::from(now - at < PAYS);
                }
                pressure.look(now, &[], true);
                pressure.read_to_end();
            }
            assert!(unpaid <= 2, "{unpaid} of 20 at {tenths}");
        }
    }

    #[test]
    fn a_partition_that_comes_back_is_a_new_one() {
        let (mut pressure, mut now) = (Backpressure::default(), Time::ZERO);
        until_paused(&mut pressure, &mut now);
        pressure.forget(FULL[0]);
        assert_eq!(until_paused(&mut pressure, &mut now), PATIENCE);
        pressure.resume(FULL[0], now);
        pressure.forget(FULL[0]);
        assert_eq!(pressure, Backpressure::default());
    }
}
