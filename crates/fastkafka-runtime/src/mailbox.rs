//! How lanes and delivery reports reach the owner: a locked list that is taken whole, and one
//! wake-up per filled list.

use fastkafka_core::{Closed, Failure, RunTag, Settle};
use fastkafka_engine::{Disposal, Part, RunId};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What lanes and delivery reports tell the owner.
#[derive(Debug)]
pub(crate) enum Mail {
    /// No record of the run is open any more.
    Closed { tag: RunTag, end: Closed },
    /// The unit `[at, next)` was not accepted; the lane has halted.
    Failed {
        part: Part,
        run: RunId,
        at: i64,
        next: i64,
        failure: Failure,
    },
    /// The answer to a dead letter.
    Disposed {
        part: Part,
        run: RunId,
        outcome: Disposal,
    },
    /// The answer to a cut.
    Ended {
        part: Part,
        round: u32,
        at: Option<i64>,
    },
}

/// Wakes an owner that sleeps; remembered if it does not.
pub(crate) type Wake = Box<dyn Fn() + Send + Sync>;

pub(crate) struct Mailbox {
    mail: Mutex<Vec<Mail>>,
    wake: Wake,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(wake: Wake) -> Self {
        Self {
            mail: Mutex::default(),
            wake,
        }
    }

    pub(crate) fn push(&self, mail: Mail) {
        let mut list = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        let first = list.is_empty();
        list.push(mail);
        drop(list);
        // Whoever filled the list before has woken the owner, and it has not taken the list yet.
        if first {
            (self.wake)();
        }
    }

    /// Wakes the owner without mail.
    pub(crate) fn wake(&self) {
        (self.wake)();
    }

    /// Swaps the list for `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<Mail>) {
        std::mem::swap(
            into,
            &mut self.mail.lock().unwrap_or_else(PoisonError::into_inner),
        );
    }
}

impl Settle for Mailbox {
    fn closed(&self, tag: RunTag, end: Closed) {
        self.push(Mail::Closed { tag, end });
    }
}
