//! What goes in: flights of busy aircraft, and among them what can not be handled.

use std::collections::HashMap;

use fastrand::Rng;
use flights::data::january;
use flights::flight::Flight;
use kafka_lab::NewRecord;

/// Their flights are half of all: keys with much to keep in order.
const BUSY: usize = 40;
/// Of so many records one is no flight, and one is a flight that is refused for good.
const BAD_ONE_IN: usize = 100;
const UNDECODABLE: [&[u8]; 5] = [b"{\"id\":", b"", b"\xff\xfe", b"[1,2]", b"{\"id\":\"x\"}"];

/// An endless load out of a seed; no two flights have one id.
pub(super) struct Load {
    rng: Rng,
    all: Vec<Flight>,
    busy: Vec<Flight>,
    next: u64,
}

impl Load {
    pub(super) fn new(seed: u64) -> Self {
        let all = january();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        // Those without a tail number are refused: enough of them are among all.
        for flight in all.iter().filter(|flight| flight.tailnum.is_some()) {
            *counts.entry(flight.key()).or_default() += 1;
        }
        let mut keys: Vec<_> = counts.into_iter().collect();
        keys.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
        keys.truncate(BUSY);
        let is_busy = |flight: &&Flight| keys.iter().any(|(key, _)| *key == flight.key());
        let busy = all.iter().filter(is_busy).cloned().collect();
        Self {
            rng: Rng::with_seed(seed),
            all,
            busy,
            next: 0,
        }
    }

    pub(super) fn records(&mut self, count: usize) -> Vec<NewRecord> {
        (0..count).map(|_| self.record(None)).collect()
    }

    /// Each goes to one of these partitions. There an aircraft has a name of its own, so that its flights stay
    /// in order.
    pub(super) fn records_to(&mut self, partitions: &[i32], count: usize) -> Vec<NewRecord> {
        let to = |load: &mut Self| load.rng.choice(partitions).copied();
        (0..count)
            .map(|_| {
                let partition = to(self);
                self.record(partition)
            })
            .collect()
    }

    fn record(&mut self, partition: Option<i32>) -> NewRecord {
        let from = if self.rng.bool() {
            &self.all
        } else {
            &self.busy
        };
        let mut flight = self.rng.choice(from).expect("January is long").clone();
        flight.id = self.next;
        self.next += 1;
        if let (Some(partition), Some(tail)) = (partition, &mut flight.tailnum) {
            *tail += &format!("@{partition}");
        }
        let key = flight.key().to_owned();
        let value = match self.rng.usize(..BAD_ONE_IN) {
            0 => self.rng.choice(UNDECODABLE).expect("five").to_vec(),
            1 => {
                flight.air_time = Some(0);
                serde_json::to_vec(&flight).unwrap()
            }
            _ => serde_json::to_vec(&flight).unwrap(),
        };
        let record = NewRecord::new(value).key(key);
        match partition {
            Some(partition) => record.partition(partition),
            None => record,
        }
    }
}
