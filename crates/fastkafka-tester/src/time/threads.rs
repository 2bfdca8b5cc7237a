//! The threads of `blocking` handlers.
//!
//! The clock of a test stands still while one of tokio's own threads is at work, which is right: what
//! the handler does takes no virtual time. But tokio waits for its threads without end, also when the
//! test is over. So a handler runs on a thread that is not tokio's, and one of tokio's only waits for
//! it, for a time by the machine's clock. Behind that the test's clock moves on, and whoever waits
//! for the record comes to the end of its own limit.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A debugger halts every thread, and when they go on, each wait is over. So the time is taken in
/// parts: that costs one of them.
const PARTS: u32 = 10;

/// See the module.
pub(crate) struct Threads {
    /// How long the clock stands still for one call.
    patience: Duration,
    test_is_over: Mutex<bool>,
    changed: Condvar,
    next: AtomicU64,
    /// The calls that took longer and have not returned.
    given_up: watch::Sender<BTreeSet<u64>>,
}

/// A call at work. Its thread is seen to end also when it panics.
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

    /// Runs what blocks. Inside a tokio runtime.
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
        self.test_is_over
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when a call took too long and is at work still.
    pub(crate) async fn given_up(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self
            .given_up
            .subscribe()
            .wait_for(|calls| !calls.is_empty())
            .await;
    }

    /// Nothing is waited for any more.
    pub(crate) fn end_test(&self) {
        *self.test_is_over() = true;
        self.changed.notify_all();
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        {
            // Under the lock, so that nobody begins to wait behind this.
            let _waits = self.threads.test_is_over();
            self.has_returned.store(true, Relaxed);
        }
        self.threads.changed.notify_all();
        self.threads
            .given_up
            .send_if_modified(|calls| calls.remove(&self.id));
    }
}
