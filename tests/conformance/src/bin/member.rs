//! A member of a group on librdkafka, used as FastKafka uses it: rebalances are noted by the
//! callback and answered later, positions are explicit, offsets are stored by hand.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use conformance::{Answer, Ask, Fetched, Join, Protocol, Seen};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a poll waits for something to say.
const POLL: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Context {
    seen: Mutex<Vec<Seen>>,
    /// Nobody answers any more.
    closing: std::sync::atomic::AtomicBool,
}

impl ClientContext for Context {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        eprintln!("{:.3} {facility} {message}", since.as_secs_f64());
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        if self.closing.load(std::sync::atomic::Ordering::Acquire) {
            let _ = consumer.unassign();
            return;
        }
        let mut partitions: Vec<_> = list
            .elements()
            .iter()
            .map(TopicPartitionListElem::partition)
            .collect();
        partitions.sort_unstable();
        self.seen.lock().unwrap().push(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Seen::Assign(partitions),
            _ => Seen::Revoke {
                partitions,
                lost: consumer.assignment_lost(),
            },
        });
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if let Err(e) = result
            && e.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset)
        {
            eprintln!("a commit of {offsets:?} was refused: {e}");
        }
    }
}

struct PartIndex {
    /// The next offset to take.
    next: i64,
    paused: bool,
    queue: PartitionQueue<Context>,
}

struct Member {
    join: Join,
    consumer: Arc<BaseConsumer<Context>>,
    parts: BTreeMap<i32, PartIndex>,
}

impl Member {
    fn new(join: Join) -> KafkaResult<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &join.bootstrap)
            .set("client.id", &join.client_id)
            .set("group.id", &join.group)
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            // The suite says when.
            .set("auto.commit.interval.ms", "3600000")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("topic.metadata.refresh.interval.ms", "500")
            .set("fetch.wait.max.ms", "10");
        if let Ok(debug) = std::env::var("FASTKAFKA_CONFORMANCE_DEBUG") {
            config.set("debug", debug);
        }
        match join.protocol {
            Protocol::Consumer => config.set("group.protocol", "consumer"),
            classic => config
                .set("session.timeout.ms", join.session_ms.to_string())
                .set("heartbeat.interval.ms", "200")
                .set(
                    "partition.assignment.strategy",
                    if classic == Protocol::Eager {
                        "range"
                    } else {
                        "cooperative-sticky"
                    },
                ),
        };
        let consumer: BaseConsumer<_> = config.create_with_context(Context::default())?;
        consumer.subscribe(&[&join.topic])?;
        Ok(Self {
            join,
            consumer: Arc::new(consumer),
            parts: BTreeMap::new(),
        })
    }

    fn list(&self, offsets: impl IntoIterator<Item = (i32, i64)>) -> TopicPartitionList {
        let topic = &self.join.topic;
        offsets
            .into_iter()
            .map(|(partition, at)| (topic.clone(), partition, Offset::Offset(at)))
            .collect()
    }

    fn poll(&self) -> Vec<Seen> {
        let deadline = Instant::now() + POLL;
        loop {
            match self.consumer.poll(POLL) {
                None | Some(Err(_)) => {}
                Some(Ok(record)) => panic!("outside its queue: {record:?}"),
            }
            let seen = std::mem::take(&mut *self.consumer.context().seen.lock().unwrap());
            if !seen.is_empty() || Instant::now() >= deadline {
                return seen;
            }
        }
    }

    fn fetch(&mut self, only: Option<i32>, max: usize) -> Vec<Fetched> {
        let mut fetched = Vec::new();
        let parts = self.parts.iter_mut();
        for (&partition, part) in parts.filter(|(p, _)| only.is_none_or(|only| only == **p)) {
            while fetched.len() < max {
                match part.queue.poll(Duration::ZERO) {
                    None => break,
                    Some(Ok(record)) => {
                        let offset = record.offset();
                        part.next = offset + 1;
                        fetched.push(Fetched::Record { partition, offset });
                    }
                    Some(Err(KafkaError::MessageConsumption(
                        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange,
                    ))) => fetched.push(Fetched::OutOfRange { partition }),
                    Some(Err(e)) => eprintln!("{} [{partition}]: {e}", self.join.client_id),
                }
            }
        }
        fetched
    }

    fn begin(&mut self, starts: &[(i32, i64)]) -> KafkaResult<()> {
        self.split(starts);
        let list = self.list(starts.iter().copied());
        if self.join.protocol == Protocol::Eager {
            self.consumer.assign(&list)?;
        } else {
            self.consumer.incremental_assign(&list)?;
        }
        self.split(starts);
        // librdkafka keeps an application's pauses over a rebalance.
        self.consumer.resume(&list)?;
        let paused = self.parts.iter().filter(|(_, part)| part.paused);
        self.consumer
            .pause(&self.list(paused.map(|(p, part)| (*p, part.next))))
    }

    fn split(&mut self, starts: &[(i32, i64)]) {
        for &(partition, next) in starts {
            let queue = self
                .consumer
                .split_partition_queue(&self.join.topic, partition);
            let queue = queue.expect("a partition of a topic");
            let paused = self.parts.get(&partition).is_some_and(|part| part.paused);
            let part = PartIndex {
                next,
                paused,
                queue,
            };
            self.parts.insert(partition, part);
        }
    }

    fn unassign(&mut self, partitions: &[i32]) -> KafkaResult<()> {
        let eager = self.join.protocol == Protocol::Eager;
        // What was never begun with is not in librdkafka's list, which refuses it.
        let given: Vec<_> = partitions
            .iter()
            .filter_map(|p| Some((*p, self.parts.remove(p)?)))
            .collect();
        if eager {
            self.consumer.unassign()
        } else {
            self.consumer
                .incremental_unassign(&self.list(given.iter().map(|(p, part)| (*p, part.next))))
        }
        // The queues go last: nobody else takes what is in them.
    }

    /// As FastKafka does it: given up and taken again.
    fn seek(&mut self, partition: i32, offset: i64) -> KafkaResult<()> {
        let Some(part) = self.parts.get_mut(&partition) else {
            return Err(KafkaError::Seek("not assigned".into()));
        };
        part.next = offset;
        if self.join.protocol == Protocol::Eager {
            self.consumer.unassign()?;
            let all: Vec<_> = self.parts.iter().map(|(p, part)| (*p, part.next)).collect();
            self.begin(&all)
        } else {
            self.consumer
                .incremental_unassign(&self.list([(partition, offset)]))?;
            self.begin(&[(partition, offset)])
        }
    }

    fn pause(&mut self, partition: i32, pause: bool) -> KafkaResult<()> {
        if let Some(part) = self.parts.get_mut(&partition) {
            part.paused = pause;
        }
        let list = self.list([(partition, 0)]);
        if pause {
            self.consumer.pause(&list)
        } else {
            self.consumer.resume(&list)
        }
    }

    fn commit(&self) -> KafkaResult<()> {
        match self.consumer.commit_consumer_state(CommitMode::Sync) {
            // There was nothing to commit.
            Err(e) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => Ok(()),
            answer => answer,
        }
    }

    fn commit_at(&self, partition: i32, offset: i64, metadata: &str) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(&self.join.topic, partition);
        element.set_offset(Offset::Offset(offset))?;
        element.set_metadata(metadata);
        self.consumer.commit(&list, CommitMode::Sync)
    }

    fn store(&self, partition: i32, offset: i64) -> KafkaResult<()> {
        let list = self.list([(partition, offset)]);
        let stored = self.consumer.store_offsets(&list);
        list.elements()[0].error().and(stored)
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        let done = match ask {
            Ask::Poll => return Answer::Seen(self.poll()),
            Ask::Fetch { partition, max } => return Answer::Records(self.fetch(*partition, *max)),
            Ask::Position(p) => return Answer::Position(self.parts.get(p).map(|part| part.next)),
            Ask::Assign(starts) => self.begin(starts),
            Ask::Unassign(partitions) => self.unassign(partitions),
            Ask::Store(partition, offset) => self.store(*partition, *offset),
            Ask::Commit => self.commit(),
            Ask::CommitAt(partition, offset, text) => self.commit_at(*partition, *offset, text),
            Ask::Pause(partition, pause) => self.pause(*partition, *pause),
            Ask::Seek(partition, offset) => self.seek(*partition, *offset),
            Ask::Unsubscribe => {
                self.consumer.unsubscribe();
                Ok(())
            }
            Ask::Close => {
                let closing = &self.consumer.context().closing;
                closing.store(true, std::sync::atomic::Ordering::Release);
                self.parts.clear();
                Ok(())
            }
        };
        Answer::Done(done.map_err(|e| e.to_string()))
    }
}

fn main() {
    let join: Join = serde_json::from_str(&std::env::args().nth(1).expect("a join")).unwrap();
    let mut member = Member::new(join).unwrap();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let ask: Ask = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = member.answer(&ask);
        let mut say = |answer: &Answer| {
            writeln!(out, "{}", serde_json::to_string(answer).unwrap()).unwrap();
            out.flush().unwrap();
        };
        if matches!(ask, Ask::Close) {
            drop(member);
            say(&answer);
            return;
        }
        say(&answer);
    }
    // The suite is gone. A client that is dropped while it owes an answer hangs.
    std::process::exit(0);
}
