//! How many records of each class the first client has and has not reported, and which classes are set aside.
//!
//! Each record is counted twice, by the thread that sends it and by the thread that hears of it. The two counts
//! lie apart, so that no core takes a line of memory from another for each record: one count of what is left,
//! which both threads would write, cost a pipe 8 % of its rate.

use super::aside::CLASSES;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

#[derive(Debug)]
pub(super) struct Owed {
    begun: Box<[AtomicU32]>,
    reported: Box<[AtomicU32]>,
    /// Written under the lock of what is set aside.
    aside: Box<[AtomicBool]>,
}

impl Default for Owed {
    fn default() -> Self {
        Self {
            begun: (0..CLASSES).map(|_| AtomicU32::default()).collect(),
            reported: (0..CLASSES).map(|_| AtomicU32::default()).collect(),
            aside: (0..CLASSES).map(|_| AtomicBool::default()).collect(),
        }
    }
}

impl Owed {
    /// One more, which the first client reports, or [`Owed::not_begun`] takes back.
    pub(super) fn begin(&self, class: usize) {
        self.begun[class].fetch_add(1, SeqCst);
    }

    pub(super) fn not_begun(&self, class: usize) {
        self.begun[class].fetch_sub(1, SeqCst);
    }

    pub(super) fn reported(&self, class: usize) {
        self.reported[class].fetch_add(1, SeqCst);
    }

    /// Some are not reported.
    pub(super) fn some(&self, class: usize) -> bool {
        // In this order: what is reported was begun, so equal counts were equal at the second look.
        let reported = self.reported[class].load(SeqCst);
        self.begun[class].load(SeqCst) != reported
    }

    pub(super) fn is_aside(&self, class: usize) -> bool {
        self.aside[class].load(SeqCst)
    }

    pub(super) fn set_aside(&self, class: usize, aside: bool) {
        self.aside[class].store(aside, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_owes_until_as_many_are_reported_as_were_begun() {
        let owed = Owed::default();
        assert!(!owed.some(7));
        owed.begin(7);
        owed.begin(7);
        owed.not_begun(7);
        assert!(owed.some(7) && !owed.some(8));
        owed.reported(7);
        assert!(!owed.some(7));
    }

    #[test]
    fn it_is_seen_aside_by_whoever_begins_or_what_it_begins_is_seen_owed() {
        for class in 0..1_000 {
            let owed = Owed::default();
            std::thread::scope(|scope| {
                let begins = scope.spawn(|| {
                    owed.begin(class);
                    owed.is_aside(class)
                });
                owed.set_aside(class, true);
                let is_owed = owed.some(class);
                assert!(begins.join().unwrap() || is_owed);
            });
        }
    }
}
