//! Partitions that are read and of which nothing comes: their leader is away, or does not answer this client's fetch.
//!
//! librdkafka does not tell it: it waits for the leader, and an idle partition looks the same. So the leaders
//! of partitions that stand are asked for the ends of their logs. What lies between a position and an end may be no
//! record, which is for [`ends`](super::ends) to find out: a client of its own reads there. If that one has records
//! and this one has none, it is this one's fetch that is not answered: it may be sent to a replica in its rack. Or the
//! client does not fetch it, for whatever reason: so it is begun with anew where it stands.
//!
//! | a partition is | what happens | and it is |
//! |---|---|---|
//! | read | its position does not move for ten seconds | asked about, every ten seconds |
//! | asked about | the leader answers, or refuses | well: told where it was silent |
//! | asked about | no answer, twice in a row | silent: told each time |
//! | asked about | another client reads records there, twice, and this one none | silent: told each time |
//! | silent | the same again, for the fourth, eighth, .. time | begun with anew |
//! | silent | records come, or it is paused | read: told |
//!
//! While no broker is reached nothing is asked: that has a name of its own.

#[cfg(test)]
mod tests;

use fastkafka_runtime::platform::{PartitionRef, Silent, StartError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Between two looks at the positions.
const LOOK: Duration = Duration::from_secs(5);
/// A position that has not moved for so long is asked about, and so often.
const STANDS: Duration = Duration::from_secs(10);
/// A fetch of many partitions may be on its way for as long as three looks take.
const SLOW: u32 = 4;
/// So many are asked about together.
const MOST: usize = 5_000;

/// The ends of logs by their leaders, with the positions of the question.
pub(crate) type Heard = Vec<(PartitionRef, i64, Result<i64, StartError>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stand {
    next: i64,
    since: Duration,
    /// The end of its log, by its leader.
    end: Option<i64>,
    /// How often another client has read records here.
    unread: u32,
    /// Since when it stands here, or when its leader last answered.
    well: Duration,
    /// Since when it has no answer. Of many partitions each is asked about seldom, so its last answer may be
    /// long ago; it is taken to have been well until shortly before the first question.
    silent: Duration,
    /// When it was last asked about; before that, since when it stands.
    asked: Duration,
    /// Questions in a row without an answer. One alone may be a leader that changes, or a broker in a hurry.
    unanswered: u32,
}

impl Stand {
    fn is_silent(&self) -> bool {
        self.unanswered > 1 || self.is_unread()
    }

    /// One alone may have come in between.
    fn is_unread(&self) -> bool {
        self.unread > 1
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Silence {
    look_at: Duration,
    ask_at: Duration,
    /// What was asked about, while its answer is due, and when it was before.
    asked: Option<Vec<(PartitionRef, Duration)>>,
    stands: BTreeMap<PartitionRef, Stand>,
}

impl Silence {
    pub(crate) fn is_due(&self, now: Duration) -> bool {
        self.look_at <= now
    }

    /// Looks at the positions of all that is read. Returns those to ask about, and those that are well again.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        next: &[(PartitionRef, i64)],
    ) -> (Vec<(PartitionRef, i64)>, Vec<PartitionRef>) {
        self.look_at = now + LOOK;
        let mut before = std::mem::take(&mut self.stands);
        let mut well = Vec::new();
        for &(place, next) in next {
            let former = before.remove(&place);
            let (same, moved) = match former {
                Some(stand) if stand.next == next => (Some(stand), None),
                moved => (None, moved),
            };
            if moved.is_some_and(|stand| stand.is_silent()) {
                well.push(place);
            }
            let stand = same.unwrap_or(Stand {
                next,
                since: now,
                end: None,
                unread: 0,
                well: now,
                silent: now,
                asked: now,
                unanswered: 0,
            });
            self.stands.insert(place, stand);
        }
        // Given away, or paused.
        let gone = before.into_iter().filter(|(_, stand)| stand.is_silent());
        well.extend(gone.map(|(place, _)| place));
        if self.asked.is_some() || self.ask_at > now {
            return (Vec::new(), well);
        }
        (self.ask(now), well)
    }

    /// Those that have waited longest.
    fn ask(&mut self, now: Duration) -> Vec<(PartitionRef, i64)> {
        let due = |stand: &&mut Stand| now.saturating_sub(stand.asked) >= STANDS;
        let stands = self.stands.iter_mut();
        let mut due: Vec<_> = stands.filter(|(_, stand)| due(stand)).collect();
        due.sort_by_key(|(_, stand)| stand.asked);
        due.truncate(MOST);
        let before = due.iter().map(|(place, stand)| (**place, stand.asked));
        let before: Vec<_> = before.collect();
        self.asked = (!before.is_empty()).then_some(before);
        let asked = due.into_iter().map(|(place, stand)| {
            stand.asked = now;
            (*place, stand.next)
        });
        asked.collect()
    }

    /// The end of a log, as its leader has told it since the partition stands at this position.
    pub(crate) fn end(&self, place: PartitionRef, next: i64) -> Option<i64> {
        let stand = self.stands.get(&place).filter(|stand| stand.next == next);
        stand.and_then(|stand| stand.end)
    }

    /// Another client has read a record at this position, where this one has none to hand out.
    pub(crate) fn unread(
        &mut self,
        now: Duration,
        place: PartitionRef,
        next: i64,
    ) -> Option<(PartitionRef, Result<(), Silent>)> {
        let stand = self.stands.get_mut(&place);
        let stand = stand.filter(|stand| stand.next == next)?;
        stand.unread += 1;
        stand.is_unread().then(|| {
            let lasts = now.saturating_sub(stand.since);
            let why = format!(
                "its leader has records from {next} on, and the client's fetch of them is not answered; with \
                 `client.rack` it goes to a replica in the same rack"
            );
            (place, Err(Silent { lasts, why }))
        })
    }

    /// Where another client has just read a record again. Each time after twice as many looks: what is on its way is
    /// dropped, and may only be slow.
    pub(crate) fn is_to_begin_anew(&self, place: PartitionRef) -> bool {
        let stand = self.stands.get(&place);
        stand.is_some_and(|stand| stand.unread >= SLOW && stand.unread.is_power_of_two())
    }

    /// The answers about those that were asked about, as far as there was time; the others have their turn first the
    /// next time. What a leader refuses has a problem of another name, and
    /// so has everything while no broker is reached.
    pub(crate) fn heard(
        &mut self,
        now: Duration,
        is_reached: bool,
        answers: Heard,
    ) -> Vec<(PartitionRef, Result<(), Silent>)> {
        let asked = self.asked.take().unwrap_or_default();
        let answered: BTreeSet<_> = answers.iter().map(|(place, ..)| *place).collect();
        for (place, before) in asked.iter().filter(|(place, _)| !answered.contains(place)) {
            if let Some(stand) = self.stands.get_mut(place) {
                stand.asked = *before;
            }
        }
        self.ask_at = now + STANDS - LOOK;
        let mut news = Vec::new();
        for (place, asked, answer) in answers {
            let stand = self.stands.get_mut(&place);
            let Some(stand) = stand.filter(|stand| stand.next == asked) else {
                continue;
            };
            match answer {
                Err(StartError::Retry(why)) if is_reached => {
                    if stand.unanswered == 0 {
                        stand.silent = stand.well.max(stand.asked.saturating_sub(STANDS));
                    }
                    stand.unanswered += 1;
                    if stand.is_silent() {
                        let lasts = now.saturating_sub(stand.silent);
                        news.push((place, Err(Silent { lasts, why })));
                    }
                }
                Err(StartError::Retry(_)) => {}
                Ok(_) | Err(_) => {
                    let was_silent = stand.is_silent();
                    stand.end = answer.ok();
                    (stand.well, stand.unanswered) = (now, 0);
                    if was_silent && !stand.is_silent() {
                        news.push((place, Ok(())));
                    }
                }
            }
        }
        news
    }
}
