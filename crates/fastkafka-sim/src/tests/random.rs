//! Random schedules, and what must hold of them whatever happens. The oracle looks at clients and
//! committed offsets only, never into a group.

use super::kit::{PROTOCOLS, World};
use crate::*;

const CLIENTS: usize = 3;
const PARTITIONS: usize = 3;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % n
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Action {
    Exchange,
    Answer,
    Work,
    SendCommit,
    Commit(Answer),
    ArriveLate,
    Leave,
    Crash,
    Expire,
    TimeOut,
    Reassign(usize),
    Grow,
}

fn draw(random: &mut Random) -> (usize, Action) {
    let client = random.below(CLIENTS);
    let action = match random.below(60) {
        0..24 => Action::Exchange,
        24..34 => Action::Answer,
        34..42 => Action::Work,
        42..46 => Action::SendCommit,
        46..52 => Action::Commit(Answer::Arrives),
        52 => Action::Commit(Answer::Lost),
        53 => Action::Commit(Answer::AnswerLost),
        54 => Action::Commit(Answer::Late),
        55 => Action::ArriveLate,
        56 => Action::Leave,
        57 => [Action::Crash, Action::TimeOut][random.below(2)],
        58 => [Action::Expire, Action::Grow][random.below(2)],
        _ => Action::Reassign(random.below(CLIENTS.pow(3))),
    };
    (client, action)
}

impl World {
    fn act(&mut self, at: usize, action: Action) {
        match action {
            Action::Exchange => {
                let (may, before) = (
                    self.clients[at].may_exchange(&self.cluster),
                    (self.cluster.clone(), self.clients[at].clone()),
                );
                self.exchange(at);
                let same = before == (self.cluster.clone(), self.clients[at].clone());
                assert_eq!(may, !same, "may_exchange tells whether it changes anything");
            }
            Action::Answer => self.answer(at),
            Action::Work => self.work(at),
            Action::SendCommit => drop(self.clients[at].send_commit()),
            Action::Commit(answer) => {
                self.clients[at].answer_commit(&mut self.cluster, answer);
            }
            Action::ArriveLate => {
                self.clients[at].arrive_late(&mut self.cluster);
            }
            Action::Leave => self.clients[at].leave(),
            Action::Crash => self.clients[at] = Client::new(self.group, [self.topic]),
            Action::Expire => {
                let members: Vec<_> = self.cluster.group(self.group).members().collect();
                if let Some(member) = members.get(at) {
                    self.cluster.expire(self.group, *member).unwrap();
                }
            }
            Action::TimeOut => self.clients[at].session_timeout(),
            Action::Reassign(choice) => self.distribute(choice),
            Action::Grow => {
                self.cluster.create_topic("in", PARTITIONS + 1);
                self.cluster.rebalance(self.group);
            }
        }
        if self.clients[at].closed() {
            self.clients[at] = Client::new(self.group, [self.topic]);
        }
    }

    /// Any part of any member moves: the choice is a number in base `CLIENTS`.
    fn distribute(&mut self, mut choice: usize) {
        let members: Vec<_> = self.cluster.group(self.group).members().collect();
        if members.is_empty() {
            return;
        }
        let mut targets = vec![PartitionSet::new(); members.len()];
        for partition in self.cluster.partitions(self.topic) {
            targets[choice % CLIENTS % members.len()].insert(*partition);
            choice /= CLIENTS;
        }
        let targets = members.into_iter().zip(targets);
        self.cluster.reassign(self.group, targets).unwrap();
    }

    /// Reads one record of each partition and stores behind it.
    fn work(&mut self, at: usize) {
        for partition in self.clients[at].assignment().iter() {
            let records = self.clients[at].fetch(&self.cluster, partition, 1).unwrap();
            if let Some(record) = records.last() {
                self.clients[at]
                    .store(partition, record.offset + 1)
                    .unwrap();
            }
        }
    }

    fn offsets(&self) -> Vec<i64> {
        let partitions = self.cluster.partitions(self.topic).iter();
        let committed = |p: &PartitionId| self.cluster.committed(self.group, *p);
        partitions
            .map(|p| committed(p).map_or(0, |c| c.offset))
            .collect()
    }
}

fn walk(protocol: Protocol, assignor: Assignor, seed: u64) {
    let mut random = Random(seed);
    let mut world = World::new(protocol, assignor, PARTITIONS);
    for _ in 0..CLIENTS {
        world.clients.push(Client::new(world.group, [world.topic]));
    }
    let mut committed = world.offsets();
    for _ in 0..200 {
        let (at, action) = draw(&mut random);
        world.act(at, action);
        assert!(world.double_owned().is_empty(), "{action:?}");
        let now = world.offsets();
        // Within one generation a late commit may undo a younger one; nothing else ever goes back.
        if !matches!(action, Action::ArriveLate) {
            assert!(
                committed.iter().zip(&now).all(|(a, b)| a <= b),
                "{action:?}"
            );
        }
        committed = now;
    }
    // The faults are over: sessions of those that crashed expire, the others come to rest.
    let members: Vec<_> = world.cluster.group(world.group).members().collect();
    for member in members {
        if !world.clients.iter().any(|c| c.member() == Some(member)) {
            world.cluster.expire(world.group, member).unwrap();
        }
    }
    world.settle();
    for client in &mut world.clients {
        if client.closed() {
            *client = Client::new(world.group, [world.topic]);
        }
    }
    world.settle();
    if assignor == Assignor::Explicit {
        world.distribute(random.below(CLIENTS.pow(3)));
    } else {
        world.cluster.rebalance(world.group);
    }
    world.settle();
    assert!(world.double_owned().is_empty());
    let loads: Vec<_> = world.assignments().iter().map(PartitionSet::len).collect();
    let all = world.cluster.partitions(world.topic).len();
    assert_eq!(
        loads.iter().sum::<usize>(),
        all,
        "a partition without an owner"
    );
    if assignor != Assignor::Explicit {
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        assert!(most - least <= 1, "out of balance: {loads:?}");
    }
}

#[test]
fn every_partition_has_one_owner_at_most_and_at_rest_exactly_one() {
    for protocol in PROTOCOLS {
        for assignor in [Assignor::Range, Assignor::Sticky, Assignor::Explicit] {
            for seed in 1..=100 {
                let run = || walk(protocol, assignor, seed);
                let result = std::panic::catch_unwind(run);
                assert!(result.is_ok(), "{protocol:?} {assignor:?} seed {seed}");
            }
        }
    }
}

#[test]
fn renumbering_changes_nothing_that_a_client_sees() {
    for protocol in PROTOCOLS {
        for seed in 1..=100 {
            let mut random = Random(seed);
            let mut world = World::new(protocol, Assignor::Explicit, PARTITIONS);
            for _ in 0..CLIENTS {
                world.clients.push(Client::new(world.group, [world.topic]));
            }
            let mut other = World {
                cluster: world.cluster.clone(),
                clients: world.clients.clone(),
                ..world
            };
            for _ in 0..200 {
                let (at, action) = draw(&mut random);
                // Those two name members by their place in the group, which renumbering changes.
                if matches!(action, Action::Expire | Action::Reassign(_)) {
                    let Some(member) = world.clients[at].member() else {
                        continue;
                    };
                    let twin = other.clients[at].member().unwrap();
                    assert_eq!(
                        world.is_member(&world.clients[at]),
                        other.is_member(&other.clients[at])
                    );
                    if matches!(action, Action::Expire) {
                        let _ = world.cluster.expire(world.group, member);
                        let _ = other.cluster.expire(other.group, twin);
                    } else {
                        world.take_all(at);
                        other.take_all(at);
                    }
                } else {
                    world.act(at, action);
                    other.act(at, action);
                }
                other.cluster.renumber(&mut other.clients);
                assert_eq!(
                    world.assignments(),
                    other.assignments(),
                    "{protocol:?} seed {seed}"
                );
                assert_eq!(world.offsets(), other.offsets(), "{protocol:?} seed {seed}");
                for (one, two) in world.clients.iter().zip(&other.clients) {
                    assert_eq!((one.told(), one.lost()), (two.told(), two.lost()));
                }
            }
        }
    }
}

impl World {
    /// One member is to have everything.
    fn take_all(&mut self, at: usize) {
        let group = self.cluster.group(self.group);
        let Some(mine) = self.clients[at].member().filter(|m| group.has(*m)) else {
            return;
        };
        let all: PartitionSet = self
            .cluster
            .partitions(self.topic)
            .iter()
            .copied()
            .collect();
        let members: Vec<_> = group.members().collect();
        let targets = members.into_iter().map(|member| {
            let target = if member == mine {
                all.clone()
            } else {
                PartitionSet::new()
            };
            (member, target)
        });
        self.cluster.reassign(self.group, targets).unwrap();
    }
}
