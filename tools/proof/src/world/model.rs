//! The scope as what is searched: what is covered, what must hold at rest, what can be broken.

use super::actions::Action;
use super::state::{Named, part};
use super::{Fault, Scope, World, below, ones};
use crate::oracle::{Checked, broken};
use crate::search::{Model, Mutable, Seen, Violation, fingerprint};
use fastkafka_engine::Effect;

/// A known bug of the code around the engine, which this world stands for. Bugs of the engine are
/// changes of its text: `tools/mutants`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldMutant {
    /// A start that was looked up is used without being committed.
    PinNotCommitted,
    /// The store comes after the answer to the revoke.
    StoreAfterAnswer,
    /// A commit that is lost is not sent again.
    CommitMarkedCleanOnSend,
    /// At the shutdown what was enqueued counts as sent.
    ProducerDroppedWithoutFlush,
    /// At the shutdown everything read is stored.
    BatchCommittedAtShutdown,
    /// An assignment goes on where the one before had read to.
    BufferSurvivesRebalance,
}

impl WorldMutant {
    /// All of them, each with the invariant that has to find it.
    const ALL: [(WorldMutant, &'static str); 6] = [
        (WorldMutant::PinNotCommitted, "S1"),
        (WorldMutant::StoreAfterAnswer, "S4"),
        (WorldMutant::CommitMarkedCleanOnSend, "L1"),
        (WorldMutant::ProducerDroppedWithoutFlush, "S1"),
        (WorldMutant::BatchCommittedAtShutdown, "S1"),
        (WorldMutant::BufferSurvivesRebalance, "S3"),
    ];
}

const ORDERS: [&str; 3] = ["partition", "key", "unordered"];

/// The things that have to happen in each order, beside the faults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wanted {
    RunOfTwo,
    Cut,
    HaltBefore,
    DeadLetter,
    Skipped,
    Stopped,
    HoldBack,
    ResumeAfterHoldBack,
    Store,
    ReleaseInTime,
    ReleaseAtDeadline,
    StaleResult,
    SameMemberAgain,
    LostDuringRevoke,
    OutputLostEarly,
    Declined,
    LeavesWithWork,
}

const WANTED: [&str; 17] = [
    "a run of two",
    "a cut",
    "a halt before a record",
    "a dead letter",
    "a skip",
    "a stop",
    "a hold-back",
    "a hold-back ends",
    "a store",
    "a release in time",
    "a release with work in hand",
    "a result that counts no more",
    "the same member again with work of before",
    "a loss during a revoke",
    "an output lost before earlier ones are acknowledged",
    "an assignment that comes on the way out",
    "a member that leaves with work in hand",
];

/// The things that an order does not have: without lanes nothing is cut, and by key a run is one record.
fn never(order: usize) -> &'static [Wanted] {
    match order {
        0 => &[],
        1 => &[
            Wanted::RunOfTwo,
            Wanted::Cut,
            Wanted::HaltBefore,
            Wanted::OutputLostEarly,
        ],
        _ => &[Wanted::Cut, Wanted::HaltBefore],
    }
}

/// The index at which the names of an order begin.
fn first_name(order: usize) -> usize {
    (0..order)
        .map(|o| Fault::ALL.len() + WANTED.len() - never(o).len())
        .sum()
}

impl Scope {
    pub(super) fn want(&self, what: Wanted, seen: &mut Seen<'_>) {
        let never = never(self.order());
        assert!(!never.contains(&what), "{what:?} cannot be in this order");
        let before = never.iter().filter(|&&n| (n as usize) < what as usize);
        let at = Fault::ALL.len() + what as usize - before.count();
        seen.reach(first_name(self.order()) + at);
    }

    pub(crate) fn reach_action(&self, w: &World, action: Action, seen: &mut Seen<'_>) {
        let open = w
            .members
            .iter()
            .any(|x| x.at_work() || x.views.iter().any(|view| view.open() != 0));
        if let (Some(fault), true) = (action.fault(), open) {
            seen.reach(first_name(self.order()) + fault as usize);
        }
        let x = &w.members[action.member()];
        match action {
            Action::Halt { .. } => self.want(Wanted::HaltBefore, seen),
            Action::Lose { early: true, .. } => self.want(Wanted::OutputLostEarly, seen),
            Action::Handle { job, .. } | Action::Settle { job, .. } | Action::Fail { job, .. }
                if x.is_stale(&x.jobs[usize::from(job)]) =>
            {
                self.want(Wanted::StaleResult, seen);
            }
            Action::Leave { .. } => self.want(Wanted::LeavesWithWork, seen),
            Action::Assign { .. } if x.at_work() => self.want(Wanted::SameMemberAgain, seen),
            Action::Notice { .. } if x.views.iter().any(|view| view.revoking.is_some()) => {
                self.want(Wanted::LostDuringRevoke, seen);
            }
            _ => {}
        }
    }

    pub(crate) fn reach_effect(&self, w: &World, m: usize, effect: &Effect, seen: &mut Seen<'_>) {
        let x = &w.members[m];
        self.want(
            match effect {
                Effect::Start { span, .. } if span.records > 1 => Wanted::RunOfTwo,
                Effect::Cut { .. } => Wanted::Cut,
                Effect::DeadLetter { .. } => Wanted::DeadLetter,
                Effect::Skipped { .. } => Wanted::Skipped,
                Effect::Stopped { .. } => Wanted::Stopped,
                Effect::HoldBack { .. } => Wanted::HoldBack,
                Effect::Resume { part } if x.client.paused(w.id(part.0 as usize)) => {
                    Wanted::ResumeAfterHoldBack
                }
                Effect::Store { .. } => Wanted::Store,
                Effect::Release { .. } if x.at_work() => Wanted::ReleaseAtDeadline,
                Effect::Release { .. } => Wanted::ReleaseInTime,
                _ => return,
            },
            seen,
        );
    }

    /// Everything that was begun is over, and nothing waits but for time or a fault.
    fn rest(&self, w: &World, ended: bool) -> Checked {
        for (m, x) in w.members.iter().enumerate().filter(|(_, x)| x.open) {
            if x.closing && ended {
                return broken("L5", format!("the shutdown of m{m} does not end"));
            }
            for (p, view) in x.views.iter().enumerate() {
                if !view.assigned || view.revoking.is_some() || view.paused || x.closing {
                    continue;
                }
                let waits = view.all(|fact| fact.latest() > w.now || fact.stopped);
                for i in ones(view.open()) {
                    if self.unit(p, i) & below(i + 1) & waits == 0 {
                        let at = self.offset(p, i);
                        return broken("L2", format!("p{p} {at} waits and nothing explains it"));
                    }
                }
            }
        }
        let alive = |x: &super::Member| x.open;
        if !ended || !w.members.iter().any(alive) {
            return Ok(());
        }
        for p in 0..w.parts() {
            let stands = |x: &super::Member| {
                let stopped = x.views[p].all(|fact| fact.stopped) != 0;
                let reported = x.engine.stopped().any(|stop| stop.part.0 as usize == p);
                (x.truncated & 1 << p != 0 || stopped, stopped == reported)
            };
            if w.members
                .iter()
                .any(|x| x.open && x.views[p].assigned && !stands(x).1)
            {
                return broken(
                    "L1",
                    format!("p{p} has stopped and is not reported, or the reverse"),
                );
            }
            if w.is_truncated(p) || w.members.iter().any(|x| stands(x).0) || self.logs[p].is_empty()
            {
                continue;
            }
            let owns = |x: &&super::Member| x.open && x.views[p].assigned;
            let owner = w.members.iter().find(owns);
            if owner.is_some_and(|x| x.client.paused(w.id(p))) {
                return broken("L4", format!("p{p} is held back for ever"));
            }
            let from = w.ledger.start[p].unwrap_or(0);
            let open = self.span(p, from, w.high(p)) & !w.ledger.terminal[p];
            if let Some(i) = ones(open).next() {
                return broken("L1", format!("p{p} {} is never done", self.offset(p, i)));
            }
            if w.committed(p) != Some(w.high(p)) {
                return broken(
                    "L1",
                    format!("p{p}: the lag stays, {:?} is committed", w.committed(p)),
                );
            }
            if owner.is_some_and(|x| !x.engine.starves(part(p))) {
                return broken("L4", format!("p{p} is done and no more of it is wanted"));
            }
        }
        Ok(())
    }
}

impl Model for Scope {
    type State = World;
    type Action = Action;

    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> World {
        let mut world = World::new(self);
        let mut coverage = crate::search::Coverage::default();
        let joined = self.exchange(&mut world, &mut Seen::unheard(&mut coverage));
        joined.expect("a group forms");
        world
    }

    fn actions(&self, state: &World, out: &mut Vec<Action>) {
        self.enabled(state, out);
    }

    fn is_fault(&self, action: Action) -> bool {
        action.fault().is_some()
    }

    fn apply(
        &self,
        state: &mut World,
        action: Action,
        seen: &mut Seen<'_>,
    ) -> Result<(), Violation> {
        self.take(state, action, seen)
    }

    fn at_rest(&self, state: &World, actions: &[Action]) -> Result<(), Violation> {
        let mut left = actions.iter().filter(|action| action.fault().is_none());
        match left.next() {
            None => self.rest(state, true),
            Some(Action::Tick) if left.next().is_none() => self.rest(state, false),
            Some(_) => Ok(()),
        }
    }

    fn fingerprint(&self, state: &World) -> u64 {
        let world = state;
        let mine = fingerprint(&Named {
            world,
            swapped: false,
        });
        match world.members.len() {
            2 => mine.min(fingerprint(&Named {
                world,
                swapped: true,
            })),
            _ => mine,
        }
    }

    fn sometimes() -> Vec<String> {
        let of = |order: usize| {
            let faults = Fault::ALL
                .iter()
                .map(|fault| format!("{fault:?} with a record open"));
            let possible = |i: &usize| never(order).iter().all(|&what| what as usize != *i);
            let wanted = (0..WANTED.len()).filter(possible);
            let all = faults.chain(wanted.map(|i| WANTED[i].to_owned()));
            all.map(move |what| format!("{}: {what}", ORDERS[order]))
                .collect::<Vec<_>>()
        };
        (0..ORDERS.len()).flat_map(of).collect()
    }

    fn say(&self, state: &World, action: Action) -> String {
        self.say_action(state, action)
    }

    fn titles() -> &'static [&'static str] {
        &["committed", "records"]
    }

    fn columns(&self, state: &World) -> Vec<String> {
        self.say_state(state)
    }
}

impl Mutable for Scope {
    type Mutant = WorldMutant;

    fn mutants() -> Vec<(WorldMutant, &'static str)> {
        WorldMutant::ALL.to_vec()
    }

    fn with(&self, mutant: WorldMutant) -> Self {
        Scope {
            mutant: Some(mutant),
            ..self.unreduced()
        }
    }

    fn unreduced(&self) -> Self {
        Scope {
            short_stale: false,
            ..self.clone()
        }
    }
}
