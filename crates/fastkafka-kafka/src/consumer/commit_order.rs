//! The commits of a partition, one after another.
//!
//! librdkafka's timer sends what is stored, whether or not what it sent before is answered. A commit that is not
//! answered in time it sends again, and then an older one may come behind a newer one: for a moment the group is
//! back at an offset that it had left. So of each partition the client is told one offset at a time. It may send
//! that several times, which does no harm, and is told the next one when the broker has taken it.
//!
//! | a partition is | event | and then |
//! |---|---|---|
//! | idle | an offset is stored | told: the client has it |
//! | told | a later one is stored | told, and the last of these waits |
//! | told | an earlier one is stored, by a seek | told this one |
//! | told | the broker takes it before the timer can have sent it twice | idle, or told what waits |
//! | told | the broker takes it later | told; the same when no more answers have come for a second |
//! | told | the broker refuses it | told the same, or what waits: the client may have forgotten it |
//! | told | the client gives up | told the same again: it may have forgotten it, and the broker may have it yet |
//! | any | a seek is about to be committed | told its offset, which the client commits at a revoke |
//! | told | a seek is committed | idle |
//! | any | it is given away | told what waits, and forgotten: the client commits it |

use crate::offsets::broker::Commit;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// Once one of several equal requests is answered the coordinator is there, and librdkafka sends those again
/// that wait for it within its longest pause (`retry.backoff.max.ms`).
const QUIET: Duration = Duration::from_secs(1);
/// An offset that has no answer for so long holds up no other.
const LONGEST: Duration = Duration::from_secs(300);

/// An offset that the client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    commit: Commit,
    since: Duration,
    is_refused: bool,
    /// The last answer, where there may be more.
    last: Option<Duration>,
    waits: Option<Commit>,
}

impl Told {
    fn offset(&self) -> i64 {
        self.commit.at.offset
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitOrder {
    /// Between two rounds of librdkafka's timer.
    every: Duration,
    told: BTreeMap<PartitionRef, Told>,
    /// What the broker has taken last, also in a former assignment: librdkafka's timer sends what lies beyond it,
    /// and of anything else there is no answer to wait for. After a seek back, or where another member has gone
    /// back, that is too much until the next answer, and offsets do not wait for each other.
    taken: BTreeMap<PartitionRef, i64>,
}

impl CommitOrder {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            told: BTreeMap::new(),
            taken: BTreeMap::new(),
        }
    }

    /// Takes an offset. Returns it if the client is to be told now; what comes of that is
    /// [`CommitOrder::tell`].
    pub(crate) fn store(&mut self, now: Duration, commit: Commit) -> Option<Commit> {
        let is_idle = self.is_idle(now, commit.place);
        match self.told.get_mut(&commit.place) {
            Some(told) if !is_idle && told.offset() <= commit.at.offset => {
                // It has this one already.
                told.waits = (told.offset() < commit.at.offset).then_some(commit);
                None
            }
            _ => Some(commit),
        }
    }

    /// The client was told.
    pub(crate) fn tell(&mut self, now: Duration, commit: &Commit) {
        let told = Told {
            commit: commit.clone(),
            since: now,
            is_refused: false,
            last: None,
            waits: None,
        };
        self.told.insert(commit.place, told);
    }

    /// The client was told this offset, and it is not known to be over.
    pub(crate) fn is_told(&self, place: PartitionRef, offset: i64) -> bool {
        let told = self.told.get(&place);
        told.is_some_and(|told| told.offset() == offset)
    }

    /// The broker has taken an offset.
    pub(crate) fn taken(&mut self, now: Duration, place: PartitionRef, offset: i64) {
        self.taken.insert(place, offset);
        self.answered(now, place, |told| told.offset() <= offset);
    }

    /// The broker has refused an offset, or another one in the same request: librdkafka then says so of all.
    pub(crate) fn refused(&mut self, now: Duration, place: PartitionRef, offset: i64) {
        if let Some(told) = self.answered(now, place, |told| told.offset() == offset) {
            told.is_refused = true;
            // What it commits when partitions are taken from it, or given beside others, it sends only once.
            let again = told.commit.clone();
            told.waits.get_or_insert(again);
        }
    }

    /// The client has given up a request. Returns what it is to be told again: the broker may take it yet, so
    /// nothing else may follow, and what the client commits when partitions are taken from it, or given beside
    /// others, it sends only once.
    pub(crate) fn given_up(&self, place: PartitionRef, offset: i64) -> Option<Commit> {
        let told = self.told.get(&place);
        let told = told.filter(|told| told.offset() == offset);
        told.map(|told| told.commit.clone())
    }

    fn answered(
        &mut self,
        now: Duration,
        place: PartitionRef,
        is_of: impl FnOnce(&Told) -> bool,
    ) -> Option<&mut Told> {
        let told = self.told.get_mut(&place).filter(|told| is_of(told))?;
        if now.saturating_sub(told.since) >= self.every {
            told.last = Some(now);
        }
        Some(told)
    }

    /// What has waited, and the client may be told now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Commit> {
        let places: Vec<_> = self.told.keys().copied().collect();
        let mut due = Vec::new();
        for place in places {
            if !self.is_idle(now, place) {
                continue;
            }
            match self.told.get(&place).and_then(|told| told.waits.clone()) {
                Some(commit) => due.push(commit),
                None => drop(self.told.remove(&place)),
            }
        }
        due
    }

    /// A seek was committed: what the client was told before is over.
    pub(crate) fn sought(&mut self, place: PartitionRef) {
        self.told.remove(&place);
    }

    /// These are given away. Returns what has waited.
    pub(crate) fn give_away(&mut self, places: &[PartitionRef]) -> Vec<Commit> {
        let told = places.iter().filter_map(|place| self.told.remove(place));
        told.filter_map(|told| told.waits).collect()
    }

    /// All are given away.
    pub(crate) fn give_all_away(&mut self) -> Vec<Commit> {
        let told = std::mem::take(&mut self.told).into_values();
        told.filter_map(|told| told.waits).collect()
    }

    /// Nothing that the client has sent is on its way.
    fn is_idle(&self, now: Duration, place: PartitionRef) -> bool {
        let Some(told) = self.told.get(&place) else {
            return true;
        };
        let has_passed = |since: Duration, time| now.saturating_sub(since) >= time;
        let taken = self.taken.get(&place);
        let is_taken = taken.is_some_and(|taken| *taken >= told.offset());
        let is_quiet = told.last.is_none_or(|last| has_passed(last, QUIET));
        (is_taken || told.is_refused) && is_quiet || has_passed(told.since, LONGEST)
    }
}

/// For the search of `proof`, which never answers late.
#[cfg(feature = "proof")]
impl CommitOrder {
    pub(crate) fn write(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
        for (place, told) in &self.told {
            let waits = told.waits.as_ref().map(|commit| commit.at);
            let (offset, refused) = (told.offset(), told.is_refused);
            write!(to, "{} {offset} {refused} {waits:?};", place.partition)?;
        }
        write!(to, "{:?}", self.taken.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    const EVERY: Duration = Duration::from_secs(2);
    const SECOND: Duration = Duration::from_secs(1);

    fn commit(partition: i32, offset: i64) -> Commit {
        Commit {
            place: TopicPartition::intern("orders", partition),
            at: offset.into(),
            metadata: None,
        }
    }

    /// Stores an offset of partition 0, and tells the client if it is to be told. Returns whether it was.
    fn store(order: &mut CommitOrder, now: Duration, offset: i64) -> bool {
        let told = order.store(now, commit(0, offset));
        if let Some(commit) = &told {
            order.tell(now, commit);
        }
        told.is_some()
    }

    fn due(order: &mut CommitOrder, now: Duration) -> Vec<i64> {
        let due = order.due(now);
        due.iter().for_each(|commit| order.tell(now, commit));
        due.iter().map(|commit| commit.at.offset).collect()
    }

    #[test]
    fn the_next_offset_waits_until_the_broker_has_the_last_and_is_the_newest_by_then() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        assert!(store(&mut order, SECOND, 10));
        assert!(!store(&mut order, SECOND, 20));
        assert!(!store(&mut order, SECOND, 30));
        assert!(due(&mut order, SECOND).is_empty());
        order.taken(SECOND, place, 10);
        assert_eq!(due(&mut order, SECOND), [30]);
        assert!(!store(&mut order, SECOND, 40));
        // Another partition waits for nothing.
        assert!(order.store(SECOND, commit(1, 5)).is_some());
        order.taken(SECOND, place, 30);
        assert_eq!(due(&mut order, SECOND), [40]);
        order.taken(SECOND, place, 40);
        assert!(due(&mut order, SECOND).is_empty());
        assert!(store(&mut order, SECOND, 50));
    }

    #[test]
    fn what_was_sent_more_than_once_is_waited_for_until_its_answers_have_ended() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        store(&mut order, Duration::ZERO, 10);
        store(&mut order, Duration::ZERO, 20);
        let late = EVERY * 5;
        order.taken(late, place, 10);
        assert!(due(&mut order, late).is_empty());
        order.taken(late + SECOND / 2, place, 10);
        assert!(due(&mut order, late + SECOND).is_empty());
        assert_eq!(due(&mut order, late + SECOND * 3 / 2), [20]);
    }

    #[test]
    fn what_the_client_has_already_is_not_told_again() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        for (offset, told) in [(10, true), (20, false), (10, false)] {
            assert_eq!(store(&mut order, SECOND, offset), told);
        }
        order.taken(SECOND, place, 10);
        assert!(due(&mut order, SECOND).is_empty());
    }

    #[test]
    fn an_answer_to_an_older_request_is_no_answer() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        store(&mut order, Duration::ZERO, 10);
        store(&mut order, Duration::ZERO, 20);
        order.taken(SECOND, place, 9);
        assert!(due(&mut order, SECOND).is_empty());
    }

    #[test]
    fn a_seek_back_is_told_at_once_and_what_follows_is_when_it_is_committed() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        store(&mut order, Duration::ZERO, 10);
        store(&mut order, Duration::ZERO, 20);
        assert!(store(&mut order, Duration::ZERO, 5));
        assert!(due(&mut order, SECOND).is_empty(), "the 20 is forgotten");
        assert!(!store(&mut order, SECOND, 6));
        order.sought(place);
        assert!(store(&mut order, SECOND, 7));
    }

    /// One partition that is refused must not hold up those of its request, and librdkafka may have forgotten it.
    #[test]
    fn what_the_broker_refuses_is_told_again_or_what_waits_is() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        store(&mut order, Duration::ZERO, 10);
        order.refused(SECOND, place, 9);
        assert!(due(&mut order, SECOND).is_empty(), "of an older request");
        order.refused(SECOND, place, 10);
        assert_eq!(due(&mut order, SECOND), [10]);
        store(&mut order, SECOND, 20);
        assert!(due(&mut order, SECOND).is_empty());
        order.refused(SECOND * 2, place, 10);
        assert_eq!(due(&mut order, SECOND * 2), [20]);
        // One that was sent more than once may have more answers.
        order.refused(SECOND * 5, place, 20);
        assert!(due(&mut order, SECOND * 5).is_empty());
        assert_eq!(due(&mut order, SECOND * 6), [20]);
    }

    /// The broker may have it yet.
    #[test]
    fn what_the_client_gives_up_is_told_again_and_nothing_else_is() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        assert_eq!(order.given_up(place, 10), None, "of a former assignment");
        store(&mut order, SECOND, 10);
        store(&mut order, SECOND, 20);
        assert_eq!(order.given_up(place, 9), None, "of an older request");
        assert_eq!(order.given_up(place, 10), Some(commit(0, 10)));
        assert!(due(&mut order, SECOND).is_empty());
        order.taken(SECOND, place, 10);
        assert_eq!(due(&mut order, SECOND), [20]);
    }

    /// librdkafka may send nothing of it, and so nothing may wait for its answer.
    #[test]
    fn in_a_new_assignment_what_was_taken_before_holds_up_nothing() {
        let mut order = CommitOrder::new(EVERY);
        let place = commit(0, 0).place;
        for over in [
            |order: &mut CommitOrder, place| drop(order.give_away(&[place])),
            |order: &mut CommitOrder, _| drop(order.give_all_away()),
        ] {
            assert!(store(&mut order, SECOND, 2));
            order.taken(SECOND, place, 2);
            over(&mut order, place);
            assert!(store(&mut order, SECOND, 2));
            assert!(store(&mut order, SECOND, 3));
            order.sought(place);
        }
    }

    /// librdkafka sends nothing that lies before what the broker has.
    #[test]
    fn what_lies_before_the_last_commit_holds_up_nothing() {
        let mut order = CommitOrder::new(EVERY);
        order.taken(SECOND, commit(0, 0).place, 100);
        for offset in [5, 6, 7] {
            assert!(store(&mut order, SECOND, offset));
        }
    }

    #[test]
    fn what_waits_is_given_with_the_partition_and_nothing_is_held_up_for_ever() {
        let mut order = CommitOrder::new(EVERY);
        for offset in [10, 20] {
            store(&mut order, SECOND, offset);
        }
        let given = order.give_away(&[commit(0, 0).place]);
        assert_eq!(given, [commit(0, 20)]);
        assert_eq!(order.give_all_away(), []);
        for offset in [10, 20] {
            store(&mut order, SECOND, offset);
        }
        assert!(due(&mut order, LONGEST).is_empty());
        assert_eq!(due(&mut order, SECOND + LONGEST), [20]);
    }
}
