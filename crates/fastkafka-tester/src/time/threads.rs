//! The threads of `blocking` handlers.
//!
//! The clock of a test stands still while one of tokio's own threads is at work, which is right: the
//! work of a handler takes no virtual time. But tokio waits for its threads without end, also when the
//! test is over. So a handler runs on a thread that is not tokio's, and one of tokio's threads only waits
//! for it, for a limited time by the machine's clock. After that the test's clock moves on, and a test
//! that waits for the record comes to the end of its own limit.

use crate::lock::lock;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The parts of a wait. A debugger halts every thread, and when they go on the current wait is over:
/// that costs one part and not the whole time.
const PARTS: u32 = 10;

/// The threads of all blocking calls of a test.
pub(crate) struct Threads {
    /// How long the clock stands still for one call.
    patience: Duration,
    test_is_over: Mutex<bool>,
    changed: Condvar,
    next: AtomicU64,
    /// The calls that took longer than that and have not returned.
    given_up: watch::Sender<BTreeSet<u64>>,
}

/// A running call. Its drop marks the end, also after a panic.
struct Call {
    threads: Arc<Threads>,
    id: u64,
    has_returned: Arc<AtomicBool>,
}

impl Threads {
    pub(crate) fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            patience,
            test_is_over: Mutex::default(),
            changed: Condvar::new(),
            next: AtomicU64::new(0),
            given_up: watch::Sender::new(BTreeSet::new()),
        })
    }

    /// Runs work that blocks.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn run(self: &Arc<Self>, work: Box<dyn FnOnce() + Send>) {
        let (id, has_returned) = (self.next.fetch_add(1, Relaxed), Arc::default());
        let call = Call {
            threads: self.clone(),
            id,
            has_returned: Arc::clone(&has_returned),
        };
        let thread = std::thread::Builder::new().name("blocking handler".to_owned());
        let begun = thread.spawn(move || {
            let _call = call;
            work();
        });
        begun.expect("the machine has a thread left");
        let threads = self.clone();
        tokio::task::spawn_blocking(move || threads.hold_clock(id, &has_returned));
    }

    fn hold_clock(&self, id: u64, has_returned: &AtomicBool) {
        let mut test_is_over = self.test_is_over();
        for _ in 0..PARTS {
            let is_busy = |over: &mut bool| !*over && !has_returned.load(Relaxed);
            let waited =
                self.changed
                    .wait_timeout_while(test_is_over, self.patience / PARTS, is_busy);
            let (guard, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if !waited.timed_out() {
                return;
            }
            test_is_over = guard;
        }
        self.given_up.send_modify(|calls| {
            calls.insert(id);
        });
    }

    fn test_is_over(&self) -> MutexGuard<'_, bool> {
        lock(&self.test_is_over)
    }

    /// Ends when a call has taken too long and still runs.
    pub(crate) async fn given_up(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self
            .given_up
            .subscribe()
            .wait_for(|calls| !calls.is_empty())
            .await;
    }

    /// Ends all waits.
    pub(crate) fn end_test(&self) {
        *self.test_is_over() = true;
        self.changed.notify_all();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        {
            // Under the lock, so that no wait begins between this and the notification.
            let _waits = self.threads.test_is_over();
            self.has_returned.store(true, Relaxed);
        }
        self.threads.changed.notify_all();
        self.threads
            .given_up
            .send_if_modified(|calls| calls.remove(&self.id));
    }
}
