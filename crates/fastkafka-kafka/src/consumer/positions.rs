//! Where a consumer reads, and how it is moved: at an assign, by a seek, out of a position that its log
//! does not have.

use super::{KafkaConsumer, list};
use crate::consumer::blocking::Request;
use crate::error::{call_error, client_error};
use crate::ffi::FetchError;
use fastkafka_runtime::platform::{Notice, PartitionRef};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::types::RDKafkaErrorCode;
use std::time::{Duration, Instant};

/// Between two questions to a broker that did not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// A position that is out of range and not settled yet.
pub(super) struct Lost {
    pub(super) place: PartitionRef,
    position: i64,
    ask_at: Instant,
}

impl KafkaConsumer {
    fn forward(&self, starts: &[(PartitionRef, i64)]) {
        let Some(queue) = &self.queue else { return };
        for (place, _) in starts {
            queue.take_partition(&place.on_cluster, place.partition);
        }
    }

    /// Begins to read, nothing being paused.
    pub(super) fn begin(&self, starts: &[(PartitionRef, i64)]) -> KafkaResult<()> {
        // Before: the first records must not go to the consumer's own queue. After: a fetcher that
        // stops late, because the partition was just given up, takes the forwarding with it.
        self.forward(starts);
        let starts_list = list(starts);
        if self.cooperative() {
            self.consumer().incremental_assign(&starts_list)?;
        } else if self.standalone.is_some() {
            // librdkafka keeps none that is not in the list; the others go on where they are.
            self.consumer().assign(&list(&self.assigned.positions()))?;
            self.forward(&self.assigned.positions());
        } else {
            self.consumer().assign(&starts_list)?;
        }
        self.forward(starts);
        // librdkafka keeps an application's pauses over a rebalance.
        self.consumer().resume(&starts_list)
    }

    /// Moves a partition by giving it up and taking it again: librdkafka's own `seek` is refused,
    /// silently, for a partition that stands still after an error.
    pub(super) fn restart(&mut self, place: PartitionRef, offset: i64) -> KafkaResult<()> {
        // What was lost was lost at the old position.
        self.lost.retain(|lost| lost.place != place);
        if let Some(part) = self.assigned.part(&place.on_cluster, place.partition) {
            part.next = offset;
        }
        let start = [(place, offset)];
        if self.cooperative() {
            self.consumer().incremental_unassign(&list(&start))?;
            self.begin(&start)?;
        } else {
            // Eager groups know no single partitions.
            self.consumer().unassign()?;
            self.begin(&self.assigned.positions())?;
        }
        self.consumer().pause(&list(&self.assigned.paused()))
    }

    pub(super) fn restart_waiting(&mut self) {
        for (place, offset) in std::mem::take(&mut self.seeks) {
            if self.assigned.contains(place)
                && let Err(e) = self.restart(place, offset)
            {
                self.heard.add(Notice::Error(call_error(&e)));
            }
        }
    }

    /// An error among the records.
    pub(super) fn fetch_error(&mut self, topic: &str, partition: i32, error: FetchError) {
        use RDKafkaErrorCode::{AutoOffsetReset, LogTruncation, OffsetOutOfRange};
        let FetchError { code, text, offset } = error;
        if !matches!(code, AutoOffsetReset | LogTruncation | OffsetOutOfRange) {
            let text = match topic {
                "" => text,
                topic => format!("{topic}[{partition}]: {text}"),
            };
            self.heard.add(Notice::Error(client_error(code, text)));
            // The owner hears of it at its next poll.
            self.driver.unpark();
        } else if let Some(part) = self.assigned.part(topic, partition) {
            let lost = Lost {
                place: part.place,
                position: if offset < 0 { part.next } else { offset },
                ask_at: Instant::now(),
            };
            self.lost.push(lost);
            self.driver.unpark();
        }
    }

    /// Asks the broker what is due.
    pub(super) fn ask(&mut self) {
        let now = Instant::now();
        if self.probe.is_some_and(|at| at <= now) {
            self.probe = Some(now + AGAIN);
            self.blocking.ask(Request::TailReader);
        }
        if let Some(look) = self
            .standalone
            .as_mut()
            .and_then(|standalone| standalone.due(now))
        {
            self.blocking.ask(look);
        }
        let assigned = &self.assigned;
        self.lost.retain_mut(|lost| {
            let ours = assigned.contains(lost.place);
            if ours && lost.ask_at <= now {
                lost.ask_at = now + AGAIN;
                self.blocking.ask(Request::Range(lost.place, lost.position));
            }
            ours
        });
    }
}
