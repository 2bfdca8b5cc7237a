//! A consumer of the app on the cluster in memory.

use super::positions::{commit_explicitly, find, start, unanswered};
use crate::memory::cluster::{Broker, State};
use crate::memory::stored::{Block, Stored};
use crate::subscription::Subscription;
use fastkafka::control::Seek;
use fastkafka_core::{Fetched, OffsetReset, TopicPartition};
use fastkafka_runtime::platform::{
    ClientError, ErrorKind, GroupConsumer, Notice, PartitionRef, StartError,
};
use fastkafka_sim::{self as sim, Answer, Client, FetchError, GroupId, PartitionId, TopicId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// Most records of one fetched block.
const BLOCK: usize = 500;

/// What the broker knows of a consumer.
pub(crate) struct Member {
    pub(crate) id: u64,
    pub(crate) client: Client<Stored>,
    pub(crate) reads: Subscription,
    /// Those of them that there are.
    pub(crate) topics: Vec<TopicId>,
    pub(crate) wakeup: Arc<Notify>,
    /// For its owner, from the next poll.
    notices: Vec<Notice>,
    /// Positions that were said to be out of range.
    out_of_range: HashMap<PartitionId, i64>,
    /// It was told that the broker is away.
    cut_off: bool,
}

impl Member {
    pub(crate) fn new(
        id: u64,
        group: GroupId,
        reads: Subscription,
        topics: Vec<TopicId>,
        wakeup: Arc<Notify>,
    ) -> Self {
        Self {
            id,
            reads,
            client: Client::new(group, topics.iter().copied()),
            topics,
            wakeup,
            notices: Vec::new(),
            out_of_range: HashMap::new(),
            cut_off: false,
        }
    }
}

/// The consumer as its owner sees it.
pub(crate) struct MemoryConsumer {
    broker: Arc<Broker>,
    id: u64,
}

impl MemoryConsumer {
    pub(crate) fn new(broker: Arc<Broker>, id: u64) -> Self {
        Self { broker, id }
    }

    /// Does something with the member and the rest of the cluster, and rings whoever it concerns.
    fn with<R>(&self, f: impl FnOnce(&mut Member, &mut State) -> R) -> R {
        let mut state = self.broker.state();
        let state = &mut *state;
        let at = state.members.iter().position(|member| member.id == self.id);
        let mut member = state
            .members
            .remove(at.expect("in the list until its drop"));
        let result = f(&mut member, state);
        let group = member.client.group();
        let others = state.members.iter().filter(|other| {
            other.client.group() == group && other.client.may_exchange(&state.cluster)
        });
        others.for_each(|other| other.wakeup.notify_one());
        state.members.push(member);
        result
    }
}

/// Sends what is stored, and lets every commit under way arrive or not.
pub(super) fn commit(member: &mut Member, state: &mut State) {
    if state.down {
        return;
    }
    member.client.send_commit();
    let answers = answer(member, state);
    member
        .notices
        .extend(answers.into_iter().map(Notice::Committed));
}

/// What becomes of the commits under way.
pub(super) fn answer(member: &mut Member, state: &mut State) -> Vec<Result<(), String>> {
    let answer = match state.commits_lost {
        true => Answer::Lost,
        false => Answer::Arrives,
    };
    std::iter::from_fn(|| member.client.answer_commit(&mut state.cluster, answer))
        .map(|answered| answered.map_err(|error| error.to_string()))
        .collect()
}

/// Whatever is due between the consumer and its group.
fn exchange(member: &mut Member, state: &mut State) {
    if state.down {
        return;
    }
    loop {
        commit(member, state);
        if !member.client.may_exchange(&state.cluster) {
            return;
        }
        if let Some(notice) = member.client.exchange(&mut state.cluster) {
            let notice = match notice {
                sim::Notice::Assign(partitions) => {
                    Notice::Assign(partitions.iter().map(|p| place(state, p)).collect())
                }
                sim::Notice::Revoke { partitions, lost } => Notice::Revoke {
                    places: partitions.iter().map(|p| place(state, p)).collect(),
                    lost,
                },
            };
            member.notices.push(notice);
        }
    }
}

fn place(state: &State, partition: PartitionId) -> PartitionRef {
    let (topic, index) = state.place(partition);
    TopicPartition::intern_on(state.name, topic, topic, index)
}

pub(super) fn id(state: &State, place: PartitionRef) -> Result<PartitionId, ClientError> {
    let found = state.partition(&place.topic, place.partition);
    found.ok_or_else(|| error(format_args!("{place} does not exist")))
}

fn error(what: impl fmt::Display) -> ClientError {
    ClientError {
        kind: ErrorKind::Other,
        message: what.to_string(),
    }
}

impl GroupConsumer for MemoryConsumer {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        self.with(|member, state| {
            if state.down != member.cut_off {
                member.cut_off = state.down;
                member.notices.push(match state.down {
                    true => Notice::Error(ClientError {
                        kind: ErrorKind::Unreachable,
                        message: "the broker is down".to_owned(),
                    }),
                    false => Notice::Connected,
                });
            }
            exchange(member, state);
            notices.append(&mut member.notices);
        });
    }

    fn fetch(&mut self, max: usize, runs: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        self.with(|member, state| {
            if state.down {
                return false;
            }
            let (mut left, mut more) = (max, false);
            for partition in member.client.assignment().iter() {
                let position = member.client.position(partition);
                let take = left.min(BLOCK);
                match member.client.fetch(&state.cluster, partition, take) {
                    Ok(entries) if entries.is_empty() => {}
                    Ok(entries) => {
                        left -= entries.len();
                        more |= entries.len() == take;
                        let block = Arc::new(Block(entries));
                        runs.push((place(state, partition), block));
                    }
                    Err(FetchError::OutOfRange { low, high }) => {
                        let position = position.expect("it is assigned");
                        let told = member.out_of_range.insert(partition, position);
                        if told != Some(position) {
                            member.notices.push(Notice::OutOfRange {
                                place: place(state, partition),
                                position,
                                low,
                                high,
                            });
                            more = true;
                        }
                    }
                    // Deleted: the next rebalance takes it away.
                    Err(FetchError::UnknownPartition) => {}
                }
            }
            more
        })
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>) {
        self.with(|member, state| {
            let starts = match state.down {
                true => Err(StartError::Retry("the broker is down".to_owned())),
                false => places
                    .into_iter()
                    .map(|(place, reset)| start(member, state, place, reset))
                    .collect(),
            };
            commit(member, state);
            member.notices.push(Notice::Resolved(starts));
            member.wakeup.notify_one();
        });
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.with(|member, state| {
            let starts: Result<Vec<_>, _> = starts
                .iter()
                .map(|&(place, offset)| Ok((id(state, place)?, offset)))
                .collect();
            let starts = starts?;
            member.client.assign(&starts).map_err(error)?;
            // In a client pauses outlive an assignment.
            for (partition, _) in starts {
                member.client.pause(partition, false).map_err(error)?;
            }
            member.wakeup.notify_one();
            Ok(())
        })
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.with(|member, state| {
            member.client.unassign().map_err(error)?;
            for place in places {
                if let Ok(partition) = id(state, place) {
                    member.out_of_range.remove(&partition);
                }
            }
            commit(member, state);
            member.wakeup.notify_one();
            Ok(())
        })
    }

    fn lost(&self) -> bool {
        self.with(|member, _| member.client.lost())
    }

    fn store(&mut self, offsets: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        self.with(|member, state| {
            let mut refused = Vec::new();
            for &(place, offset) in offsets {
                let stored = id(state, place)
                    .and_then(|partition| member.client.store(partition, offset).map_err(error));
                if let Err(error) = stored {
                    refused.push((place, error.to_string()));
                }
            }
            commit(member, state);
            if !member.notices.is_empty() {
                member.wakeup.notify_one();
            }
            refused
        })
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        self.with(|member, state| {
            let found = match state.down {
                true => Err(unanswered(place, "the broker is down")),
                false => find(state, place, to),
            };
            member.notices.push(Notice::Found(place, found));
            member.wakeup.notify_one();
        });
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        self.with(|member, state| {
            let moved = match id(state, place) {
                _ if state.down => Err("the broker is down".to_owned()),
                Err(error) => Err(error.to_string()),
                Ok(partition) => commit_explicitly(member, state, partition, offset),
            };
            member.notices.push(Notice::Moved(place, moved));
            member.wakeup.notify_one();
        });
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        self.with(|member, state| {
            let partition = id(state, place)?;
            member.client.restart(partition, offset).map_err(error)?;
            member.out_of_range.remove(&partition);
            commit(member, state);
            Ok(())
        })
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        self.with(|member, state| {
            let partition = id(state, place)?;
            member.client.pause(partition, pause).map_err(error)
        })
    }

    fn unsubscribe(&mut self) {
        self.with(|member, state| {
            member.client.leave();
            exchange(member, state);
            member.wakeup.notify_one();
        });
    }

    fn close(&mut self) -> bool {
        self.with(|member, state| {
            exchange(member, state);
            // Nobody can be told that it leaves.
            member.client.closed() || state.down
        })
    }
}

/// Without having been closed it has crashed: its session is over at once.
impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        let mut state = self.broker.state();
        let state = &mut *state;
        let Some(at) = state.members.iter().position(|member| member.id == self.id) else {
            return;
        };
        let member = state.members.remove(at);
        if let (false, Some(id)) = (member.client.closed(), member.client.member()) {
            // The group may have gone on without it long ago.
            let _ = state.cluster.expire(member.client.group(), id);
        }
        state.ring_all();
        self.broker.notify();
    }
}
