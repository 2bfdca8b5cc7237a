//! The model: nothing happens but by a call, so a poll is an exchange and time passes when asked.

use crate::cluster::{Cluster, Commit, MemberId, New};
use conformance::{Answer, Ask, Fetched, Protocol, Seen};
use fastkafka_sim::{
    Answer as Fate, Assignor, Client, Cluster as Model, Committed, GroupId, Notice, PartitionId,
    PartitionSet,
};
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

/// Who has which partitions, by the order of joining.
pub(crate) type Assignments = Vec<Vec<i32>>;

/// The assignments that a model shall come to one after another, when somebody else decides.
pub(crate) type Wanted = Rc<RefCell<VecDeque<Assignments>>>;

struct Member {
    client: Client<()>,
    topic: String,
    /// Where it was told already that the log has no such offset.
    told: BTreeSet<(i32, i64)>,
    /// Frozen or killed: its session will end.
    silent: bool,
}

#[derive(Default)]
pub(crate) struct Sim {
    model: Model<()>,
    members: Vec<Member>,
    /// Topics have grown and nobody has noticed.
    grown: bool,
    /// What somebody else has decided about who gets what, by the order of joining.
    wanted: Option<Wanted>,
}

impl Sim {
    /// One that gives partitions to whom it is told.
    #[cfg_attr(
        not(feature = "kafka"),
        expect(dead_code, reason = "only Kafka leads the model")
    )]
    pub(crate) fn following(wanted: Wanted) -> Self {
        Self {
            wanted: Some(wanted),
            ..Self::default()
        }
    }

    /// Goes for the wanted assignments; false if they are what everybody goes for.
    fn follow(&mut self) -> bool {
        let Some(wanted) = &self.wanted else {
            return false;
        };
        let wanted = wanted.borrow();
        let now = wanted.front().into_iter().flatten();
        let members = self.members.iter().zip(now);
        let targets: Vec<_> = members
            .filter_map(|(member, partitions)| {
                let partitions = partitions.iter().map(|p| self.partition(&member.topic, *p));
                let (group, id) = (member.client.group(), member.client.member()?);
                let known = self.model.group(group).has(id);
                known.then(|| (group, id, partitions.collect::<PartitionSet>()))
            })
            .collect();
        let news =
            |(group, id, target): &(_, _, _)| self.model.group(*group).target(*id) != *target;
        if !targets.iter().any(news) {
            return false;
        }
        let group = targets[0].0;
        let targets = targets.into_iter().map(|(_, id, target)| (id, target));
        self.model
            .reassign(group, targets)
            .expect("all are members");
        true
    }

    fn partition(&self, topic: &str, partition: i32) -> PartitionId {
        let topic = self.model.topic(topic).expect("the topic exists");
        self.model.partitions(topic)[usize::try_from(partition).unwrap()]
    }

    fn indices(&self, set: &PartitionSet) -> Vec<i32> {
        set.iter().map(|p| self.model.place(p).1).collect()
    }

    /// Whatever was sent arrives.
    fn arrive(&mut self, member: MemberId) -> Result<(), String> {
        let client = &mut self.members[member].client;
        let mut last = Ok(());
        while let Some(answer) = client.answer_commit(&mut self.model, Fate::Arrives) {
            last = answer.map_err(|e| e.to_string());
        }
        last
    }

    fn poll(&mut self, member: MemberId) -> Vec<Seen> {
        // A refusal shows in what follows.
        let _ = self.arrive(member);
        let notice = self.members[member].client.exchange(&mut self.model);
        let seen = notice.map(|notice| match notice {
            Notice::Assign(partitions) => Seen::Assign(self.indices(&partitions)),
            Notice::Revoke { partitions, lost } => Seen::Revoke {
                partitions: self.indices(&partitions),
                lost,
            },
        });
        seen.into_iter().collect()
    }

    fn fetch(&mut self, member: MemberId, only: Option<i32>, max: usize) -> Vec<Fetched> {
        let Member { client, told, .. } = &mut self.members[member];
        let mut fetched = Vec::new();
        for id in client.assignment().iter() {
            let partition = self.model.place(id).1;
            if only.is_some_and(|only| only != partition) {
                continue;
            }
            // As a client does in the background.
            client.read_ahead(&self.model, id, 1_000);
            match client.fetch(&self.model, id, max - fetched.len()) {
                Ok(entries) => fetched.extend(entries.iter().map(|entry| Fetched::Record {
                    partition,
                    offset: entry.offset,
                })),
                Err(_) => {
                    let position = client.position(id).expect("assigned");
                    if told.insert((partition, position)) {
                        fetched.push(Fetched::OutOfRange { partition });
                    }
                }
            }
        }
        fetched
    }

    fn assign(&mut self, member: MemberId, starts: &[(i32, i64)]) -> Result<(), String> {
        let topic = &self.members[member].topic;
        let starts = starts.iter().map(|&(p, at)| (self.partition(topic, p), at));
        let starts: Vec<_> = starts.collect();
        let client = &mut self.members[member].client;
        client.assign(&starts).map_err(|e| e.to_string())?;
        for (partition, _) in starts {
            // A client keeps its pauses; who takes an assignment begins without.
            client.pause(partition, false).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// An eager group gives up everything to move one partition.
    fn seek(&mut self, member: MemberId, moved: PartitionId, to: i64) -> Result<(), String> {
        let Member { client, told, .. } = &mut self.members[member];
        told.clear();
        let eager = self.model.group(client.group()).protocol() == fastkafka_sim::Protocol::Eager;
        for partition in client.assignment().iter() {
            let at = client.position(partition).expect("it is assigned");
            let at = if partition == moved { to } else { at };
            if eager || partition == moved {
                client.restart(partition, at).map_err(|e| e.to_string())?;
            }
        }
        self.arrive(member)
    }

    fn close(&mut self, member: MemberId) -> Result<(), String> {
        self.members[member].client.leave();
        while !self.members[member].client.closed() {
            let refused = self.arrive(member);
            let client = &mut self.members[member].client;
            if !client.may_exchange(&self.model) {
                return refused.and(Err("it cannot be closed".into()));
            }
            client.exchange(&mut self.model);
            if client.told().is_some() {
                client.unassign().map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    }

    /// The group and the id of a silent member that the group still counts in.
    fn overdue(&self) -> Option<(GroupId, fastkafka_sim::MemberId)> {
        self.members.iter().find_map(|member| {
            let (group, id) = (member.client.group(), member.client.member()?);
            (member.silent && self.model.group(group).has(id)).then_some((group, id))
        })
    }
}

impl Cluster for Sim {
    fn create_topic(&mut self, topic: &str, partitions: i32) {
        self.model
            .create_topic(topic, usize::try_from(partitions).unwrap());
    }

    fn grow(&mut self, topic: &str, total: i32) {
        self.create_topic(topic, total);
        self.grown = true;
    }

    fn append(&mut self, topic: &str, record: &New) -> (i32, i64) {
        let partition = record
            .partition
            .expect("the model has no partitioner: who writes says where");
        let id = self.partition(topic, partition);
        let offset = self.model.append(id, (), record.timestamp.unwrap_or(0));
        (partition, offset)
    }

    fn append_aborted(&mut self, topic: &str, partition: i32, records: usize) {
        let id = self.partition(topic, partition);
        // Nobody ever sees an aborted record: it is an offset that is taken, like its marker.
        for _ in 0..=records {
            self.model.append_marker(id);
        }
    }

    fn delete_below(&mut self, topic: &str, partition: i32, offset: i64) {
        self.model
            .delete_before(self.partition(topic, partition), offset);
    }

    fn bounds(&mut self, topic: &str, partition: i32) -> (i64, i64) {
        let log = self.model.log(self.partition(topic, partition));
        let log = log.expect("the partition exists");
        (log.low(), log.high())
    }

    fn offset_for_time(&mut self, topic: &str, partition: i32, at: i64) -> Option<i64> {
        self.model
            .offset_for_time(self.partition(topic, partition), at)
    }

    fn committed(&mut self, group: &str, topic: &str, partition: i32) -> Option<Commit> {
        let group = self.model.find_group(group)?;
        let id = self.partition(topic, partition);
        let committed = self.model.committed(group, id)?;
        let metadata = committed.metadata.as_deref().unwrap_or_default();
        Some((committed.offset, metadata.to_owned()))
    }

    fn join(&mut self, group: &str, topic: &str, protocol: Protocol) -> MemberId {
        use fastkafka_sim::Protocol as P;
        let (protocol, assignor) = match protocol {
            Protocol::Eager => (P::Eager, Assignor::Range),
            Protocol::Cooperative => (P::Cooperative, Assignor::Sticky),
            Protocol::Consumer => (P::Consumer, Assignor::Sticky),
        };
        let led = self.wanted.is_some();
        let assignor = if led { Assignor::Explicit } else { assignor };
        let group = self.model.create_group(group, protocol, assignor);
        let id = self.model.topic(topic).expect("the topic exists");
        self.members.push(Member {
            client: Client::new(group, [id]),
            topic: topic.to_owned(),
            told: BTreeSet::new(),
            silent: false,
        });
        self.members.len() - 1
    }

    fn ask(&mut self, member: MemberId, ask: &Ask) -> Answer {
        let topic = self.members[member].topic.clone();
        let id = |p: &i32| self.partition(&topic, *p);
        let done = match ask {
            Ask::Poll => return Answer::Seen(self.poll(member)),
            Ask::Fetch { partition, max } => {
                return Answer::Records(self.fetch(member, *partition, *max));
            }
            Ask::Position(p) => {
                let id = id(p);
                return Answer::Position(self.members[member].client.position(id));
            }
            Ask::Assign(starts) => return Answer::Done(self.assign(member, starts)),
            Ask::Close => return Answer::Done(self.close(member)),
            Ask::Commit => {
                self.members[member].client.send_commit();
                return Answer::Done(self.arrive(member));
            }
            Ask::CommitAt(p, offset, metadata) => {
                let committed = Committed {
                    offset: *offset,
                    metadata: Some(Arc::from(metadata.as_str())),
                };
                let offsets = vec![(id(p), committed)];
                self.members[member].client.commit(offsets);
                return Answer::Done(self.arrive(member));
            }
            Ask::Unassign(_) => self.members[member].client.unassign(),
            Ask::Store(p, offset) => {
                let id = id(p);
                self.members[member].client.store(id, *offset)
            }
            Ask::Pause(p, pause) => {
                let id = id(p);
                self.members[member].client.pause(id, *pause)
            }
            Ask::Seek(p, offset) => return Answer::Done(self.seek(member, id(p), *offset)),
            Ask::Unsubscribe => {
                self.members[member].client.leave();
                Ok(())
            }
        };
        Answer::Done(done.map_err(|e| e.to_string()))
    }

    fn freeze(&mut self, member: MemberId) {
        self.members[member].silent = true;
    }

    fn thaw(&mut self, member: MemberId) {
        self.members[member].silent = false;
    }

    fn kill(&mut self, member: MemberId) {
        self.members[member].silent = true;
    }

    /// Sessions end, and changes of topics are noticed, only while nobody has anything to do.
    fn pass(&mut self) -> bool {
        let mut heard = self.members.iter().filter(|m| !m.silent);
        if heard.any(|m| m.client.commit_in_flight() || m.client.may_exchange(&self.model)) {
            return true;
        }
        if std::mem::take(&mut self.grown) {
            for member in &self.members {
                self.model.rebalance(member.client.group());
            }
            return true;
        }
        let Some((group, id)) = self.overdue() else {
            return self.follow();
        };
        self.model.expire(group, id).expect("it is a member");
        true
    }
}
