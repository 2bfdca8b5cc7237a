//! What librdkafka does between an application and its group, as far as delivery depends on it.

use crate::cluster::Cluster;
use crate::commits::InFlight;
use crate::group::{Committed, Group, GroupError, Phase, Protocol};
use crate::ids::{GroupId, MemberId, PartitionId, PartitionSet, TopicId};
use crate::reader::Reader;
use std::sync::Arc;

/// What the application is told. It answers with [`Client::assign`] or [`Client::unassign`], when
/// it likes; until then nothing is fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The group gives it these; none when it has joined and there is nothing for it.
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
    Closed,
}

/// A consumer: one member of one group.
///
/// The calls that take the cluster are exchanges with it; all others are local. A client that is
/// dropped has crashed: the group keeps its member until [`Cluster::expire`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client<R> {
    pub(crate) group: GroupId,
    topics: Arc<[TopicId]>,
    pub(crate) member: Option<MemberId>,
    pub(crate) generation: u32,
    pub(crate) state: State,
    /// What the application has been told and has not answered.
    told: Option<Notice>,
    /// What the group lets it have.
    given: PartitionSet,
    /// To be told even if there is nothing new.
    announce: bool,
    /// The group has gone on without it, and the application has not been told or has not answered.
    lost: bool,
    leaving: bool,
    /// By partition.
    pub(crate) readers: Vec<Reader<R>>,
    /// The application's pauses: they outlive assignments.
    pub(crate) paused: PartitionSet,
    /// In the order in which they were sent.
    pub(crate) commits: Vec<InFlight>,
    pub(crate) late: Vec<crate::group::Commit>,
}

/// What the next exchange will be.
enum Step {
    Tell,
    Join,
    Joined(u32),
    Sync,
    Rebalance,
    Fenced,
    Heartbeat,
    Leave,
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
            paused: PartitionSet::new(),
            commits: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Its group.
    pub fn group(&self) -> GroupId {
        self.group
    }

    /// Its id in the group, by its own account.
    pub fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Its generation, or epoch, by its own account.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// What the application has been told and has not answered.
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

    /// What the application has assigned.
    pub fn assignment(&self) -> PartitionSet {
        self.readers.iter().map(|r| r.partition).collect()
    }

    /// Whether [`Client::exchange`] would change anything.
    pub fn may_exchange(&self, cluster: &Cluster<R>) -> bool {
        self.step(cluster.group(self.group)).is_some()
    }

    /// One exchange with the coordinator: a heartbeat, a join, a sync, or the way out, whatever is
    /// next. Does nothing when nothing is. Returns what the application is to be told.
    pub fn exchange(&mut self, cluster: &mut Cluster<R>) -> Option<Notice> {
        let step = self.step(cluster.group(self.group))?;
        self.perform(step, cluster);
        let notice = self.due()?;
        self.announce = false;
        // librdkafka pauses the whole assignment until the answer.
        self.readers.iter_mut().for_each(Reader::drop_ahead);
        self.told = Some(notice.clone());
        Some(notice)
    }

    /// The application closes the consumer. A last revoke follows, if it has partitions; then it
    /// commits, leaves the group and is closed.
    pub fn leave(&mut self) {
        self.leaving = true;
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
    /// # Errors
    /// These are not the partitions it was told of.
    pub fn assign(&mut self, starts: &[(PartitionId, i64)]) -> Result<(), NotAssigned> {
        let partitions: PartitionSet = starts.iter().map(|(p, _)| *p).collect();
        match &self.told {
            Some(Notice::Assign(told)) if *told == partitions => self.told = None,
            _ => return Err(NotAssigned),
        }
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
        let (gone, kept) = std::mem::take(&mut self.readers)
            .into_iter()
            .partition(|reader| partitions.contains(reader.partition));
        self.readers = kept;
        self.told = None;
        if self.lost {
            self.fall_out_if_lost();
        } else {
            let gone: Vec<Reader<R>> = gone;
            let stored = gone.into_iter();
            let stored = stored.filter_map(|r| Some((r.partition, r.stored?)));
            self.send(stored.collect(), false);
        }
        Ok(())
    }

    fn step(&self, group: &Group) -> Option<Step> {
        let fenced = self.fenced(group);
        if self.told.is_some() {
            // Heartbeats go on while the application takes its time.
            let revoke = matches!(self.told, Some(Notice::Revoke { lost: false, .. }));
            return (revoke && fenced && !self.lost).then_some(Step::Fenced);
        }
        if self.due().is_some() {
            return Some(Step::Tell);
        }
        let commits_answered = self.commits.is_empty();
        if self.leaving && commits_answered && self.state != State::Closed {
            return Some(Step::Leave);
        }
        match self.state {
            State::Closed => None,
            State::Out if fenced && self.member.is_some() => Some(Step::Fenced),
            State::Out | State::Rejoining => commits_answered.then_some(Step::Join),
            _ if fenced => Some(Step::Fenced),
            State::Joining => {
                let joined = group.joined(self.member?).ok()??;
                Some(Step::Joined(joined))
            }
            State::Syncing if group.phase == Phase::PreparingRebalance => Some(Step::Rebalance),
            State::Syncing => Some(Step::Sync),
            State::Stable if group.protocol == Protocol::Consumer => self.news(group),
            State::Stable => {
                let preparing = group.phase == Phase::PreparingRebalance;
                preparing.then_some(Step::Rebalance)
            }
        }
    }

    /// Whether the coordinator would refuse a heartbeat.
    fn fenced(&self, group: &Group) -> bool {
        let Some(member) = self.member else {
            return false;
        };
        match (group.find(member), group.protocol, self.state) {
            (None, ..) => true,
            (Some(member), Protocol::Consumer, _) => member.epoch != self.generation,
            (_, _, State::Syncing | State::Stable) => group.generation != self.generation,
            _ => false,
        }
    }

    /// KIP-848: whether a heartbeat would bring or do something.
    fn news(&self, group: &Group) -> Option<Step> {
        let at = group.at(self.member?).ok()?;
        let known = &group.members[at];
        let (epoch, assigned, revoking) = group.progress(at, &self.owned(group));
        let same = epoch == known.epoch && assigned == known.assigned && revoking == known.revoking;
        let resend = self.commits.iter().any(|commit| commit.stale);
        (!same || assigned != self.given || resend).then_some(Step::Heartbeat)
    }

    /// What a heartbeat says it has. What was given back counts until its commit is answered.
    fn owned(&self, group: &Group) -> PartitionSet {
        let mut owned = self.assignment();
        if let (false, Some(member)) = (self.commits.is_empty(), self.member)
            && let Some(member) = group.find(member)
        {
            owned = owned.union(&member.revoking);
        }
        owned
    }

    fn perform(&mut self, step: Step, cluster: &mut Cluster<R>) {
        let topics = cluster.topics.clone();
        let group = &mut cluster.groups[self.group.index()];
        match step {
            Step::Tell => {}
            Step::Join if group.protocol == Protocol::Consumer => {
                self.member = Some(group.enter(&self.topics, &topics));
                self.state = State::Stable;
                self.announce = true;
                self.heartbeat(group);
            }
            Step::Join => {
                let owned = self.assignment();
                match group.join(self.member, &self.topics, owned, &topics) {
                    Ok(member) => {
                        self.member = Some(member);
                        self.state = State::Joining;
                    }
                    Err(_) => self.fence(),
                }
            }
            Step::Joined(generation) => {
                self.generation = generation;
                self.state = State::Syncing;
            }
            Step::Sync => {
                let assigned = self.member.map(|m| group.sync(m, self.generation));
                if let Some(Ok(assigned)) = assigned {
                    let revoked = !self.assignment().minus(&assigned).is_empty();
                    self.state = if revoked {
                        State::Rejoining
                    } else {
                        State::Stable
                    };
                    self.announce = true;
                    self.given = assigned;
                }
            }
            Step::Rebalance => {
                self.state = State::Rejoining;
                if group.protocol == Protocol::Eager {
                    self.given = PartitionSet::new();
                }
            }
            Step::Fenced => self.fence(),
            Step::Heartbeat => self.heartbeat(group),
            Step::Leave => {
                if let Some(member) = self.member.take() {
                    // A member the group does not know has left already.
                    let _ = group.remove(member, &topics);
                }
                self.state = State::Closed;
            }
        }
    }

    fn heartbeat(&mut self, group: &mut Group) {
        let owned = self.owned(group);
        let answer = self
            .member
            .map(|m| group.reconcile(m, self.generation, &owned));
        match answer {
            Some(Ok((epoch, given))) => {
                self.generation = epoch;
                self.given = given;
                self.resend(epoch);
            }
            _ => self.fence(),
        }
    }

    /// The group goes on without it, and it has found out. What it still has is lost.
    pub(crate) fn fence(&mut self) {
        self.member = None;
        self.generation = 0;
        self.lost = true;
        self.fall_out_if_lost();
    }

    /// It joins anew once the application has given back everything that is lost.
    fn fall_out_if_lost(&mut self) {
        if self.lost && self.told.is_none() && self.readers.is_empty() {
            self.lost = false;
            self.commits.retain(|commit| !commit.stale);
            self.given = PartitionSet::new();
            self.announce = false;
            self.state = State::Out;
        }
    }

    /// What the application is to be told next.
    fn due(&self) -> Option<Notice> {
        if self.told.is_some() || self.state == State::Closed {
            return None;
        }
        let mine = self.assignment();
        let revoke = |partitions: PartitionSet, lost| {
            let notice = Notice::Revoke { partitions, lost };
            Some(notice)
        };
        if self.lost {
            return revoke(mine, true);
        }
        if self.leaving {
            return if mine.is_empty() {
                None
            } else {
                revoke(mine, false)
            };
        }
        if !matches!(self.state, State::Stable | State::Rejoining) {
            return None;
        }
        let back = mine.minus(&self.given);
        if !back.is_empty() {
            return revoke(back, false);
        }
        let new = self.given.minus(&mine);
        (self.announce || !new.is_empty()).then_some(Notice::Assign(new))
    }

    /// Refuses a classic commit's way: see [`Client::answer_commit`].
    pub(crate) fn refused(&mut self, error: GroupError, protocol: Protocol) {
        let steady = self.state == State::Stable && self.told.is_none();
        match (protocol, error) {
            (Protocol::Consumer, _) => {}
            (_, GroupError::UnknownMember) => self.fence(),
            (_, GroupError::IllegalGeneration) if steady => self.fence(),
            _ => {}
        }
    }

    pub(crate) fn steady(&self) -> bool {
        self.state == State::Stable && self.told.is_none() && !self.lost
    }

    /// What is stored for a partition.
    pub fn stored(&self, partition: PartitionId) -> Option<&Committed> {
        self.reader(partition)?.stored.as_ref()
    }
}
