//! The states that have been met, by fingerprint.

/// Whether a state has been met before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    New,
    Before,
    /// On the path from the start to where the search stands: this path is a cycle.
    OnPath,
}

/// A set of fingerprints, eight bytes each: open addressing, at most two thirds full. The lowest
/// bit says whether the state is on the current path, so a fingerprint counts 63 bits.
pub(super) struct Prints {
    /// Zero is an empty place.
    places: Vec<u64>,
    len: usize,
}

const ON_PATH: u64 = 1;

impl Prints {
    pub(super) fn new() -> Self {
        Self {
            places: vec![0; 1 << 10],
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a state, as one that is on the path.
    pub(super) fn enter(&mut self, print: u64) -> Met {
        if self.len * 3 >= self.places.len() * 2 {
            self.grow();
        }
        let print = clean(print);
        let place = self.find(print);
        match self.places[place] {
            0 => {
                self.places[place] = print | ON_PATH;
                self.len += 1;
                Met::New
            }
            found if found & ON_PATH != 0 => Met::OnPath,
            _ => Met::Before,
        }
    }

    /// The path has gone back behind the state.
    pub(super) fn leave(&mut self, print: u64) {
        let place = self.find(clean(print));
        self.places[place] &= !ON_PATH;
    }

    /// The place of `print`, or the empty place where it belongs.
    fn find(&self, print: u64) -> usize {
        let mask = self.places.len() - 1;
        let mut place = (print >> 1) as usize & mask;
        while self.places[place] != 0 && self.places[place] & !ON_PATH != print {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let larger = vec![0; self.places.len() * 2];
        for print in std::mem::replace(&mut self.places, larger) {
            if print != 0 {
                let place = self.find(print & !ON_PATH);
                self.places[place] = print;
            }
        }
    }
}

/// Room for the mark, and never zero.
fn clean(print: u64) -> u64 {
    (print & !ON_PATH).max(2)
}
