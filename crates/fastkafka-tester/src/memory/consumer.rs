//! A consumer of an app on a cluster in memory, as its driver sees it.

use crate::memory::cluster::MemoryCluster;
use crate::memory::exchange::{client_error, commit_offset, commit_stored, exchange};
use crate::memory::member::Member;
use crate::memory::positions::{bounds, find, partition_id, start, unanswered};
use crate::memory::state::ClusterState;
use crate::memory::stored::Block;
use fastkafka::control::Seek;
use fastkafka_core::{Fetched, OffsetReset};
use fastkafka_runtime::platform::{
    ClientError, GroupConsumer, Lasting, Notice, PartitionRef, Scope, StartError, Starts,
};
use fastkafka_sim::FetchError;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Most records of one fetched block.
const BLOCK: usize = 500;
const DOWN: &str = "the broker is down";

/// The handle of a member. Its state lives in the cluster, behind the cluster's lock.
pub(crate) struct MemoryConsumer {
    cluster: Arc<MemoryCluster>,
    id: u64,
}

impl MemoryConsumer {
    pub(crate) fn new(cluster: Arc<MemoryCluster>, id: u64) -> Self {
        Self { cluster, id }
    }

    /// Calls `f` with the member and the rest of the cluster, and wakes the members of the group that
    /// have to react.
    fn with<R>(&self, f: impl FnOnce(&mut Member, &mut ClusterState) -> R) -> R {
        let mut state = self.cluster.state();
        let at = state.members.iter().position(|member| member.id == self.id);
        // Out of the list while `f` runs, so that both can be borrowed.
        let mut member = state
            .members
            .remove(at.expect("in the list until its drop"));
        let result = f(&mut member, &mut state);
        state.wake_group(member.client.group());
        state.members.push(member);
        result
    }
}

impl GroupConsumer for MemoryConsumer {
    fn poll(&mut self, notices: &mut Vec<Notice>) {
        self.with(|member, state| {
            if state.down != member.knows_down {
                member.knows_down = state.down;
                member.notices.push(if state.down {
                    let (scope, lasting) = (Scope::Cluster, Lasting::Passing);
                    Notice::Error(ClientError::new("_ALL_BROKERS_DOWN", scope, lasting, DOWN))
                } else {
                    Notice::Connected
                });
            }
            exchange(member, state);
            member.begin_late();
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
                match member.client.fetch(&state.sim, partition, take) {
                    Ok(entries) if entries.is_empty() => {}
                    Ok(entries) => {
                        left -= entries.len();
                        more |= entries.len() == take;
                        let block = Arc::new(Block(entries));
                        runs.push((state.partition_ref(partition), block));
                    }
                    Err(FetchError::OutOfRange { low, high }) => {
                        let position = position.expect("it is assigned");
                        let reported = member.out_of_range.insert(partition, position);
                        if reported != Some(position) {
                            member.notices.push(Notice::OutOfRange {
                                place: state.partition_ref(partition),
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

    fn end(&self, place: PartitionRef) -> Option<i64> {
        let state = self.cluster.state();
        let partition = state.partition(&place.topic, place.partition)?;
        Some(bounds(&state, partition).1)
    }

    fn resolve(&mut self, places: Vec<(PartitionRef, OffsetReset)>, _: Duration) {
        self.with(|member, state| {
            let mut starts = Starts::default();
            for (place, reset) in places {
                let found = if state.down {
                    Err(StartError::Retry(DOWN.to_owned()))
                } else {
                    start(member, state, place, reset)
                };
                match found {
                    Ok(start) => starts.known.push(start),
                    Err(why) => starts.unknown.push((place, why)),
                }
            }
            commit_stored(member, state);
            member.tell(Notice::Resolved(starts));
        });
    }

    fn assign(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.with(|member, state| {
            let starts: Result<Vec<_>, _> = starts
                .iter()
                .map(|&(place, offset)| Ok((partition_id(state, place)?, offset)))
                .collect();
            let starts = starts?;
            member.client.assign(&starts).map_err(client_error)?;
            // In a client pauses outlive an assignment.
            for (partition, _) in starts {
                member
                    .client
                    .pause(partition, false)
                    .map_err(client_error)?;
            }
            member.wake.notify_one();
            Ok(())
        })
    }

    fn add(&mut self, starts: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        self.with(|member, state| {
            for &(place, offset) in starts {
                let partition = partition_id(state, place)?;
                member.late.push((partition, offset));
            }
            member.begin_late();
            member.wake.notify_one();
            Ok(())
        })
    }

    fn unassign(&mut self, places: &[PartitionRef]) -> Result<(), ClientError> {
        self.with(|member, state| {
            member.client.unassign().map_err(client_error)?;
            for place in places {
                if let Ok(partition) = partition_id(state, place) {
                    member.out_of_range.remove(&partition);
                    member.late.retain(|(late, _)| *late != partition);
                }
            }
            commit_stored(member, state);
            member.wake.notify_one();
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
                let stored = partition_id(state, place).and_then(|partition| {
                    member.client.store(partition, offset).map_err(client_error)
                });
                if let Err(error) = stored {
                    refused.push((place, error.to_string()));
                }
            }
            commit_stored(member, state);
            if !member.notices.is_empty() {
                member.wake.notify_one();
            }
            refused
        })
    }

    fn find(&mut self, place: PartitionRef, to: Seek) {
        self.with(|member, state| {
            let found = if state.down {
                Err(unanswered(place, DOWN))
            } else {
                find(state, place, to)
            };
            member.tell(Notice::Found(place, found));
        });
    }

    fn commit(&mut self, place: PartitionRef, offset: i64) {
        self.with(|member, state| {
            let moved = match partition_id(state, place) {
                _ if state.down => Err(client_error(DOWN)),
                Err(error) => Err(error),
                Ok(partition) => {
                    commit_offset(member, state, partition, offset).map_err(client_error)
                }
            };
            member.tell(Notice::Moved(place, moved));
        });
    }

    fn seek(&mut self, place: PartitionRef, offset: i64) -> Result<(), ClientError> {
        self.with(|member, state| {
            let partition = partition_id(state, place)?;
            // What is stored stays, as in librdkafka (decision 39).
            member
                .client
                .seek(partition, offset)
                .map_err(client_error)?;
            member.out_of_range.remove(&partition);
            Ok(())
        })
    }

    fn pause(&mut self, place: PartitionRef, pause: bool) -> Result<(), ClientError> {
        self.with(|member, state| {
            let partition = partition_id(state, place)?;
            member.client.pause(partition, pause).map_err(client_error)
        })
    }

    fn unsubscribe(&mut self) {
        self.with(|member, state| {
            member.client.leave();
            exchange(member, state);
            member.wake.notify_one();
        });
    }

    fn close(&mut self, _: Duration) -> Poll<Result<(), String>> {
        self.with(|member, state| {
            exchange(member, state);
            // While the broker is down the group cannot hear that the member leaves.
            if member.client.closed() || state.down {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
    }
}

/// A consumer that is dropped without having been closed has crashed: its session is over at once.
impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        let mut state = self.cluster.state();
        let Some(at) = state.members.iter().position(|member| member.id == self.id) else {
            return;
        };
        let member = state.members.remove(at);
        if let (false, Some(id)) = (member.client.closed(), member.client.member()) {
            // The group may have gone on without it long ago.
            let _ = state.sim.expire(member.client.group(), id);
        }
        state.wake_all();
        self.cluster.notify();
    }
}
