//! What comes of partitions: records, which go to the driver if they are of its position, and errors in their
//! place.

use super::KafkaConsumer;
use super::raw::{Event, FetchError, Piece, RawClient};
use super::wrong::Wrong;
use fastkafka_core::Fetched;
use fastkafka_runtime::platform::PartitionRef;
use std::sync::Arc;

impl<C: RawClient> KafkaConsumer<C> {
    /// Takes what the client has fetched. True when there may be more.
    pub(super) fn take_fetched(
        &mut self,
        max: usize,
        runs: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>,
    ) -> bool {
        if self.rebalance.is_in_doubt() {
            // What comes now may be another member's already. The next poll knows.
            self.client.wake();
            return false;
        }
        let (mut lost, mut errors, mut wakes) = (Vec::new(), Vec::new(), false);
        let mut fits = true;
        let now = self.client.now();
        let taken = self.client.fetch(max, |piece| {
            let Piece {
                topic,
                partition,
                leader_epoch,
                content,
            } = piece;
            // Records of a partition that was given away are freed unseen, and so are those of one whose
            // seek is on its way: they were read at the old position.
            let part = self.assigned.part(topic, partition);
            if part
                .as_ref()
                .is_some_and(|part| self.seeks.is_under_way(part.place))
            {
                return;
            }
            match (content, part) {
                // Not of its position.
                (
                    Ok(_) | Err(FetchError::OutOfRange { .. } | FetchError::Truncated { .. }),
                    Some(part),
                ) if part.is_made_anew || self.errors.is_broken(part.place) => {}
                // They come once more when the position is checked, which is possible now.
                (Ok(_), Some(part)) if self.unchecked.begins(part.place, now) => wakes = true,
                (Ok(records), Some(part)) => {
                    self.errors.read(part.place);
                    let next = records.offset(records.len() - 1) + 1;
                    fits &= part.read(next, leader_epoch);
                    runs.push((part.place, records));
                }
                // It is about a position that was left. As it may have stopped reading at this one, the
                // partition is moved here once more; one about this position comes again then.
                (Err(error), Some(part)) if part.has_left(&error) => {
                    wakes = true;
                    self.seeks.add(part.place, part.next);
                }
                (Err(FetchError::OutOfRange { .. }), Some(part)) => {
                    wakes = true;
                    lost.push(part.fetch_position());
                }
                (Err(FetchError::Other(error)), Some(part)) => {
                    self.errors.add(part.place, now);
                    errors.push(error.at(part.place));
                }
                (Err(FetchError::Other(error)), None) => errors.push(error),
                (Err(FetchError::Truncated { end, .. }), Some(part)) => {
                    wakes = true;
                    let wrong = Wrong::Truncated { end };
                    self.wrong.add(part.place, part.next, wrong);
                }
                (Err(FetchError::Unreadable { why }), Some(part)) => {
                    wakes = true;
                    self.errors.add(part.place, now);
                    let wrong = Wrong::Unreadable { why };
                    self.wrong.add(part.place, part.next, wrong);
                }
                (_, None) => {}
            }
        });
        if !fits || !lost.is_empty() {
            // It may be another topic.
            self.looks.hurry();
        }
        for at in lost {
            // The next poll asks for the range of the log.
            self.lost.add(at, now);
        }
        for error in errors {
            self.client.post(Event::Error(error));
        }
        if wakes {
            self.client.wake();
        }
        if taken < max {
            self.ends.drained();
        }
        taken == max
    }
}
