//! What lasts longer than health may be silent, on two brokers and on a cluster of its own for the legs.
//!
//! Each has an end after which all must be as before: a batch that was damaged is put back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;

use super::run::{ChaosRun, PATIENCE, pause};
use super::schedule::{APPS, Fault, Planned, Schedule};
use crate::kafka::process::within;

/// It has no group and no topic of the cluster's own: those are on node 1, which was there first.
const NODE: u32 = 2;
/// What waits in a partition when its broker goes away.
const BACKLOG: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    /// One of two brokers is killed while records wait in its partitions.
    Node,
    /// The topic grows, and before anybody has read the new partitions a broker is killed.
    Growth,
    /// The cluster of the legs is killed.
    Outputs,
    /// A batch cannot be decompressed.
    Damage,
    /// The group takes nothing from its members any more.
    Refusal,
}

impl Schedule {
    /// So many outages, each in a round of its own; every kind before one comes again. The legs are on the
    /// other cluster if the seed is odd.
    pub(super) fn outages(seed: u64, count: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut deck = Vec::new();
        let rounds = (0..count).map(|_| {
            if deck.is_empty() {
                use Outage::{Damage, Growth, Node, Outputs, Refusal};
                deck = vec![None];
                deck.extend([Node, Growth, Damage, Refusal].map(Some));
                deck.extend((seed % 2 == 1).then_some(Some(Outputs)));
                rng.shuffle(&mut deck);
            }
            let lasts = Duration::from_secs(rng.u64(45..55));
            let fault = match deck.pop().expect("dealt") {
                Some(outage) => Fault::Outage { outage, lasts },
                None => Fault::Fence {
                    app: rng.usize(..APPS),
                },
            };
            let at = Duration::ZERO;
            vec![Planned { at, fault }]
        });
        let rounds = rounds.collect();
        Self { seed, rounds }
    }
}

impl ChaosRun {
    pub(super) fn outage(&self, outage: Outage, lasts: Duration) {
        match outage {
            Outage::Node => {
                let away = self.only_others();
                self.held(|| {
                    self.backlog(&away);
                    self.kafka.write().unwrap().kill_broker(NODE).unwrap();
                });
                pause(lasts);
                self.node_is_back();
            }
            Outage::Growth => {
                let before = self
                    .kafka(|kafka| kafka.end_offsets("flights"))
                    .unwrap()
                    .len();
                let total = i32::try_from(before).unwrap() + 2;
                self.kafka(|kafka| kafka.add_partitions("flights", total))
                    .unwrap();
                self.only_others();
                self.kafka.write().unwrap().kill_broker(NODE).unwrap();
                pause(lasts);
                self.node_is_back();
            }
            Outage::Outputs => {
                let elsewhere = self.elsewhere.as_ref().expect("the seed is odd");
                elsewhere.write().unwrap().kill().unwrap();
                pause(lasts);
                let back = || elsewhere.write().unwrap().restart().ok();
                within(PATIENCE, "the cluster of the legs is back", back);
            }
            Outage::Damage => self.damage(lasts),
            Outage::Refusal => {
                self.kafka(|kafka| kafka.deny_group("flights")).unwrap();
                pause(lasts);
                self.kafka(|kafka| kafka.allow_group("flights")).unwrap();
            }
        }
    }

    fn damage(&self, lasts: Duration) {
        let partition = self.only_others()[0];
        let places = self.held(|| {
            let places = self.backlog(&[partition]);
            self.kafka.write().unwrap().terminate_broker(NODE).unwrap();
            places
        });
        let first = places.iter().map(|place| place.1).min().unwrap();
        let folder = self.kafka(|kafka| kafka.partition_directory(NODE, "flights", partition));
        let log = folder.unwrap().join("00000000000000000000.log");
        let (from, whole) = batch(&log, first);
        // Behind the header and the first bytes of the compressed frame.
        let mut broken = whole.clone();
        broken[61 + 9..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        overwrite(&log, from, &broken);
        self.restart_node();
        pause(lasts);
        self.kafka.write().unwrap().terminate_broker(NODE).unwrap();
        overwrite(&log, from, &whole);
        self.node_is_back();
    }

    /// From now on flights go to the partitions of other nodes; those of [`NODE`], where nothing is written.
    fn only_others(&self) -> Vec<i32> {
        let partitions = self
            .kafka(|kafka| kafka.end_offsets("flights"))
            .unwrap()
            .into_keys();
        let (here, others) = partitions.partition(|partition| {
            let log =
                |kafka: &kafka_lab::Kafka| kafka.partition_directory(NODE, "flights", *partition);
            self.kafka(log).is_some()
        });
        *self.writable.write().unwrap() = others;
        here
    }

    fn restart_node(&self) {
        let back = || self.kafka.write().unwrap().restart_broker(NODE).ok();
        within(PATIENCE, "the broker is back", back);
    }

    fn node_is_back(&self) {
        self.restart_node();
        let ends = || self.kafka(|kafka| kafka.end_offsets("flights")).ok();
        let ends = within(PATIENCE, "all partitions have leaders", ends);
        *self.writable.write().unwrap() = ends.into_keys().collect();
    }

    /// No app does anything meanwhile.
    fn held<T>(&self, act: impl FnOnce() -> T) -> T {
        self.signal(Signal::STOP);
        let acted = act();
        self.signal(Signal::CONT);
        acted
    }

    /// Records that nobody has read: the first answer the fetches that wait for something, and those who are held
    /// ask for no more.
    fn backlog(&self, partitions: &[i32]) -> Vec<(i32, i64)> {
        self.write(partitions, BACKLOG);
        self.write(partitions, BACKLOG)
    }

    fn write(&self, partitions: &[i32], count: usize) -> Vec<(i32, i64)> {
        let records = self.load.lock().unwrap().records_to(partitions, count);
        self.kafka(|kafka| kafka.produce("flights", &records))
            .unwrap()
    }
}

/// The batch of a log with this first offset, and where it begins.
fn batch(log: &Path, first: i64) -> (usize, Vec<u8>) {
    let bytes = fs::read(log).unwrap();
    let number = |at: usize, len: usize| {
        let bytes = bytes[at..at + len].iter();
        bytes.fold(0, |n, b| n << 8 | i64::from(*b))
    };
    let mut at = 0;
    loop {
        // A batch begins with its first offset and its length from there on.
        let end = at + 12 + usize::try_from(number(at + 8, 4)).unwrap();
        if number(at, 8) == first {
            return (at, bytes[at..end].to_vec());
        }
        at = end;
    }
}

fn overwrite(log: &Path, from: usize, with: &[u8]) {
    let mut bytes = fs::read(log).unwrap();
    bytes[from..from + with.len()].copy_from_slice(with);
    fs::write(log, bytes).unwrap();
}

#[test]
fn every_kind_of_outage_is_dealt_before_one_comes_again() {
    let kinds = |seed, count| {
        let rounds = Schedule::outages(seed, count).rounds;
        let faults = rounds.iter().map(|planned| match planned[0].fault {
            Fault::Outage { outage, .. } => format!("{outage:?}"),
            other => format!("{:?}", std::mem::discriminant(&other)),
        });
        faults.collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!((kinds(4, 5), kinds(5, 6)), (5, 6));
}
