//! Every schedule of a small group to its end, with a fault or two.

use super::kit::{PROTOCOLS, World};
use crate::*;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(Clone, Copy, Debug, Hash)]
struct Faults {
    reassign: u8,
    expire: u8,
    lost: u8,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Exchange(usize),
    Answer(usize),
    Store(usize, PartitionId),
    SendCommit(usize),
    AnswerCommit(usize, Answer),
    Reassign(usize),
    Expire(usize),
}

struct Search {
    /// Finished, or still on the way to this state: then it is a cycle.
    seen: HashMap<u64, bool>,
    ends: usize,
}

impl Search {
    fn actions(world: &World, faults: Faults) -> (Vec<Action>, Vec<Action>) {
        let (mut own, mut faulty) = (Vec::new(), Vec::new());
        for (at, client) in world.clients.iter().enumerate() {
            if client.may_exchange(&world.cluster) {
                own.push(Action::Exchange(at));
            }
            if client.told().is_some() {
                own.push(Action::Answer(at));
            }
            for p in client.assignment().iter() {
                if client.stored(p).is_none() && client.position(p) == Some(0) {
                    own.push(Action::Store(at, p));
                }
            }
            if client.commits().next().is_none() && client.clone().send_commit() {
                own.push(Action::SendCommit(at));
            }
            if client.commit_in_flight() {
                own.push(Action::AnswerCommit(at, Answer::Arrives));
                if faults.lost > 0 {
                    faulty.push(Action::AnswerCommit(at, Answer::Lost));
                    faulty.push(Action::AnswerCommit(at, Answer::AnswerLost));
                }
            }
            if faults.expire > 0 && world.is_member(client) {
                faulty.push(Action::Expire(at));
            }
        }
        if faults.reassign > 0 && world.clients.iter().all(|c| world.is_member(c)) {
            faulty.extend((0..4).map(Action::Reassign));
        }
        (own, faulty)
    }

    fn apply(world: &mut World, action: Action, faults: &mut Faults) {
        match action {
            Action::Exchange(at) => drop(world.exchange(at)),
            Action::Answer(at) => world.answer(at),
            Action::Store(at, p) => world.clients[at].store(p, 1).unwrap(),
            Action::SendCommit(at) => drop(world.clients[at].send_commit()),
            Action::AnswerCommit(at, answer) => {
                faults.lost -= u8::from(answer != Answer::Arrives);
                world.clients[at].answer_commit(&mut world.cluster, answer);
            }
            Action::Expire(at) => {
                faults.expire -= 1;
                let member = world.member(at);
                world.cluster.expire(world.group, member).unwrap();
            }
            Action::Reassign(choice) => {
                faults.reassign -= 1;
                let (mine, theirs): (Vec<_>, Vec<_>) = (0..2).partition(|p| choice >> p & 1 == 0);
                world.reassign(&[(0, &mine), (1, &theirs)]);
            }
        }
        world.cluster.renumber(&mut world.clients);
    }

    fn visit(&mut self, world: &World, faults: Faults, path: &mut Vec<Action>) {
        let mut hasher = DefaultHasher::new();
        (&world.cluster, &world.clients, faults).hash(&mut hasher);
        match self.seen.insert(hasher.finish(), false) {
            Some(true) => {
                self.seen.insert(hasher.finish(), true);
                return;
            }
            Some(false) => panic!("a cycle: {path:?}"),
            None => {}
        }
        let (own, faulty) = Self::actions(world, faults);
        if own.is_empty() {
            self.ends += 1;
            for client in &world.clients {
                let member = client.member().expect("everybody is back in the group");
                let target = world.cluster.group(world.group).target(member);
                assert_eq!(client.assignment(), target, "{path:?}");
            }
        }
        for action in own.into_iter().chain(faulty) {
            path.push(action);
            let (mut next, mut left) = (world.clone(), faults);
            Self::apply(&mut next, action, &mut left);
            assert!(next.double_owned().is_empty(), "two owners: {path:?}");
            let went_back = (0..2).any(|p| world.committed(p) > next.committed(p));
            assert!(!went_back, "a commit goes back: {path:?}");
            self.visit(&next, left, path);
            path.pop();
        }
        self.seen.insert(hasher.finish(), true);
    }
}

#[test]
fn every_schedule_ends_with_everybody_at_its_target() {
    for protocol in PROTOCOLS {
        for (reassign, expire, lost) in [(2, 0, 0), (1, 1, 0), (1, 0, 1)] {
            let mut world = World::new(protocol, Assignor::Explicit, 2);
            world.join();
            world.join();
            world.reassign(&[(0, &[0, 1])]);
            world.settle();
            world.cluster.renumber(&mut world.clients);
            let faults = Faults {
                reassign,
                expire,
                lost,
            };
            let mut search = Search {
                seen: HashMap::new(),
                ends: 0,
            };
            search.visit(&world, faults, &mut Vec::new());
            assert!(search.seen.len() > 1_000 && search.ends > 1, "{protocol:?}");
        }
    }
}
