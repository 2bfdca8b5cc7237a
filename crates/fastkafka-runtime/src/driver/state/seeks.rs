//! Seeks under way, at most one of a partition.
//!
//! A seek is found, then committed, then the client is moved; `driver/control.rs` says why.

use crate::transport::PartitionRef;

/// `R` is where the answer goes.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Seeks<R>(Vec<Seeking<R>>);

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Seeking<R> {
    place: PartitionRef,
    /// The position, once it is found: it is being committed.
    to: Option<i64>,
    /// The partition was given back meanwhile. Its next assignment begins where the group says, and
    /// not where this seek goes.
    given_back: bool,
    /// Nobody has asked for it: the partition goes on by itself.
    own: bool,
    reply: R,
}

/// A seek whose position is committed, or could not be.
#[derive(Debug)]
pub(crate) struct Sought<R> {
    pub(crate) position: i64,
    pub(crate) given_back: bool,
    pub(crate) reply: R,
}

impl<R> Default for Seeks<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> Seeks<R> {
    pub(crate) fn begin(&mut self, place: PartitionRef, reply: R) {
        self.add(place, reply, false);
    }

    /// A seek that nobody has asked for.
    pub(crate) fn begin_own(&mut self, place: PartitionRef, reply: R) {
        self.add(place, reply, true);
    }

    fn add(&mut self, place: PartitionRef, reply: R, own: bool) {
        self.0.push(Seeking {
            place,
            to: None,
            given_back: false,
            own,
            reply,
        });
    }

    pub(crate) fn is_under_way(&self, place: PartitionRef) -> bool {
        self.0.iter().any(|seek| seek.place == place)
    }

    /// True while records may come that were read before the seek.
    pub(crate) fn is_moving(&self, place: PartitionRef) -> bool {
        self.0
            .iter()
            .any(|seek| seek.place == place && seek.to.is_some() && !seek.given_back)
    }

    pub(crate) fn is_given_back(&self, place: PartitionRef) -> bool {
        self.0
            .iter()
            .any(|seek| seek.place == place && seek.given_back)
    }

    /// The position is found and is going to be committed.
    pub(crate) fn commit(&mut self, place: PartitionRef, position: i64) {
        let seek = self.0.iter_mut().find(|seek| seek.place == place);
        seek.expect("only a seek asks for a position").to = Some(position);
    }

    /// Ends a seek whose position was not found.
    pub(crate) fn fail(&mut self, place: PartitionRef) -> R {
        self.take(place).reply
    }

    /// Ends a seek whose commit is answered.
    pub(crate) fn end(&mut self, place: PartitionRef) -> Sought<R> {
        let seek = self.take(place);
        Sought {
            position: seek.to.expect("a seek is found before it is committed"),
            given_back: seek.given_back,
            reply: seek.reply,
        }
    }

    fn take(&mut self, place: PartitionRef) -> Seeking<R> {
        let at = self.0.iter().position(|seek| seek.place == place);
        self.0
            .remove(at.expect("only a seek asks for a position and commits by itself"))
    }

    pub(crate) fn give_back(&mut self, places: &[PartitionRef]) {
        for seek in &mut self.0 {
            seek.given_back |= places.contains(&seek.place);
        }
    }

    /// The partition does not go on by itself: that seek goes nowhere, and a user's goes on.
    pub(crate) fn cancel_own(&mut self, place: PartitionRef) {
        let mut own = self.0.iter_mut().filter(|seek| seek.own);
        if let Some(seek) = own.find(|seek| seek.place == place) {
            seek.given_back = true;
        }
    }

    /// For the search of `proof`: all but where the answers go.
    #[cfg(feature = "proof")]
    pub(crate) fn write(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
        for seek in &self.0 {
            let (number, to_offset, back) = (seek.place.partition, seek.to, seek.given_back);
            write!(to, "{number} {to_offset:?} {back} {};", seek.own)?;
        }
        Ok(())
    }

    /// Drops all seeks, so that their callers return.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn records_of_before_are_dropped_from_the_commit_to_the_move() {
        let place = TopicPartition::intern("in", 0);
        let mut seeks = Seeks::default();
        seeks.begin(place, "reply");
        assert!(seeks.is_under_way(place) && !seeks.is_moving(place));
        seeks.commit(place, 7);
        assert!(seeks.is_moving(place));
        let sought = seeks.end(place);
        assert_eq!((sought.position, sought.given_back), (7, false));
        assert!(!seeks.is_under_way(place));
    }

    #[test]
    fn a_partition_that_is_given_back_does_not_follow_its_seek() {
        let place = TopicPartition::intern("in", 0);
        let mut seeks = Seeks::default();
        seeks.begin(place, "reply");
        seeks.commit(place, 7);
        seeks.give_back(&[place]);
        assert!(seeks.is_given_back(place));
        assert!(
            !seeks.is_moving(place),
            "its next owner may be this consumer"
        );
        assert!(seeks.end(place).given_back);
    }

    #[test]
    fn a_users_seek_goes_on_where_the_partition_no_longer_goes_on_by_itself() {
        let [own, users] = [0, 1].map(|partition| TopicPartition::intern("in", partition));
        let mut seeks = Seeks::default();
        seeks.begin_own(own, "nobody");
        seeks.begin(users, "user");
        for place in [own, users] {
            seeks.cancel_own(place);
        }
        assert!(seeks.is_given_back(own) && !seeks.is_given_back(users));
    }
}
