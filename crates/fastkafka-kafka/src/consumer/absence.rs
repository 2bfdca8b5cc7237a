//! Since when the consumer has not been in its group.
//!
//! librdkafka does not tell it: it tries to come back for as long as it takes, and a member without partitions
//! looks the same. Its statistics have what it thinks of the group and when the coordinator last answered, and
//! come every five seconds (decision 43).
//!
//! | the consumer is | what is seen | and it is |
//! |---|---|---|
//! | in its group | its member is at rest, and the coordinator has answered lately | in its group |
//! | in its group | anything else | out, since the coordinator last answered a member at rest |
//! | out | nothing else for ten seconds | told, each time: a shorter one is any rebalance |
//! | out | its member is at rest, and the coordinator has answered lately | in its group: told where that was told |
//! | out | partitions come | in its group: the driver knows by them |
//! | any | no topic matches its pattern | without a group, until it joins one: told as if it were in |

use fastkafka_runtime::platform::Absent;
use std::time::Duration;

/// What lasts so long is told.
const LASTS: Duration = Duration::from_secs(10);
/// A coordinator that has not answered for so long is silent. A broker lets no member of a group that it assigns
/// be silent for more than 15 s, unless its `group.consumer.max.heartbeat.interval.ms` is larger.
const SILENT: Duration = Duration::from_secs(20);

/// What librdkafka's statistics say of the group, in librdkafka's words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Standing {
    /// Whether the coordinator is known and connected, such as `up` and `wait-coord`.
    pub(crate) coordinator: String,
    /// What the member does, such as `steady` and `wait-join`.
    pub(crate) member: String,
    /// The time since the coordinator last answered. `None` without a connection, or an answer by this one.
    pub(crate) answered: Option<Duration>,
}

impl Standing {
    /// In words, and in librdkafka's.
    fn why(&self) -> String {
        let why = match (&*self.coordinator, &*self.member) {
            ("init" | "query-coord" | "wait-coord" | "wait-broker", _) => {
                "its coordinator is not known"
            }
            ("up", "wait-join" | "wait-sync") => {
                "the coordinator has not answered its join: another member has not joined yet, or no answer comes"
            }
            ("up", "wait-metadata") => "its topics are not known",
            ("up", "wait-assign-call") => "it has not begun with its partitions",
            ("up", member) if member.contains("unassign") => {
                "it gives partitions back, and ends what is in hand"
            }
            ("up", _) => "the coordinator does not answer",
            _ => "its coordinator is not connected",
        };
        format!("{why} (`{}`, `{}`)", self.coordinator, self.member)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Absence {
    /// A coordinator that has not answered for so long is silent.
    silent: Duration,
    /// When the coordinator last answered a member at rest; before that, when the client was made.
    there: Duration,
    /// It is told that it is out.
    is_told: bool,
    /// Its pattern matches no topic.
    has_no_topic: bool,
}

impl Absence {
    /// `heartbeat` is the time between two of them: nothing else lets the coordinator answer.
    pub(crate) fn new(heartbeat: Duration) -> Self {
        Self {
            silent: SILENT.max(2 * heartbeat),
            there: Duration::ZERO,
            is_told: false,
            has_no_topic: false,
        }
    }

    /// It is seen like this. `is_given_nothing`: a broker that assigns partitions has taken it for a member. Then
    /// it is at rest before it was given any.
    pub(crate) fn see(
        &mut self,
        now: Duration,
        seen: &Standing,
        is_given_nothing: impl FnOnce() -> bool,
    ) -> Option<Result<(), Absent>> {
        let is_at_rest = match &*seen.member {
            "steady" => true,
            "init" => seen.coordinator == "up" && is_given_nothing(),
            _ => false,
        };
        self.has_no_topic &= matches!(&*seen.member, "init" | "wait-metadata");
        if self.has_no_topic {
            self.there = now;
            return self.is_back();
        }
        if let Some(answered) = seen.answered.filter(|_| is_at_rest) {
            self.there = self.there.max(now.saturating_sub(answered));
        }
        let is_heard = seen.answered.is_some_and(|answered| answered < self.silent);
        if is_at_rest && is_heard && seen.coordinator == "up" {
            return self.is_back();
        }
        let lasts = now.saturating_sub(self.there);
        (lasts >= LASTS).then(|| {
            self.is_told = true;
            Err(Absent {
                lasts,
                why: seen.why(),
            })
        })
    }

    /// It is given partitions, which the driver hears of.
    pub(crate) fn given(&mut self, now: Duration) {
        (self.there, self.is_told, self.has_no_topic) = (now, false, false);
    }

    /// There is no group to be in.
    pub(crate) fn has_no_topic(&mut self) {
        self.has_no_topic = true;
    }

    fn is_back(&mut self) -> Option<Result<(), Absent>> {
        std::mem::take(&mut self.is_told).then_some(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seen(coordinator: &str, member: &str, answered: Option<u32>) -> Standing {
        Standing {
            coordinator: coordinator.to_owned(),
            member: member.to_owned(),
            answered: answered.map(|seconds| SECOND * seconds),
        }
    }

    fn well() -> Standing {
        seen("up", "steady", Some(0))
    }

    /// Seconds since when it is out, as told.
    type Told = Option<Result<(), u64>>;

    fn see(absence: &mut Absence, second: u32, seen: &Standing) -> Told {
        let told = absence.see(SECOND * second, seen, || false);
        told.map(|told| told.map_err(|absent| absent.lasts.as_secs()))
    }

    /// A member that was in its group for a minute.
    fn member() -> Absence {
        let mut absence = Absence::new(SECOND);
        for second in (0..=60).step_by(5) {
            assert_eq!(see(&mut absence, second, &well()), None);
        }
        absence
    }

    #[test]
    fn a_member_that_does_not_come_back_is_told_since_the_last_answer_until_it_is_back() {
        for (coordinator, member_is) in [
            ("wait-coord", "wait-join"),
            ("query-coord", "init"),
            ("wait-broker-transport", "wait-join"),
            ("up", "wait-join"),
            ("up", "wait-sync"),
            ("up", "wait-unassign-call"),
            // The coordinator is gone, and the session lasts.
            ("query-coord", "steady"),
        ] {
            let out = seen(coordinator, member_is, None);
            let mut absence = member();
            let told = [65, 70, 75].map(|second| see(&mut absence, second, &out));
            assert_eq!(told, [None, Some(Err(10)), Some(Err(15))], "{out:?}");
            assert_eq!(see(&mut absence, 80, &well()), Some(Ok(())));
            assert_eq!(see(&mut absence, 85, &well()), None, "once");
        }
    }

    #[test]
    fn a_rebalance_of_some_seconds_is_not_told() {
        let mut absence = member();
        for second in (60..600).step_by(10) {
            let joins = seen("up", "wait-join", Some(2));
            assert_eq!(see(&mut absence, second + 5, &joins), None);
            assert_eq!(see(&mut absence, second + 10, &well()), None);
        }
    }

    /// A frozen broker: connections stay, and the session of a minute has not ended.
    #[test]
    fn a_coordinator_that_answers_no_heartbeat_is_silent() {
        let mut absence = member();
        let answered = |second: u32| seen("up", "steady", Some(second - 60));
        assert_eq!(see(&mut absence, 75, &answered(75)), None);
        assert_eq!(see(&mut absence, 80, &answered(80)), Some(Err(20)));
        assert_eq!(see(&mut absence, 92, &answered(92)), Some(Err(32)));
        assert_eq!(see(&mut absence, 95, &well()), Some(Ok(())));
        // One that is asked every 15 s may be silent for longer.
        let mut absence = Absence::new(15 * SECOND);
        assert_eq!(see(&mut absence, 75, &answered(75)), None);
        assert_eq!(see(&mut absence, 89, &answered(89)), None);
        assert_eq!(see(&mut absence, 90, &answered(90)), Some(Err(30)));
    }

    /// Two outages with a broker that answers for a moment between them are one.
    #[test]
    fn a_broker_that_answers_does_not_make_it_a_member() {
        let mut absence = member();
        let gone = seen("query-coord", "steady", None);
        assert_eq!(see(&mut absence, 65, &gone), None);
        let joins = seen("up", "wait-join", Some(0));
        assert_eq!(see(&mut absence, 80, &joins), Some(Err(20)));
        assert_eq!(see(&mut absence, 85, &gone), Some(Err(25)));
    }

    #[test]
    fn partitions_make_it_a_member() {
        let mut absence = member();
        let joins = seen("up", "wait-join", None);
        assert_eq!(see(&mut absence, 70, &joins), Some(Err(10)));
        absence.given(71 * SECOND);
        let begins = seen("up", "wait-assign-call", None);
        assert_eq!(see(&mut absence, 75, &begins), None);
        assert_eq!(see(&mut absence, 80, &well()), None, "the driver knows");
    }

    /// A broker that assigns gives nothing to a member that it has nothing for, and librdkafka's never leaves
    /// its first state.
    #[test]
    fn a_member_that_is_given_nothing_is_in_its_group() {
        let mut absence = Absence::new(SECOND);
        let nothing = seen("up", "init", Some(4));
        for second in (0..600).step_by(5) {
            assert_eq!(absence.see(SECOND * second, &nothing, || true), None);
        }
        // One that the broker has not taken yet is not, and nobody has another word for it.
        assert_eq!(see(&mut absence, 610, &nothing), Some(Err(19)));
    }

    #[test]
    fn one_whose_pattern_matches_no_topic_has_no_group_to_be_in() {
        let mut absence = Absence::new(SECOND);
        let waits = seen("up", "init", Some(0));
        assert_eq!(see(&mut absence, 10, &waits), Some(Err(10)));
        absence.has_no_topic();
        assert_eq!(see(&mut absence, 15, &waits), Some(Ok(())));
        assert_eq!(see(&mut absence, 600, &waits), None);
        // There is one, and it is let in or not.
        let joins = seen("up", "wait-join", Some(0));
        assert_eq!(see(&mut absence, 605, &joins), None);
        assert_eq!(see(&mut absence, 615, &joins), Some(Err(15)));
    }

    #[test]
    fn the_reason_is_told_in_words_and_in_those_of_librdkafka() {
        for (coordinator, member, why) in [
            (
                "wait-coord",
                "wait-join",
                "its coordinator is not known (`wait-coord`, `wait-join`)",
            ),
            (
                "wait-broker-transport",
                "init",
                "its coordinator is not connected (`wait-broker-transport`, `init`)",
            ),
            (
                "up",
                "steady",
                "the coordinator does not answer (`up`, `steady`)",
            ),
            (
                "up",
                "wait-incr-unassign-to-complete",
                "it gives partitions back, and ends what is in hand (`up`, `wait-incr-unassign-to-complete`)",
            ),
        ] {
            assert_eq!(seen(coordinator, member, None).why(), why);
        }
    }
}
