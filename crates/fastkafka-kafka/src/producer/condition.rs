//! What is wrong with a producer's client, as a machine: facts and times in, troubles out.
//!
//! | trouble | begins | is told | is over |
//! |---|---|---|---|
//! | no broker is reached | the client says so | after `BOUND` | a record is acknowledged, or a broker answers |
//! | the login is refused | the client says so | at once | a record is acknowledged, or a broker answers |
//! | the client has ended | librdkafka gives it up | at once | a record is acknowledged by the next one, or a broker answers once that has lived for `STEADY` |
//! | records are not acknowledged | one is on its way, and none is acknowledged | after `BOUND` | one is acknowledged, or none is on its way |
//! | records of a partition are not acknowledged | the time of one has run out | `BOUND` after it was sent | one of the partition is acknowledged, or none has run out of time for `QUIET` |
//!
//! Where one follows from another, the cause alone is told: no broker is reached by who cannot log in, and
//! nothing is acknowledged by one that is not reached.

use fastkafka_runtime::platform::{ProblemCode, ProducerHealth};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the client may be without a broker, or a record without its acknowledgement.
pub(crate) const BOUND: Duration = Duration::from_secs(30);
/// A client in the place of one that has ended may end of the same soon: it answers first.
const STEADY: Duration = Duration::from_secs(10);
/// Nobody may write to a partition any more whose last record was lost.
const QUIET: Duration = Duration::from_secs(120);
/// Between two questions to a broker.
const AGAIN: Duration = Duration::from_secs(1);
/// A client that no broker has answered for so long begins again with the configured addresses.
const ALONE: Duration = Duration::from_secs(10);
/// The longest time until it does that once more. librdkafka keeps a note of each.
const LONGEST: Duration = Duration::from_secs(600);

/// The kind of a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No broker is reached.
    Away,
    /// The login is refused.
    Login,
    /// The client has ended.
    Ended,
    /// Records are not acknowledged.
    Unacknowledged,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    /// The topic and partition that it is about; all, where it is `None`.
    pub(crate) place: Option<(String, i32)>,
    /// For how long.
    pub(crate) since: Duration,
    /// How often it was told.
    pub(crate) times: u32,
    /// The last error.
    pub(crate) error: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Lasting {
    since: Duration,
    last: Duration,
    times: u32,
    error: String,
}

/// What is wrong with one client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Condition {
    away: Option<Lasting>,
    login: Option<Lasting>,
    ended: Option<Lasting>,
    /// Since when records are on their way and none was acknowledged.
    waiting: Option<Duration>,
    /// By topic and partition, records that were not acknowledged in time.
    late: BTreeMap<(String, i32), Lasting>,
    /// When the client was made.
    made: Duration,
    asked: Option<Duration>,
    /// When it begins again with the configured addresses, and how long it has waited for that.
    begins_again: Option<(Duration, Duration)>,
    /// The last error that belongs to no record.
    last: String,
}

impl Condition {
    /// An error of the client that belongs to no record; it may be of none of these kinds.
    pub fn error(&mut self, now: Duration, kind: Option<Kind>, error: &str) {
        self.last = error.to_owned();
        match kind {
            Some(Kind::Away) => add(&mut self.away, now, error),
            Some(Kind::Login) => add(&mut self.login, now, error),
            _ => {}
        }
    }

    /// The client has ended, or its next could not be made.
    pub(crate) fn ended(&mut self, now: Duration, error: &str) {
        add(&mut self.ended, now, error);
    }

    /// Nothing was acknowledged, and no broker has answered, since the login was refused.
    pub(crate) fn is_login_refused(&self) -> bool {
        self.login.is_some()
    }

    /// Another has taken its place.
    pub(crate) fn made(&mut self, now: Duration) {
        self.made = now;
        self.begins_again = None;
        // Nothing of it is on its way.
        self.waiting = None;
    }

    /// Records were acknowledged.
    pub fn delivered(&mut self, now: Duration) {
        (self.away, self.login, self.ended) = (None, None, None);
        self.begins_again = None;
        self.waiting = self.waiting.map(|_| now);
    }

    /// A broker has answered.
    pub fn answered(&mut self, now: Duration) {
        (self.away, self.login) = (None, None);
        self.begins_again = None;
        if now.saturating_sub(self.made) >= STEADY {
            self.ended = None;
        }
    }

    /// A broker was asked, and none has answered. True when the client is to begin again with the configured
    /// addresses: it may know none any more.
    pub(crate) fn unanswered(&mut self, now: Duration) -> bool {
        let (at, waited) = *self.begins_again.get_or_insert((now + ALONE, ALONE));
        if now < at {
            return false;
        }
        let wait = (2 * waited).min(LONGEST);
        self.begins_again = Some((now + wait, wait));
        true
    }

    /// A record was not acknowledged in its time.
    pub fn late(&mut self, now: Duration, in_time: Duration, place: (String, i32), error: &str) {
        let sent = now.saturating_sub(in_time);
        let mut late = self.late.remove(&place);
        add(&mut late, sent, error);
        self.late
            .extend(late.map(|late| (place, Lasting { last: now, ..late })));
    }

    /// A record of the partition was acknowledged. False when no partition has one that was late.
    pub fn in_time(&mut self, place: (&str, i32)) -> bool {
        self.late
            .retain(|(topic, partition), _| (&**topic, *partition) != place);
        !self.late.is_empty()
    }

    /// Records are on their way, or none is. False when no partition has one that was late.
    pub fn on_their_way(&mut self, now: Duration, some: bool) -> bool {
        self.waiting = some.then(|| self.waiting.unwrap_or(now));
        self.late
            .retain(|_, late| now.saturating_sub(late.last) < QUIET);
        !self.late.is_empty()
    }

    /// True when a broker is to be asked now whether it answers.
    pub(crate) fn is_due(&mut self, now: Duration) -> bool {
        // Nothing says that a client has lost its brokers but that nothing is acknowledged.
        let waits = self.waiting.is_some_and(|since| now >= since + BOUND);
        let doubt = waits || self.away.is_some() || self.login.is_some() || self.ended.is_some();
        let due = doubt && self.asked.is_none_or(|asked| now >= asked + AGAIN);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Says what is wrong, and since when.
    pub fn tell(&self, now: Duration, health: &mut ProducerHealth) {
        for trouble in self.troubles(now) {
            let code = match trouble.kind {
                Kind::Away => ProblemCode::NoBroker,
                Kind::Login => ProblemCode::LoginRefused,
                Kind::Ended => ProblemCode::ProducerEnded,
                Kind::Unacknowledged => ProblemCode::OutputsWait,
            };
            let place = trouble.place.as_ref();
            let place = place.map(|(topic, partition)| (&**topic, *partition));
            health.add(code, place, trouble.since, trouble.times, &trouble.error);
        }
    }

    pub(crate) fn troubles(&self, now: Duration) -> Vec<Trouble> {
        let trouble = |kind, lasting: &Lasting| Trouble {
            kind,
            place: None,
            since: now.saturating_sub(lasting.since),
            times: lasting.times,
            error: lasting.error.clone(),
        };
        let is_long = |trouble: &Trouble| trouble.since >= BOUND;
        let login = self.login.as_ref().map(|it| trouble(Kind::Login, it));
        let away = self.away.as_ref().map(|it| trouble(Kind::Away, it));
        let away = away.filter(|away| login.is_none() && is_long(away));
        let ended = self.ended.as_ref().map(|it| trouble(Kind::Ended, it));
        let waiting = self.waiting.map(|since| Trouble {
            kind: Kind::Unacknowledged,
            place: None,
            since: now.saturating_sub(since),
            times: 1,
            error: self.last.clone(),
        });
        let has_cause = login.is_some() || away.is_some() || ended.is_some();
        let waiting = waiting.filter(|waiting| !has_cause && is_long(waiting));
        let late = self.late.iter().map(|(place, late)| Trouble {
            place: Some(place.clone()),
            ..trouble(Kind::Unacknowledged, late)
        });
        let has_cause = has_cause || waiting.is_some();
        let late = late.filter(|late| !has_cause && is_long(late));
        let all = [login, away, ended, waiting].into_iter().flatten();
        all.chain(late).collect()
    }
}

fn add(to: &mut Option<Lasting>, now: Duration, error: &str) {
    let lasting = to.get_or_insert_with(|| Lasting {
        since: now,
        last: now,
        times: 0,
        error: String::new(),
    });
    lasting.times += 1;
    lasting.last = now;
    error.clone_into(&mut lasting.error);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn kinds(condition: &Condition, seconds: u64) -> Vec<Kind> {
        let troubles = condition.troubles(at(seconds));
        troubles.into_iter().map(|trouble| trouble.kind).collect()
    }

    #[test]
    fn a_cluster_that_is_away_is_told_after_the_bound_until_a_broker_answers() {
        let mut condition = Condition::default();
        condition.error(at(10), Some(Kind::Away), "refused");
        condition.error(at(20), Some(Kind::Away), "all are down");
        assert_eq!(kinds(&condition, 39), []);
        let troubles = condition.troubles(at(40));
        assert_eq!(
            troubles,
            [Trouble {
                kind: Kind::Away,
                place: None,
                since: at(30),
                times: 2,
                error: "all are down".into()
            }]
        );
        condition.answered(at(41));
        assert_eq!(kinds(&condition, 100), []);
    }

    #[test]
    fn a_refused_login_is_told_at_once_and_is_the_cause_of_the_rest() {
        let mut condition = Condition::default();
        condition.on_their_way(at(0), true);
        condition.error(at(0), Some(Kind::Login), "wrong password");
        condition.error(at(0), Some(Kind::Away), "all are down");
        assert_eq!(kinds(&condition, 0), [Kind::Login]);
        assert_eq!(kinds(&condition, 60), [Kind::Login]);
        condition.delivered(at(61));
        assert_eq!(kinds(&condition, 61), []);
    }

    #[test]
    fn records_without_an_acknowledgement_are_told_after_the_bound() {
        let mut condition = Condition::default();
        condition.error(at(0), None, "a broker went");
        condition.on_their_way(at(5), true);
        condition.on_their_way(at(20), true);
        assert_eq!(kinds(&condition, 34), []);
        assert_eq!(condition.troubles(at(35))[0].error, "a broker went");
        // One comes, and the others wait from then on.
        condition.delivered(at(36));
        assert_eq!(kinds(&condition, 65), []);
        assert_eq!(kinds(&condition, 66), [Kind::Unacknowledged]);
        // Each has its report, also one that says that it is lost: who sent it was told.
        condition.on_their_way(at(67), false);
        assert_eq!(kinds(&condition, 67), []);
    }

    #[test]
    fn a_partition_whose_records_are_late_is_told_by_name_while_others_take_theirs() {
        let place = || ("orders".to_owned(), 3);
        let mut condition = Condition::default();
        condition.on_their_way(at(0), true);
        condition.late(at(60), at(60), place(), "timed out");
        condition.delivered(at(61));
        assert!(condition.on_their_way(at(61), true));
        let troubles = condition.troubles(at(61));
        assert_eq!(troubles.len(), 1);
        assert_eq!(
            (&troubles[0].place, troubles[0].since),
            (&Some(place()), at(61))
        );
        // Another partition is no evidence.
        assert!(condition.in_time(("orders", 2)));
        assert!(!condition.in_time(("orders", 3)));
        assert_eq!(kinds(&condition, 62), []);
        // That nothing is on its way is none either: each record may be lost before the next is sent.
        for some in [true, false] {
            condition.late(at(60), at(60), place(), "timed out");
            condition.delivered(at(179));
            assert!(condition.on_their_way(at(179), some));
            assert_eq!(kinds(&condition, 179), [Kind::Unacknowledged]);
            // Nobody writes to it any more: it is forgotten.
            condition.delivered(at(180));
            assert!(!condition.on_their_way(at(180), some));
            assert_eq!(kinds(&condition, 180), []);
        }
    }

    #[test]
    fn a_client_that_ends_again_and_again_is_one_trouble_with_a_count() {
        let mut condition = Condition::default();
        for seconds in 0..3 {
            condition.ended(at(seconds), "not allowed");
            condition.made(at(seconds));
            // It connects before it ends again: that is no evidence.
            condition.answered(at(seconds));
        }
        let troubles = condition.troubles(at(3));
        assert_eq!((troubles[0].kind, troubles[0].times), (Kind::Ended, 3));
        condition.answered(at(11));
        assert_eq!(kinds(&condition, 11), [Kind::Ended]);
        condition.answered(at(12));
        assert_eq!(kinds(&condition, 12), []);
    }

    #[test]
    fn a_client_that_no_broker_answers_begins_again_after_ever_longer_times() {
        let mut condition = Condition::default();
        let begins = |condition: &mut Condition, seconds: std::ops::Range<u64>| {
            let begins = seconds.filter(|second| condition.unanswered(at(*second)));
            begins.collect::<Vec<_>>()
        };
        assert_eq!(begins(&mut condition, 5..100), [15, 35, 75]);
        let later = begins(&mut condition, 100..5_000);
        let waits: Vec<_> = later.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(waits[..3], [160, 320, 600], "{later:?}");
        assert!(waits[2..].iter().all(|wait| *wait == 600), "{later:?}");
        // Once one has answered it is as at the start.
        condition.answered(at(5_000));
        assert_eq!(begins(&mut condition, 5_001..5_020), [5_011]);
    }

    /// It may have lost its brokers without an error.
    #[test]
    fn a_broker_is_asked_where_nothing_was_acknowledged_for_long() {
        let mut condition = Condition::default();
        condition.on_their_way(at(5), true);
        assert!(!condition.is_due(at(34)));
        assert!(condition.is_due(at(35)));
        condition.delivered(at(36));
        assert!(!condition.is_due(at(37)));
    }

    #[test]
    fn a_broker_is_asked_each_second_while_there_is_doubt() {
        let mut condition = Condition::default();
        assert!(!condition.is_due(at(0)));
        condition.error(at(1), Some(Kind::Away), "refused");
        assert!(condition.is_due(at(1)));
        assert!(!condition.is_due(at(1)));
        assert!(condition.is_due(at(2)));
        condition.answered(at(2));
        assert!(!condition.is_due(at(9)));
    }
}
