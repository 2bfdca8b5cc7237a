//! How other threads reach a thread that sleeps: a locked list that is taken whole, one wake-up per
//! filled list, and the request to stop.
//!
//! It is the owner of a group's consumer that sleeps, in the runtime. What it is told is of no
//! concern here, and so the wake-ups are checked here, with loom, without tokio and a Kafka client.

use crate::delivery::sync::{AtomicBool, Mutex, MutexGuard, Ordering::*};
use std::fmt;
use std::sync::PoisonError;

/// Wakes a thread that sleeps; remembered if it does not.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// The mail of a thread that takes it before it decides to sleep.
pub struct Mailbox<M> {
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
    pub fn new(wake: Wake) -> Self {
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
    pub fn push(&self, mail: M) {
        let mut list = self.list();
        let first = list.is_empty();
        list.push(mail);
        drop(list);
        // Whoever filled the list before has woken the reader, and it has not taken the list yet.
        if first {
            (self.wake)();
        }
    }

    /// Swaps the list for `into`, which is empty.
    pub fn take(&self, into: &mut Vec<M>) {
        std::mem::swap(into, &mut self.list());
    }

    /// Asks the reader to come to an end.
    pub fn stop(&self) {
        self.stop.store(true, Release);
        (self.wake)();
    }

    /// True once [`Mailbox::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Acquire)
    }
}

#[cfg(all(test, loom))]
mod loom;
