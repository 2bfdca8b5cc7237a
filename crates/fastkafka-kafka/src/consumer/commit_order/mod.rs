//! The commits of a partition, one after another.
//!
//! librdkafka's timer sends what is stored, whether or not what it sent before is answered. A commit that is not
//! answered in time it sends again, and then an older one may come behind a newer one: for a moment the group is
//! back at an offset that it had left. So of each partition the client is told one offset at a time. It may send
//! that several times, which does no harm, and is told the next one when the broker has taken it.
//!
//! It is told in the middle between two rounds of the timer, which an answer soon after a round shows. Told just after
//! a round, an offset that is answered a moment after the next one may have been sent by the one after that as well.
//!
//! | a partition is | event | and then |
//! |---|---|---|
//! | idle | an offset is stored | told: the client has it |
//! | told | a later one is stored | told, and the last of these waits |
//! | told | an earlier one is stored, by a seek | told this one |
//! | told | the broker takes it before the timer can have sent it twice | half a round later idle, or told what waits |
//! | told | the broker takes it later | the same when no more answers have come for a second |
//! | told | the broker refuses it | told the same, or what waits: the client may have forgotten it |
//! | told | the client gives up | told the same again: it may have forgotten it, and the broker may have it yet |
//! | told | nothing is heard of it for five minutes | told what waits, or the same again |
//! | any | a seek is about to be committed | told its offset, which the client commits at a revoke |
//! | told | a seek is committed | idle |
//! | any | it is given away | told what waits, and forgotten: the client commits it |

pub(crate) mod rounds;
#[cfg(test)]
mod tests;

use self::rounds::Rounds;
use crate::offsets::broker::Commit;
use fastkafka_runtime::platform::PartitionRef;
use std::collections::BTreeMap;
use std::time::Duration;

/// An offset that has no answer for so long holds up no other.
const LONGEST: Duration = Duration::from_secs(300);

/// An offset that the client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    commit: Commit,
    since: Duration,
    /// Once it is taken or refused: until when other answers may come, and then the middle between two rounds.
    until: Option<Duration>,
    waits: Option<Commit>,
}

impl Told {
    fn offset(&self) -> i64 {
        self.commit.at.offset
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitOrder {
    rounds: Rounds,
    told: BTreeMap<PartitionRef, Told>,
    /// Nothing is due before.
    due_at: Duration,
    /// What the broker has taken last, also in a former assignment: librdkafka's timer sends what lies beyond it,
    /// and of anything else there is no answer to wait for. After a seek back, or where another member has gone
    /// back, that is too much until the next answer, and offsets do not wait for each other.
    taken: BTreeMap<PartitionRef, i64>,
}

impl CommitOrder {
    pub(crate) fn new(rounds: Rounds) -> Self {
        Self {
            rounds,
            told: BTreeMap::new(),
            due_at: Duration::MAX,
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
            until: None,
            waits: None,
        };
        self.due_at = self.due_at.min(now + LONGEST);
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
        let is_late = now.saturating_sub(told.since) >= self.rounds.every;
        let until = now + self.rounds.pause(is_late);
        told.until = told.until.max(Some(until));
        self.due_at = self.due_at.min(until);
        Some(told)
    }

    /// The time at which [`CommitOrder::due`] is to be asked.
    pub(crate) fn due_at(&self) -> Duration {
        self.due_at
    }

    /// What has waited, and the client may be told now.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Commit> {
        if now < self.due_at {
            return Vec::new();
        }
        let places: Vec<_> = self.told.keys().copied().collect();
        let mut due = Vec::new();
        for place in places {
            if !self.is_idle(now, place) {
                continue;
            }
            let Some(told) = self.told.get(&place) else {
                continue;
            };
            // Without an answer the client may have forgotten it.
            let again = || (!self.is_taken(told)).then(|| told.commit.clone());
            match told.waits.clone().or_else(again) {
                Some(commit) => due.push(commit),
                None => drop(self.told.remove(&place)),
            }
        }
        let all = self.told.values();
        let all = all.map(|told| told.until.unwrap_or(told.since + LONGEST));
        // What the client does not take now has its turn again.
        let later = all.map(|at| if at > now { at } else { now + rounds::QUIET });
        self.due_at = later.min().unwrap_or(Duration::MAX);
        due
    }

    /// A seek was committed, of which the client was told the offset: what it was told before is over.
    pub(crate) fn sought(&mut self, place: PartitionRef) {
        if let Some(told) = self.told.remove(&place) {
            self.taken.insert(place, told.offset());
        }
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
        let is_over = match told.until {
            Some(until) => until <= now,
            None => self.is_taken(told),
        };
        is_over || now.saturating_sub(told.since) >= LONGEST
    }

    /// It was answered, or the broker had it before.
    fn is_taken(&self, told: &Told) -> bool {
        let taken = self.taken.get(&told.commit.place);
        told.until.is_some() || taken.is_some_and(|taken| *taken >= told.offset())
    }
}

/// For the search of `proof`, which never answers late.
#[cfg(feature = "proof")]
impl CommitOrder {
    pub(crate) fn write(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
        for (place, told) in &self.told {
            let waits = told.waits.as_ref().map(|commit| commit.at);
            let (offset, is_answered) = (told.offset(), told.until.is_some());
            write!(to, "{} {offset} {is_answered} {waits:?};", place.partition)?;
        }
        write!(to, "{:?}", self.taken.values())
    }
}
