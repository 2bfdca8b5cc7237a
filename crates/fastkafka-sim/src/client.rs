//! The part of librdkafka between an application and its group, as far as delivery depends on it.

use crate::cluster::Cluster;
use crate::commits::InFlight;
use crate::group::Commit;
use crate::ids::{GroupId, MemberId, PartitionId, PartitionSet, TopicId};
use crate::reader::Reader;
use std::sync::Arc;

/// A notice for the application. It answers with [`Client::assign`] or [`Client::unassign`], when
/// it likes; until then nothing is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The group gives it these. None at the end of a classic rebalance that brought it nothing new, and
    /// after each incremental revoke that was answered.
    Assign(PartitionSet),
    /// The group wants these back.
    Revoke {
        /// Which.
        partitions: PartitionSet,
        /// The group has already gone on without the member: nothing can be committed any more.
        lost: bool,
    },
}

/// The partition is not assigned (`_STATE`), or the answer is not one to what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotAssigned;

impl std::fmt::Display for NotAssigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("erroneous state: the partition is not assigned")
    }
}

impl std::error::Error for NotAssigned {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Not in the group, or about to join it again.
    Out,
    /// JoinGroup is sent.
    Joining,
    /// SyncGroup is sent.
    Syncing,
    /// Member of a generation it knows the assignment of.
    Stable,
    /// The same, and joins again once it has given back and taken what it should.
    Rejoining,
    /// Eager: joins again once it has given back everything.
    GivingBack,
    Closed,
}

/// A consumer: one member of one group.
///
/// The calls that take the cluster are exchanges with it; all others are local. A client that is
/// dropped has crashed: the group keeps its member until
/// [`Cluster::expire`](crate::Cluster::expire).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client<R> {
    pub(crate) group: GroupId,
    pub(crate) topics: Arc<[TopicId]>,
    pub(crate) member: Option<MemberId>,
    pub(crate) generation: u32,
    pub(crate) state: State,
    /// The notice that the application has not answered.
    pub(crate) told: Option<Notice>,
    /// The partitions that the group lets it have.
    pub(crate) given: PartitionSet,
    /// To be told even if there is nothing new: after a classic rebalance, and after what was given back.
    pub(crate) announce: bool,
    /// The group has gone on without it, and the application has not been told or has not answered.
    pub(crate) lost: bool,
    pub(crate) leaving: bool,
    /// By partition.
    pub(crate) readers: Vec<Reader<R>>,
    /// Taken over from the group and not read: the application has answered without them.
    pub(crate) unread: PartitionSet,
    /// The application's pauses: they outlive assignments.
    pub(crate) paused: PartitionSet,
    /// In the order in which they were sent.
    pub(crate) commits: Vec<InFlight>,
    pub(crate) late: Vec<Commit>,
}

impl<R> Client<R> {
    /// A consumer that has subscribed and has not joined yet.
    pub fn new(group: GroupId, topics: impl IntoIterator<Item = TopicId>) -> Self {
        Self {
            group,
            topics: topics.into_iter().collect(),
            member: None,
            generation: 0,
            state: State::Out,
            told: None,
            given: PartitionSet::new(),
            announce: false,
            lost: false,
            leaving: false,
            readers: Vec::new(),
            unread: PartitionSet::new(),
            paused: PartitionSet::new(),
            commits: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Its group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Subscribes to other topics. The group rebalances, as it does when a classic member joins again
    /// or the next heartbeat of KIP-848 says so.
    pub fn subscribe(
        &mut self,
        cluster: &mut Cluster<R>,
        topics: impl IntoIterator<Item = TopicId>,
    ) {
        self.topics = topics.into_iter().collect();
        let group = &mut cluster.groups[self.group.index()];
        if let Some(at) = self.member.and_then(|member| group.at(member).ok()) {
            group.members[at].topics = self.topics.clone();
            group.rebalance(&cluster.topics);
        }
    }

    /// Its id in the group, by its own account.
    pub fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Its generation, or epoch, by its own account.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The notice that the application has not answered.
    pub fn told(&self) -> Option<&Notice> {
        self.told.as_ref()
    }

    /// Whether the assignment is lost (`assignment_lost()`): also when a revoke that is being answered
    /// has become a loss.
    pub fn lost(&self) -> bool {
        self.lost
    }

    /// Whether it is closed: [`Client::leave`] was called, and all that follows is done.
    pub fn closed(&self) -> bool {
        self.state == State::Closed
    }

    /// The partitions that the application has assigned.
    pub fn assignment(&self) -> PartitionSet {
        self.readers.iter().map(|r| r.partition).collect()
    }

    /// The partitions that it has in the eyes of the group: also those that it was told of and does not
    /// read (librdkafka's `rkcg_group_assignment`).
    pub(crate) fn held(&self) -> PartitionSet {
        self.assignment().union(&self.unread)
    }

    /// The application closes the consumer. A last revoke follows, if it has partitions; then it
    /// commits, leaves the group and is closed.
    pub fn leave(&mut self) {
        self.leaving = true;
    }

    /// Whether [`Client::leave`] was called.
    pub fn leaving(&self) -> bool {
        self.leaving
    }

    /// The session times out on this side: no coordinator has answered for too long. Everything is lost,
    /// whatever the group thinks, and the client joins as a new member.
    pub fn session_timeout(&mut self) {
        if self.member.is_some() {
            self.fence();
        }
    }

    /// Answers [`Notice::Assign`]: reading begins at these offsets. What the application had paused
    /// before is still paused.
    ///
    /// The answer may leave partitions out, as in librdkafka. They stay with the member, which does not
    /// read them, until they are revoked or assigned by a later call.
    ///
    /// # Errors
    /// Not all of these are partitions that it was told of and does not read yet.
    pub fn assign(&mut self, starts: &[(PartitionId, i64)]) -> Result<(), NotAssigned> {
        let partitions: PartitionSet = starts.iter().map(|(p, _)| *p).collect();
        let unread = match &self.told {
            Some(Notice::Assign(told)) => self.unread.union(told),
            Some(Notice::Revoke { .. }) => return Err(NotAssigned),
            None if starts.is_empty() => return Err(NotAssigned),
            None => self.unread.clone(),
        };
        if !partitions.minus(&unread).is_empty() {
            return Err(NotAssigned);
        }
        self.unread = unread.minus(&partitions);
        self.told = None;
        let readers = starts.iter().map(|&(p, offset)| Reader::new(p, offset));
        self.readers.extend(readers);
        self.readers.sort_by_key(|reader| reader.partition);
        self.fall_out_if_lost();
        Ok(())
    }

    /// Answers [`Notice::Revoke`]: what is stored for these partitions is sent as a commit, unless
    /// they are lost. The group hears of it when that commit has been answered.
    ///
    /// # Errors
    /// No revoke is to be answered.
    pub fn unassign(&mut self) -> Result<(), NotAssigned> {
        let Some(Notice::Revoke { partitions, .. }) = &self.told else {
            return Err(NotAssigned);
        };
        let (gone, kept): (Vec<Reader<R>>, _) = std::mem::take(&mut self.readers)
            .into_iter()
            .partition(|reader| partitions.contains(reader.partition));
        self.readers = kept;
        self.unread = self.unread.minus(partitions);
        self.told = None;
        if self.lost {
            self.fall_out_if_lost();
        } else {
            let stored = gone.into_iter();
            let stored = stored.filter_map(|r| Some((r.partition, r.stored?)));
            self.send(stored.collect(), false);
            self.announce = self.state != State::GivingBack;
        }
        Ok(())
    }
}
