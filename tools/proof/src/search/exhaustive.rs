//! Every state: depth-first to count and to find cycles, breadth-first for the shortest way.

use super::model::{Model, Seen, Violation};
use super::prints::{Met, Prints};
use super::{Coverage, Limits, take};
use std::time::{Duration, Instant};

/// The result of a search in one scope.
#[derive(Clone, Debug)]
pub struct Found<A> {
    /// States that differ, the start included.
    pub states: usize,
    /// Choices taken, states met again included.
    pub transitions: usize,
    /// The longest path without a state twice that was walked (depth-first), or the distance of
    /// the farthest state (breadth-first), in choices.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Whether everything was visited: `false` where a limit or a violation ended the search.
    pub complete: bool,
    /// The violation, and the choices that lead there.
    pub failure: Option<(Violation, Vec<A>)>,
    /// The things that were reached on the way.
    pub coverage: Coverage,
}

struct Level<M: Model> {
    state: M::State,
    actions: Vec<M::Action>,
    next: usize,
    print: u64,
}

/// Visits every state. Memory is a fingerprint per state and a state per level, and no schedule is
/// too long for the stack.
///
/// A state that is met again on the path to itself fails as `cycle`: it is a way to run for ever.
/// Without one every schedule ends, and each end is visited, so liveness needs no fairness: it is
/// what [`Model::at_rest`] says of the ends.
pub fn depth_first<M: Model>(model: &M, limits: &Limits) -> Found<M::Action> {
    let watch = limits.watch();
    let mut found = Found::new();
    let mut prints = Prints::new();
    // States and lists of actions whose memory is used again.
    let (mut states, mut lists) = (Vec::<M::State>::new(), Vec::<Vec<M::Action>>::new());
    let start = model.start();
    let print = model.fingerprint(&start);
    prints.enter(print);
    let mut actions = Vec::new();
    model.actions(&start, &mut actions);
    let mut failed = model.at_rest(&start, &actions).err();
    let mut path = vec![Level::<M> {
        state: start,
        actions,
        next: 0,
        print,
    }];
    while failed.is_none()
        && let Some(top) = path.last_mut()
    {
        let Some(&action) = top.actions.get(top.next) else {
            let done = path.pop().expect("it has just been looked at");
            prints.leave(done.print);
            states.push(done.state);
            lists.push(done.actions);
            continue;
        };
        top.next += 1;
        found.transitions += 1;
        let mut state = match states.pop() {
            Some(mut state) => {
                state.clone_from(&top.state);
                state
            }
            None => top.state.clone(),
        };
        let mut seen = Seen {
            reached: &mut found.coverage,
            effects: None,
        };
        if let Err(violation) = take(model, &mut state, action, &mut seen) {
            failed = Some(violation);
            break;
        }
        let print = model.fingerprint(&state);
        match prints.enter(print) {
            Met::New => {}
            Met::Before => {
                states.push(state);
                continue;
            }
            Met::OnPath => {
                failed = Some(Violation::new("cycle", "a state is met again on its way"));
                break;
            }
        }
        let mut actions = lists.pop().unwrap_or_default();
        actions.clear();
        model.actions(&state, &mut actions);
        let mut seen = Seen {
            reached: &mut found.coverage,
            effects: None,
        };
        failed = model.rest(&state, &actions, &mut seen).err();
        found.depth = found.depth.max(path.len());
        path.push(Level {
            state,
            actions,
            next: 0,
            print,
        });
        if watch.is_over(prints.len()) {
            found.complete = false;
            break;
        }
    }
    found.states = prints.len();
    found.time = watch.since.elapsed();
    if let Some(violation) = failed {
        let taken = path.iter().filter(|level| level.next > 0);
        let trace = taken.map(|level| level.actions[level.next - 1]).collect();
        found.fail(violation, trace);
    }
    found
}

/// Visits every state in the order of its distance: the first failure has a shortest trace. Costs
/// a state of memory for each of two layers. Sees no cycles.
pub fn breadth_first<M: Model>(model: &M, limits: &Limits) -> Found<M::Action> {
    let watch = limits.watch();
    let mut found = Found::new();
    let mut prints = Prints::new();
    // How each state but the start was first reached: the index of its predecessor, and the choice.
    let mut ways: Vec<Option<(usize, M::Action)>> = vec![None];
    let start = model.start();
    prints.enter(model.fingerprint(&start));
    let (mut layer, mut next) = (vec![(0, start)], Vec::new());
    let (mut spare, mut actions) = (Vec::<M::State>::new(), Vec::new());
    let mut failed = None;
    'search: while !layer.is_empty() {
        for (from, state) in layer.drain(..) {
            actions.clear();
            model.actions(&state, &mut actions);
            if let Err(violation) = model.at_rest(&state, &actions) {
                failed = Some((violation, from));
                break 'search;
            }
            for &action in &actions {
                found.transitions += 1;
                let mut after = match spare.pop() {
                    Some(mut after) => {
                        after.clone_from(&state);
                        after
                    }
                    None => state.clone(),
                };
                let mut seen = Seen {
                    reached: &mut found.coverage,
                    effects: None,
                };
                if let Err(violation) = take(model, &mut after, action, &mut seen) {
                    ways.push(Some((from, action)));
                    failed = Some((violation, ways.len() - 1));
                    break 'search;
                }
                if prints.enter(model.fingerprint(&after)) == Met::New {
                    ways.push(Some((from, action)));
                    model.put_aside(&after);
                    next.push((ways.len() - 1, after));
                } else {
                    spare.push(after);
                }
            }
            spare.push(state);
            if watch.is_over(prints.len()) {
                found.complete = false;
                break 'search;
            }
        }
        std::mem::swap(&mut layer, &mut next);
        found.depth += usize::from(!layer.is_empty());
    }
    found.states = prints.len();
    found.time = watch.since.elapsed();
    if let Some((violation, mut at)) = failed {
        let mut trace = Vec::new();
        while let Some((from, action)) = ways[at] {
            trace.push(action);
            at = from;
        }
        trace.reverse();
        found.fail(violation, trace);
    }
    found
}

impl<A> Found<A> {
    fn new() -> Self {
        Self {
            states: 0,
            transitions: 0,
            depth: 0,
            time: Duration::ZERO,
            complete: true,
            failure: None,
            coverage: Coverage::default(),
        }
    }

    fn fail(&mut self, violation: Violation, trace: Vec<A>) {
        self.complete = false;
        self.failure = Some((violation, trace));
    }
}

/// A clock that is looked at now and then only: reading it costs more than a transition.
pub(super) struct Watch {
    limits: Limits,
    since: Instant,
}

impl Limits {
    fn watch(&self) -> Watch {
        Watch {
            limits: *self,
            since: Instant::now(),
        }
    }
}

impl Watch {
    fn is_over(&self, states: usize) -> bool {
        states > self.limits.states
            || (states.is_multiple_of(1024) && self.since.elapsed() > self.limits.time)
    }
}
