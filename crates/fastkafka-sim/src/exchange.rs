//! The client's side of the group protocols: what it exchanges with the coordinator, and when.

use crate::client::{Client, Notice, State};
use crate::cluster::Cluster;
use crate::group::{Group, Phase, Protocol};
use crate::ids::PartitionSet;
use crate::reader::Reader;

/// The next exchange.
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
            State::Out | State::Rejoining | State::GivingBack => {
                commits_answered.then_some(Step::Join)
            }
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

    /// The partitions that a heartbeat reports. One that was given back counts until its commit is answered.
    fn owned(&self, group: &Group) -> PartitionSet {
        let mut owned = self.held();
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
                self.heartbeat(group);
            }
            Step::Join => {
                let owned = self.held();
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
                    let revoked = !self.held().minus(&assigned).is_empty();
                    self.state = if revoked {
                        State::Rejoining
                    } else {
                        State::Stable
                    };
                    self.announce = true;
                    self.given = assigned;
                }
            }
            Step::Rebalance if group.protocol == Protocol::Eager => {
                self.state = State::GivingBack;
            }
            Step::Rebalance => self.state = State::Rejoining,
            Step::Fenced if self.member.is_some_and(|m| group.has(m)) => self.lose(),
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

    /// The next notice for the application.
    fn due(&self) -> Option<Notice> {
        if self.told.is_some() || self.state == State::Closed {
            return None;
        }
        let mine = self.held();
        let revoke = |partitions, lost| Notice::Revoke { partitions, lost };
        if self.lost {
            return Some(revoke(mine, true));
        }
        if self.leaving || self.state == State::GivingBack {
            return (!mine.is_empty()).then(|| revoke(mine, false));
        }
        if !matches!(self.state, State::Stable | State::Rejoining) {
            return None;
        }
        let back = mine.minus(&self.given);
        if !back.is_empty() {
            return Some(revoke(back, false));
        }
        let new = self.given.minus(&mine);
        if self.announce {
            // After a revoke its commit comes first.
            return self.commits.is_empty().then_some(Notice::Assign(new));
        }
        (!new.is_empty()).then_some(Notice::Assign(new))
    }

    /// The group does not know it any more, and it has found out.
    pub(crate) fn fence(&mut self) {
        self.member = None;
        self.lose();
    }

    /// The partitions that it still has are lost. It joins again once the application has given them back.
    pub(crate) fn lose(&mut self) {
        self.generation = 0;
        self.lost = true;
        self.fall_out_if_lost();
    }

    pub(crate) fn fall_out_if_lost(&mut self) {
        if self.lost && self.told.is_none() && self.held().is_empty() {
            self.lost = false;
            self.commits.retain(|commit| !commit.stale);
            self.given = PartitionSet::new();
            self.announce = false;
            self.state = State::Out;
        }
    }
}
