//! The consumer over a simulated client: the order of its calls, and the state between them.

mod commits;
mod ending;
mod late;
mod moving;
mod positions;
mod seeks;
mod silent;
mod starting;
mod unreadable;

use super::KafkaConsumer;
use super::fetch_position::FetchPosition;
use super::leaving::Membership;
use super::raw::{Event, Request};
use super::simulated::{self, INTERVALS, Simulated, place};
use super::standalone::Standalone;
use fastkafka_core::Fetched;
use fastkafka_runtime::platform::{GroupConsumer, Notice, PartitionRef};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

type Runs = Vec<(PartitionRef, Arc<dyn Fetched>)>;

const COOPERATIVE: bool = true;
const EAGER: bool = false;

impl KafkaConsumer<Simulated> {
    /// A member that has nothing yet. `logs` have a first offset and an end.
    fn member(cooperative: bool, logs: &[(i64, i64)]) -> Self {
        Self::with(Membership::Classic, cooperative, logs)
    }

    fn with(membership: Membership, cooperative: bool, logs: &[(i64, i64)]) -> Self {
        let topics = vec![simulated::TOPIC.to_owned()];
        let client = Simulated::new(cooperative, logs);
        Self::new(client, membership, topics, None, INTERVALS)
    }

    fn standalone(logs: &[(i64, i64)]) -> Self {
        let topics = vec![simulated::TOPIC.to_owned()];
        let standalone = Standalone::new(topics.clone(), INTERVALS.refresh);
        let client = Simulated::new(EAGER, logs);
        Self::new(
            client,
            Membership::Standalone,
            topics,
            Some(standalone),
            INTERVALS,
        )
    }

    /// A member that reads these partitions, from these offsets.
    fn reading(cooperative: bool, logs: &[(i64, i64)], starts: &[(i32, i64)]) -> Self {
        let mut member = Self::member(cooperative, logs);
        member.give(starts);
        member
    }

    /// The group gives partitions, and they are begun with.
    fn give(&mut self, starts: &[(i32, i64)]) {
        let starts = starts.iter();
        let starts: Vec<_> = starts.map(|(p, offset)| (place(*p), *offset)).collect();
        let places = starts.iter().map(|(place, _)| *place).collect();
        self.client.rebalance(Event::Assign(places));
        self.hear_all();
        self.assign(&starts).unwrap();
    }

    fn hear_all(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.poll(&mut notices);
        for notice in &notices {
            assert!(!matches!(notice, Notice::Error(_)), "{notice:?}");
        }
        notices
    }

    fn read(&mut self) -> Runs {
        let mut runs = Vec::new();
        self.fetch(usize::MAX, &mut runs);
        runs
    }

    /// Partition, first offset and number of the records that are read now.
    fn read_offsets(&mut self) -> Vec<(i32, i64, usize)> {
        let runs = self.read();
        let runs = runs.iter();
        runs.map(|(place, run)| (place.partition, run.offset(0), run.len()))
            .collect()
    }

    /// The requests since the last call, without those for a broker.
    fn requests(&mut self) -> Vec<Request> {
        let requests = self.client.requests.get_mut();
        let all: Vec<_> = std::iter::from_fn(|| requests.take()).collect();
        requests.answered();
        let all = all.into_iter();
        all.filter(|request| !matches!(request, Request::IsReached))
            .collect()
    }

    /// Where a partition stands.
    fn fetch_position(&mut self, partition: i32) -> FetchPosition {
        let part = self.assigned.get_mut(place(partition));
        part.expect("it is read").fetch_position()
    }

    fn after(&mut self, time: Duration) {
        self.client.now += time;
    }
}
