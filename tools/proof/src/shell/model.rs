//! The world as a model of the search. A state is the choices that lead to it: what cannot be cloned is made
//! again.
//!
//! The first state that follows from another takes its world over; for the second one the choices are taken
//! once more. In a search in depth that is a replay for each choice but the first of a state.

use super::actions::{Action, possible};
use super::scope::Scope;
use super::world::World;
use crate::search::{Coverage, Model, Seen, Violation};
use std::cell::RefCell;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, Hash, Hasher};

/// A state: choices, and the world where they lead, while somebody has it.
#[derive(Debug)]
pub struct State {
    scope: Scope,
    taken: Vec<Action>,
    world: RefCell<Option<World>>,
}

impl State {
    fn with<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        let mut world = self.world.borrow_mut();
        look(world.get_or_insert_with(|| self.again()))
    }

    /// Takes all choices again.
    fn again(&self) -> World {
        let mut world = World::new(&self.scope);
        for action in &self.taken {
            // A violation ends the search there.
            let _ = world.apply(&self.scope, *action);
        }
        world
    }
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self {
            scope: self.scope.clone(),
            taken: self.taken.clone(),
            world: RefCell::new(self.world.take()),
        }
    }
}

impl Model for Scope {
    type State = State;
    type Action = Action;

    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> State {
        State {
            scope: self.clone(),
            taken: Vec::new(),
            world: RefCell::default(),
        }
    }

    fn actions(&self, state: &State, out: &mut Vec<Action>) {
        state.with(|world| possible(self, world, out));
    }

    fn is_fault(&self, action: Action) -> bool {
        action.is_fault()
    }

    fn apply(
        &self,
        state: &mut State,
        action: Action,
        seen: &mut Seen<'_>,
    ) -> Result<(), Violation> {
        let applied = state.with(|world| {
            let before = world.marks();
            let applied = world.apply(self, action);
            world.cover(action, before, seen);
            applied
        });
        state.taken.push(action);
        applied
    }

    fn at_rest(&self, state: &State, actions: &[Action]) -> Result<(), Violation> {
        let mut reached = Coverage::default();
        self.rest(state, actions, &mut Seen::unheard(&mut reached))
    }

    fn rest(
        &self,
        state: &State,
        actions: &[Action],
        seen: &mut Seen<'_>,
    ) -> Result<(), Violation> {
        if actions.iter().any(|action| !action.is_fault()) {
            return Ok(());
        }
        // The world is used up.
        let mut world = state.world.take().unwrap_or_else(|| state.again());
        let before = world.marks();
        let finished = world.finish(self);
        world.cover_end(before, seen);
        finished
    }

    fn fingerprint(&self, state: &State) -> u64 {
        state.with(|world| {
            let mut print = Print(foldhash::quality::FixedState::with_seed(0x5eed).build_hasher());
            world.digest(&mut print).expect("a hash takes everything");
            print.0.finish()
        })
    }

    fn sometimes() -> Vec<String> {
        super::coverage::names()
    }

    fn say(&self, _: &State, action: Action) -> String {
        format!("{action:?}")
    }

    fn titles() -> &'static [&'static str] {
        &["at work", "committed", "health"]
    }

    fn columns(&self, state: &State) -> Vec<String> {
        state.with(|world| {
            let committed = world.parts.each_ref().map(|part| part.committed);
            vec![
                format!("{:?}", world.calls.at_work()),
                format!("{committed:?}"),
                world.driver.problems().join("; "),
            ]
        })
    }

    fn put_aside(&self, state: &State) {
        drop(state.world.take());
    }
}

impl World {
    fn digest(&self, to: &mut Print) -> fmt::Result {
        self.driver.digest(self.now, to)?;
        self.driver.client().write(to)?;
        let Self {
            driver: _,
            calls,
            now,
            sleep,
            shutdown_timeout: _,
            parts,
            begun_in: _,
            pending,
            answers: _,
            owed,
            away,
            refused,
            refuses_commits,
            told_refused,
            unanswered,
            kicked,
            astray,
            fatal,
            seek,
            ending_since,
            cut,
            unclean,
            left,
        } = self;
        (now, sleep, pending, owed, away, told_refused).hash(to);
        (refused, refuses_commits, unanswered).hash(to);
        (kicked, astray, fatal, ending_since, cut, unclean, left).hash(to);
        (calls.at_work(), calls.kept()).hash(to);
        for (partition, part) in (0..).zip(parts) {
            part.hash(to);
            self.is_stale(partition).hash(to);
        }
        if let Some(seek) = seek {
            (seek.partition, seek.to, seek.epoch).hash(to);
        }
        Ok(())
    }
}

/// A hash of values and of text.
struct Print(foldhash::quality::FoldHasher<'static>);

impl Hasher for Print {
    fn finish(&self) -> u64 {
        self.0.finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }
}

impl Write for Print {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
