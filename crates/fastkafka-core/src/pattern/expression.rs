//! Regular expressions as values, and the operations on the sets that they stand for. Each is made in one
//! form as far as that is cheap, so that equal sets are mostly equal values.

use super::characters::{Characters, END, OF_NAMES, START, of_name};
use std::collections::BTreeSet;

/// A set of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expression {
    /// One of these characters; without any it is the empty set.
    One(Characters),
    /// These one after another; none: the empty name.
    Sequence(Vec<Self>),
    /// What is in any of them: two at least.
    Either(BTreeSet<Self>),
    /// Any number of these.
    Repeated(Box<Self>),
}
use Expression::{Either, One, Repeated, Sequence};

impl Expression {
    pub(super) fn nothing() -> Self {
        One(0)
    }

    /// The set of the empty name.
    pub(super) fn empty() -> Self {
        Sequence(Vec::new())
    }

    pub(super) fn text(text: &str) -> Self {
        let characters = text.bytes().map(|byte| One(of_name(byte).unwrap_or(0)));
        characters.fold(Self::empty(), Self::then)
    }

    pub(super) fn is_nothing(&self) -> bool {
        *self == One(0)
    }

    pub(super) fn then(self, next: Self) -> Self {
        if self.is_nothing() || next.is_nothing() {
            return Self::nothing();
        }
        let parts = |of| match of {
            Sequence(parts) => parts,
            part => vec![part],
        };
        let mut all = parts(self);
        for part in parts(next) {
            // Any number twice is any number.
            if !(matches!(part, Repeated(_)) && all.last() == Some(&part)) {
                all.push(part);
            }
        }
        match <[Self; 1]>::try_from(all) {
            Ok([one]) => one,
            Err(all) => Sequence(all),
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self::any_of([self, other])
    }

    /// All at once: one by one, a list of many names would take the square of their time.
    pub(super) fn any_of(all: impl IntoIterator<Item = Self>) -> Self {
        let parts = |of| match of {
            Either(parts) => parts,
            part => BTreeSet::from([part]),
        };
        let mut all: BTreeSet<_> = all.into_iter().flat_map(parts).collect();
        let mut set = 0;
        all.retain(|part| match part {
            One(one) => {
                set |= one;
                false
            }
            _ => true,
        });
        // All names take what any other part does.
        if all.contains(&Self::any()) {
            return Self::any();
        }
        if set != 0 {
            all.insert(One(set));
        }
        match all.len() {
            0 => Self::nothing(),
            1 => all.into_iter().next().unwrap_or_else(Self::nothing),
            _ => Either(all),
        }
    }

    pub(super) fn repeated(self) -> Self {
        match self {
            One(0) => Self::empty(),
            Sequence(parts) if parts.is_empty() => Self::empty(),
            Repeated(_) => self,
            part => Repeated(Box::new(part)),
        }
    }

    /// All names.
    pub(super) fn any() -> Self {
        One(OF_NAMES).repeated()
    }

    /// The number of its parts.
    pub(super) fn size(&self) -> usize {
        1 + match self {
            One(_) => 0,
            Sequence(parts) => parts.iter().map(Self::size).sum(),
            Either(parts) => parts.iter().map(Self::size).sum(),
            Repeated(part) => part.size(),
        }
    }

    /// True if the empty name is in the set.
    pub(super) fn has_nothing(&self) -> bool {
        match self {
            One(_) => false,
            Sequence(parts) => parts.iter().all(Self::has_nothing),
            Either(parts) => parts.iter().any(Self::has_nothing),
            Repeated(_) => true,
        }
    }

    /// The rest of what begins with this character.
    pub(super) fn after(&self, character: Characters) -> Self {
        match self {
            One(set) if set & character != 0 => Self::empty(),
            One(_) => Self::nothing(),
            Sequence(parts) => {
                let mut all = Self::nothing();
                for (i, part) in parts.iter().enumerate() {
                    let after = part.after(character);
                    if !after.is_nothing() {
                        let rest = parts[i + 1..].iter().cloned();
                        all = all.or(rest.fold(after, Self::then));
                    }
                    if !part.has_nothing() {
                        break;
                    }
                }
                all
            }
            Either(parts) => Self::any_of(parts.iter().map(|part| part.after(character))),
            Repeated(part) => part.after(character).then(self.clone()),
        }
    }

    /// The beginning of what ends with this character.
    fn before(&self, character: Characters) -> Self {
        match self {
            One(_) => self.after(character),
            Sequence(parts) => {
                let mut all = Self::nothing();
                for (i, part) in parts.iter().enumerate().rev() {
                    let begin = parts[..i].iter().cloned();
                    let begin = begin.fold(Self::empty(), Self::then);
                    all = all.or(begin.then(part.before(character)));
                    if !part.has_nothing() {
                        break;
                    }
                }
                all
            }
            Either(parts) => Self::any_of(parts.iter().map(|part| part.before(character))),
            Repeated(part) => self.clone().then(part.before(character)),
        }
    }

    /// Only what has no characters but these.
    fn within(&self, characters: Characters) -> Self {
        match self {
            One(set) => One(set & characters),
            Sequence(parts) => {
                let parts = parts.iter().map(|part| part.within(characters));
                parts.fold(Self::empty(), Self::then)
            }
            Either(parts) => Self::any_of(parts.iter().map(|part| part.within(characters))),
            Repeated(part) => part.within(characters).repeated(),
        }
    }

    /// The names in which an expression matches somewhere; [`START`] and [`END`] are in it for `^` and `$`.
    pub(super) fn of_names(self) -> Self {
        let before = One(START | OF_NAMES).repeated();
        let behind = One(END | OF_NAMES).repeated();
        let marked = before.then(self).then(behind);
        let begun = with_marks(marked, START, Self::after);
        with_marks(begun, END, Self::before).within(OF_NAMES)
    }

    /// The set without a name, or without all that begin with it.
    pub(super) fn without(self, name: &str, and_longer: bool) -> Self {
        let mut left = Self::nothing();
        // The part of `name` that was passed, and the rest of the names that begin with it.
        let (mut passed, mut rest) = (Self::empty(), self);
        for byte in name.bytes() {
            let Some(next) = of_name(byte) else {
                // No name has it: there is nothing to take out.
                return left.or(passed.then(rest));
            };
            if rest.has_nothing() {
                left = left.or(passed.clone());
            }
            left = left.or(passed.clone().then(rest.beginning(OF_NAMES & !next)));
            rest = rest.after(next);
            passed = passed.then(One(next));
        }
        if !and_longer {
            left = left.or(passed.then(rest.beginning(OF_NAMES)));
        }
        left
    }

    /// What begins with one of these.
    fn beginning(&self, characters: Characters) -> Self {
        let mut sets = BTreeSet::new();
        self.sets(&mut sets);
        // Characters that no part tells apart have one rest, and are one set also where rests are equal.
        let mut alike = vec![characters];
        for set in sets {
            let parts = alike.iter().flat_map(|some| [some & set, some & !set]);
            alike = parts.filter(|some| *some != 0).collect();
        }
        let mut rests: Vec<(Characters, Self)> = Vec::new();
        for some in alike.into_iter().filter(|some| *some != 0) {
            let first = some & some.wrapping_neg();
            let rest = self.after(first);
            match rests.iter_mut().find(|(_, known)| *known == rest) {
                Some((set, _)) => *set |= some,
                None => rests.push((some, rest)),
            }
        }
        Self::any_of(rests.into_iter().map(|(set, rest)| One(set).then(rest)))
    }

    /// The sets of characters in it.
    fn sets(&self, all: &mut BTreeSet<Characters>) {
        match self {
            One(set) => drop(all.insert(*set)),
            Sequence(parts) => parts.iter().for_each(|part| part.sets(all)),
            Either(parts) => parts.iter().for_each(|part| part.sets(all)),
            Repeated(part) => part.sets(all),
        }
    }
}

/// Of one place; more have no meaning.
const MOST_ANCHORS: usize = 4;

/// What is left when an end of a name is taken for the mark. An anchor has no width, so that an expression may
/// ask for the mark any number of times.
fn with_marks(
    of: Expression,
    mark: Characters,
    step: fn(&Expression, Characters) -> Expression,
) -> Expression {
    let (mut all, mut rest) = (of.clone(), of);
    for _ in 0..MOST_ANCHORS {
        rest = step(&rest, mark);
        let more = all.clone().or(rest.clone());
        if more == all {
            break;
        }
        all = more;
    }
    all
}
