//! The parts of a state, and its digest, in which equal situations are equal.

use super::{Budget, MEMBERS, PARTS, Scope, Set, ones};
use crate::oracle::{Ledger, View};
use arrayvec::ArrayVec;
use fastkafka_engine::{Engine, PartIndex, RunId, Time};
use fastkafka_sim::{Assignor, Client, Cluster, GroupId, Notice, PartitionId, TopicId};
use std::hash::{Hash, Hasher};

/// Everything the future depends on.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Time,
    pub(crate) cluster: Cluster<u8>,
    pub(crate) topic: TopicId,
    pub(crate) group: GroupId,
    pub(crate) members: ArrayVec<Member, MEMBERS>,
    pub(crate) ledger: Ledger,
    pub(crate) left: Budget,
}

/// A process: engine, client, and whatever it has begun.
#[derive(Clone, Debug)]
pub struct Member {
    pub(crate) open: bool,
    pub(crate) closing: bool,
    pub(crate) room: bool,
    pub(crate) engine: Engine,
    pub(crate) client: Client<u8>,
    /// Started and not closed, oldest first.
    pub(crate) jobs: Vec<Job>,
    pub(crate) letters: ArrayVec<Letter, 4>,
    /// The answer of a lane to a cut that the engine has not got yet.
    pub(crate) ended: [Option<Ended>; PARTS],
    pub(crate) views: [View; PARTS],
    /// Starts that were looked up and are not committed.
    pub(crate) resolved: [Option<i64>; PARTS],
    /// Partitions whose log ends before the position.
    pub(crate) truncated: Set,
    /// For planted bugs: what was thought to be committed, and what a lost assignment had read.
    pub(crate) thought: [i64; PARTS],
}

/// A started run: with its lane or a task, later with the producer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) p: u8,
    pub(crate) run: RunId,
    pub(crate) cut: u32,
    pub(crate) set: Set,
    /// The offset after it.
    pub(crate) next: i64,
    /// One call for all of it.
    pub(crate) unit: bool,
    pub(crate) in_hand: Set,
    pub(crate) handled: Set,
    pub(crate) acked: Set,
    pub(crate) lost: Set,
    /// No more of it will be handled.
    pub(crate) over: bool,
    pub(crate) is_cut: bool,
}

/// A dead letter under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    pub(crate) p: u8,
    pub(crate) run: RunId,
    pub(crate) i: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) cut: u32,
    pub(crate) at: Option<i64>,
}

impl Job {
    /// Outputs that no report has come for.
    pub(crate) fn pending(&self) -> Set {
        self.handled & !self.acked & !self.lost
    }

    /// The first record whose outputs are not all acknowledged.
    pub(crate) fn prefix(&self) -> Option<usize> {
        ones(self.set & !self.acked).next()
    }

    pub(crate) fn settled(&self) -> Set {
        self.prefix()
            .map_or(self.set, |i| self.set & super::below(i))
    }

    pub(crate) fn offset(&self, scope: &Scope, i: Option<usize>) -> i64 {
        i.map_or(self.next, |i| scope.offset(self.p.into(), i))
    }
}

pub(crate) fn part(p: usize) -> PartIndex {
    PartIndex(p as u32)
}

impl Member {
    pub(crate) fn new(scope: &Scope, group: GroupId, topic: TopicId) -> Self {
        let mut engine = Engine::new(scope.limits);
        let handler = engine.handler(scope.policy.clone());
        for _ in 0..PARTS {
            engine.add(handler);
        }
        Member {
            open: true,
            closing: false,
            room: true,
            engine,
            client: Client::new(group, [topic]),
            jobs: Vec::new(),
            letters: ArrayVec::new(),
            ended: [None; PARTS],
            views: Default::default(),
            resolved: [None; PARTS],
            truncated: 0,
            thought: [0; PARTS],
        }
    }

    /// After a shutdown it stays in the group until what it has in hand has ended.
    pub(crate) fn leave_when_drained(&mut self) {
        if self.closing && !self.engine.open() {
            self.client.leave();
        }
    }

    /// Begins nothing of what it is told it has: on the way out, the revoke follows.
    pub(crate) fn decline(&mut self) {
        let Some(Notice::Assign(told)) = self.client.told() else {
            return;
        };
        let told: ArrayVec<_, PARTS> = told.iter().map(|id| (id, 0)).collect();
        self.resolved = Default::default();
        let answered = self.client.assign(&told);
        answered.expect("an answer to what was told");
    }

    /// Whether no result of a job counts any more.
    pub(crate) fn is_stale(&self, job: &Job) -> bool {
        self.views[usize::from(job.p)].owned_by(job.run) == 0
    }

    /// Whether anything it has begun is not over.
    /// Whether nothing of a partition is at work, for whichever assignment.
    pub(crate) fn is_drained(&self, p: usize) -> bool {
        // Of a batch with a lost output the other records are not known to be open before every
        // output is reported.
        let runs = |job: &Job| usize::from(job.p) == p && (!job.over || job.unit);
        let halted = self.ended[p].is_none() && !self.jobs.iter().any(runs);
        halted && !self.views[p].under_way()
    }

    pub(crate) fn at_work(&self) -> bool {
        !self.jobs.is_empty() || !self.letters.is_empty() || self.ended.iter().any(Option::is_some)
    }

    fn digest(&self, now: Time, to: &mut impl Hasher) {
        (self.open, self.closing, self.room).hash(to);
        (self.resolved, self.truncated, self.thought).hash(to);
        let mut names: ArrayVec<RunId, 32> = ArrayVec::new();
        let mut name = |run: RunId| match names.iter().position(|known| *known == run) {
            Some(i) => i as u64,
            None => {
                names.push(run);
                names.len() as u64 - 1
            }
        };
        self.engine.digest(now, &[part(0), part(1)], &mut name, to);
        let mut jobs: ArrayVec<&Job, 16> = self.jobs.iter().collect();
        jobs.sort_by_key(|job| (job.p, job.set, job.run));
        for job in jobs {
            let (p, current) = (part(job.p.into()), self.engine.cut(part(job.p.into())));
            name(job.run).hash(to);
            (p, job.cut == current, job.set, job.next, job.unit).hash(to);
            (job.in_hand, job.handled, job.acked, job.lost).hash(to);
            (job.over, job.is_cut, self.engine.is_current(p, job.run)).hash(to);
        }
        for letter in &self.letters {
            (name(letter.run), letter.p, letter.i).hash(to);
        }
        for (p, view) in self.views.iter().enumerate() {
            let current = self.engine.cut(part(p));
            self.ended[p]
                .map(|ended| (ended.cut == current, ended.at))
                .hash(to);
            let deadline = view.revoking.map(|date| date.saturating_sub(now));
            (view.assigned, deadline, view.paused, view.stored).hash(to);
            view.letters.map(|run| run.map(&mut name)).hash(to);
            for fact in &view.facts {
                let due = fact.latest().saturating_sub(now);
                (fact.is, fact.owner.map(&mut name), fact.failures, due).hash(to);
                (fact.alone, fact.stopped, fact.freed).hash(to);
            }
        }
    }
}

impl World {
    pub(crate) fn new(scope: &Scope) -> Self {
        let mut cluster = Cluster::new();
        let first = if scope.grows { 1 } else { PARTS };
        let topic = cluster.create_topic("in", first);
        let group = cluster.create_group("group", scope.protocol, Assignor::Explicit);
        let members = (0..scope.members).map(|_| Member::new(scope, group, topic));
        let mut world = World {
            now: Time::ZERO,
            cluster,
            topic,
            group,
            members: members.collect(),
            ledger: Ledger::default(),
            left: scope.budget,
        };
        for p in 0..first {
            world.write(scope, p, scope.early[p]);
        }
        world
    }

    /// Appends the next records of a partition, with the gaps before them.
    pub(crate) fn write(&mut self, scope: &Scope, p: usize, count: usize) {
        let id = self.id(p);
        for _ in 0..count {
            let log = self.cluster.log(id).expect("a partition of the scope");
            let next = scope.index(p, log.high());
            let (offset, key) = scope.logs[p][next];
            for _ in log.high()..offset {
                self.cluster.append_marker(id);
            }
            self.cluster.append(id, key, 0);
        }
        if scope.tells_end {
            let high = self.high(p);
            let mut offsets = scope.logs[p].iter().map(|(offset, _)| *offset);
            let next = offsets.find(|offset| *offset >= high);
            for _ in high..next.unwrap_or(scope.ends[p]) {
                self.cluster.append_marker(id);
            }
        }
    }

    pub(crate) fn id(&self, p: usize) -> PartitionId {
        self.cluster.partitions(self.topic)[p]
    }

    /// The partitions that exist.
    pub(crate) fn parts(&self) -> usize {
        self.cluster.partitions(self.topic).len()
    }

    pub(crate) fn committed(&self, p: usize) -> Option<i64> {
        let committed = self.cluster.committed(self.group, self.id(p));
        committed.map(|committed| committed.offset)
    }

    /// The end of the log, by offset.
    pub(crate) fn high(&self, p: usize) -> i64 {
        self.cluster
            .log(self.id(p))
            .map_or(0, fastkafka_sim::Log::high)
    }

    /// Whether the group knows the member.
    pub(crate) fn belongs(&self, m: usize) -> bool {
        let member = self.members[m].client.member();
        member.is_some_and(|id| self.cluster.group(self.group).has(id))
    }
}

/// A world whose members come in a given order.
pub(crate) struct Named<'a> {
    pub(crate) world: &'a World,
    pub(crate) swapped: bool,
}

impl Hash for Named<'_> {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let world = self.world;
        if self.swapped {
            let mut cluster = world.cluster.clone();
            let clients = world.members.iter().rev().map(|x| x.client.clone());
            let mut clients: ArrayVec<Client<u8>, MEMBERS> = clients.collect();
            cluster.renumber(clients.iter_mut());
            cluster.group(world.group).hash(to);
            for (x, client) in world.members.iter().rev().zip(&clients) {
                x.digest(world.now, to);
                client.hash(to);
            }
        } else {
            world.cluster.group(world.group).hash(to);
            for x in &world.members {
                x.digest(world.now, to);
                x.client.hash(to);
            }
        }
        for p in 0..world.parts() {
            let log = world.cluster.log(world.id(p));
            log.map(|log| (log.low(), log.high())).hash(to);
        }
        (world.ledger, world.left).hash(to);
    }
}
