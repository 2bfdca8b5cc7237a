//! Mail for a thread that sleeps: a locked list that is taken whole, one wake-up per filled list, and the
//! request to stop.
//!
//! A driver is what sleeps. The mail itself is of no concern here: loom checks the wake-ups alone.

#[cfg(all(test, loom))]
mod loom;

#[cfg(loom)]
use ::loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering::*},
};
use std::fmt;
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, Ordering::*},
};

/// Wakes a thread that sleeps; remembered if it does not.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The mail of a thread that takes it before it decides to sleep.
pub(crate) struct Mailbox<M> {
    mail: Mutex<Vec<M>>,
    stop: AtomicBool,
    wake: Wake,
}

impl<M> fmt::Debug for Mailbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl<M> Mailbox<M> {
    /// An empty one; `wake` is called on the thread that leaves something.
    pub(crate) fn new(wake: Wake) -> Self {
        Self {
            mail: Mutex::new(Vec::new()),
            stop: AtomicBool::new(false),
            wake,
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<M>> {
        // Nothing panics while it is held.
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves `mail`.
    pub(crate) fn push(&self, mail: M) {
        let mut list = self.list();
        let first = list.is_empty();
        list.push(mail);
        drop(list);
        // Into a list that is not empty: its first mail has woken the reader, which has not taken it yet.
        if first {
            (self.wake)();
        }
    }

    /// Swaps the list for `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<M>) {
        std::mem::swap(into, &mut self.list());
    }

    /// Asks the reader to come to an end.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Release);
        (self.wake)();
    }

    /// True once [`Mailbox::stop`] was called.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Acquire)
    }
}
