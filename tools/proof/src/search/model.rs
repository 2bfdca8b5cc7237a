//! The model that is searched: states, the choices that lead from one to the next, and invariants.

use std::fmt;
use std::hash::{BuildHasher, Hash};

/// A world in which everything that is not determined is a choice. One value is one *scope*: its
/// settings, and budgets of faults small enough that the search ends.
///
/// All methods are pure: the same state and action give the same answer, in the same order.
pub trait Model: Sync {
    /// Everything that the future depends on, budgets of faults included, and nothing else: a
    /// counter or a date that grows makes equal situations differ.
    ///
    /// The search clones once per transition, with `clone_from` into a state it is done with.
    /// `#[derive(Clone)]` does not derive `clone_from`; where a state holds heap memory, writing
    /// it by hand (field by field) pays.
    type State: Clone;
    /// One choice. What names work by what it is (member, partition, offset) rather than by a
    /// number handed out on the way survives shrinking better.
    type Action: Copy + Eq + fmt::Debug + Send;

    /// The name of the scope, unique in its list.
    fn name(&self) -> &str;

    /// How large the scope is expected to be, in any unit: large ones are begun first when a list
    /// runs on several cores.
    fn size(&self) -> u64 {
        0
    }

    /// The state in which every run begins.
    fn start(&self) -> Self::State;

    /// Appends every choice that is possible in `state`, in an order that depends on nothing else.
    /// `out` comes empty. A state without a choice is an end.
    fn actions(&self, state: &Self::State, out: &mut Vec<Self::Action>);

    /// Whether a choice is something that goes wrong or that nobody has to do: random walks take
    /// these now and then only.
    fn is_fault(&self, _action: Self::Action) -> bool {
        false
    }

    /// Takes a choice, and checks what must hold after it.
    ///
    /// # Errors
    ///
    /// The invariant that is broken. A panic counts as one that is named `panic`. The search looks
    /// no further behind such a state, but may still ask for its [`columns`](Self::columns).
    fn apply(
        &self,
        state: &mut Self::State,
        action: Self::Action,
        seen: &mut Seen<'_>,
    ) -> Result<(), Violation>;

    /// Checks what must hold where nothing is under way: called once for each new state with all
    /// that is possible in it; whether that is *rest* is for the model to say.
    ///
    /// # Errors
    ///
    /// The invariant that is broken.
    fn at_rest(&self, state: &Self::State, actions: &[Self::Action]) -> Result<(), Violation>;

    /// The same, where what is looked at may reach something.
    ///
    /// # Errors
    ///
    /// The invariant that is broken.
    fn rest(
        &self,
        state: &Self::State,
        actions: &[Self::Action],
        _seen: &mut Seen<'_>,
    ) -> Result<(), Violation> {
        self.at_rest(state, actions)
    }

    /// The same for states whose futures are the same up to names (equal members, equal
    /// partitions), different for others: usually the least [`fingerprint`] of all permutations.
    fn fingerprint(&self, state: &Self::State) -> u64;

    /// The state is put aside for a while: what can be made again need not be kept.
    fn put_aside(&self, _state: &Self::State) {}

    /// Everything that has to happen at least once in a list of scopes: a green run that reached
    /// nothing is red. [`Seen::reach`] ticks one off by its index here; at most
    /// [`Coverage::MOST`](super::Coverage::MOST). An empty name demands nothing.
    fn sometimes() -> Vec<String>;

    /// The second column of a counterexample: what happens. Unique among the choices that are
    /// possible in `state`: a printed trace is replayed by this text.
    fn say(&self, state: &Self::State, action: Self::Action) -> String;

    /// The titles of [`columns`](Self::columns).
    fn titles() -> &'static [&'static str];

    /// The last columns of a counterexample: what the state looks like after a choice.
    fn columns(&self, state: &Self::State) -> Vec<String>;
}

/// A model that can be broken on purpose, to see whether the search would notice.
pub trait Mutable: Model + Sized {
    /// One known way to get it wrong.
    type Mutant: Copy + Eq + fmt::Debug + Send + Sync;

    /// All of them, each with the invariant that has to find it.
    fn mutants() -> Vec<(Self::Mutant, &'static str)>;

    /// The same scope with the mutant in place, and [unreduced](Self::unreduced).
    #[must_use]
    fn with(&self, mutant: Self::Mutant) -> Self;

    /// The same scope without reductions that hold of a correct engine only: they could hide a bug.
    #[must_use]
    fn unreduced(&self) -> Self;
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name, such as `S1`.
    pub invariant: &'static str,
    /// The observation.
    pub text: String,
}

impl Violation {
    /// `text` says what was seen.
    pub fn new(invariant: &'static str, text: impl Into<String>) -> Self {
        Self {
            invariant,
            text: text.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.text)
    }
}

/// The results of a choice besides the state that follows.
#[derive(Debug)]
pub struct Seen<'a> {
    pub(super) reached: &'a mut super::Coverage,
    pub(super) effects: Option<&'a mut Vec<String>>,
}

impl<'a> Seen<'a> {
    /// For what happens before anybody listens.
    pub(crate) fn unheard(reached: &'a mut super::Coverage) -> Self {
        Self {
            reached,
            effects: None,
        }
    }

    /// `sometimes()[index]` has happened.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`Coverage::MOST`](super::Coverage::MOST).
    pub fn reach(&mut self, index: usize) {
        self.reached.reach(index);
    }

    /// An answer, for the third column of a counterexample. `text` is called only when
    /// somebody reads it.
    pub fn effect(&mut self, text: impl FnOnce() -> String) {
        if let Some(effects) = &mut self.effects {
            effects.push(text());
        }
    }
}

/// A well mixed hash for [`Model::fingerprint`]: with a million states the odds that any two
/// collide are about one in forty million.
#[must_use]
pub fn fingerprint(value: &(impl Hash + ?Sized)) -> u64 {
    foldhash::quality::FixedState::with_seed(0x5eed).hash_one(value)
}
