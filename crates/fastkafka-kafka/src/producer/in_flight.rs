//! The load that is on its way: records handed to librdkafka and not reported yet.

use crate::lock::lock;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Beyond so many bytes async producers wait, whatever the number of records. librdkafka has no bound: it would
/// refuse the rest of a call of which this one has let all in.
const MAX_BYTES: u64 = 256 << 20;

/// Records in the upper bits, their bytes in the lower ones: one atomic operation counts both.
const RECORD: u64 = 1 << 40;
const BYTES: u64 = RECORD - 1;
/// So many records can be counted, and some that come in at once.
const COUNTED: u64 = u64::MAX / RECORD - 1_000;

#[derive(Default)]
struct Waiting {
    tasks: Vec<Waker>,
    drivers: Vec<Box<dyn Fn() + Send + Sync>>,
}

/// A bound that async callers wait for.
///
/// There is room below `max`; a caller that did not wait is taken up to twice that, and dead
/// letters a little further: what they wait for may stand behind the others.
pub(crate) struct InFlight {
    load: AtomicU64,
    max: u64,
    /// Somebody waits: the next report below three quarters of the bound wakes all.
    awaited: AtomicBool,
    waiting: Mutex<Waiting>,
    emptied: Condvar,
}

impl InFlight {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            load: AtomicU64::new(0),
            max: max.max(1) as u64,
            awaited: AtomicBool::new(false),
            waiting: Mutex::default(),
            emptied: Condvar::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    pub(crate) fn records(&self) -> usize {
        usize::try_from(self.load.load(SeqCst) / RECORD).unwrap_or(usize::MAX)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.load.load(SeqCst) & BYTES
    }

    /// Counts a record of `bytes` in, unless there is far too much. The rest of a call that has begun always
    /// finds room.
    pub(crate) fn enter(&self, bytes: usize, dead_letter: bool, rest: bool) -> bool {
        let reserve = if dead_letter { self.max / 4 + 100 } else { 0 };
        let before = self.load.fetch_add(RECORD + bytes as u64, SeqCst);
        let most = if rest {
            COUNTED
        } else {
            self.max * 2 + reserve
        };
        if before / RECORD < most {
            return true;
        }
        self.leave(bytes);
        false
    }

    /// Counts it out again: reported, or not taken.
    pub(crate) fn leave(&self, bytes: usize) {
        let out = RECORD + bytes as u64;
        let left = self.load.fetch_sub(out, SeqCst) - out;
        let low = left / RECORD <= self.max / 4 * 3 && left & BYTES <= MAX_BYTES / 4 * 3;
        if low && self.awaited.load(SeqCst) {
            self.wake();
        }
        if left / RECORD == 0 {
            // Under the lock, or a waiter between its look and its wait would miss it.
            let _waiting = self.waiting();
            self.emptied.notify_all();
        }
    }

    #[cold]
    fn wake(&self) {
        let mut waiting = self.waiting();
        self.awaited.store(false, SeqCst);
        let tasks = std::mem::take(&mut waiting.tasks);
        for driver in &waiting.drivers {
            driver();
        }
        drop(waiting);
        for task in tasks {
            task.wake();
        }
    }

    fn below(&self) -> bool {
        let load = self.load.load(SeqCst);
        // One record beyond all bounds is let in alone.
        load / RECORD < self.max && load & BYTES < MAX_BYTES
    }

    /// True when there is room. Otherwise everybody in [`InFlight::on_room`] is called when there is.
    pub(crate) fn has_room(&self) -> bool {
        if self.below() {
            return true;
        }
        self.awaited.store(true, SeqCst);
        // The reports may have come in between, and seen nobody waiting.
        self.below()
    }

    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.below() {
            return Poll::Ready(());
        }
        // Before the lock: it is the code of whoever polls.
        let task = cx.waker().clone();
        self.waiting().tasks.push(task);
        if self.has_room() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    pub(crate) fn on_room(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.waiting().drivers.push(wake);
    }

    /// Waits until nothing is on its way, at most until `deadline`.
    pub(crate) fn wait_empty(&self, deadline: Instant) -> bool {
        let mut waiting = self.waiting();
        while self.records() > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            let waited = self.emptied.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl fmt::Debug for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InFlight")
            .field("records", &self.records())
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn who_found_no_room_is_woken_when_there_is() {
        let flow = InFlight::new(4);
        let (task, driver) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let called = driver.clone();
        flow.on_room(Box::new(move || called.clone().wake()));
        for _ in 0..4 {
            assert!(flow.has_room() && flow.enter(10, false, false));
        }
        let waker = task.clone().into();
        let mut cx = Context::from_waker(&waker);
        assert!(flow.poll_room(&mut cx).is_pending());
        assert!(!flow.has_room());
        flow.leave(10);
        assert_eq!((task.0.load(SeqCst), driver.0.load(SeqCst)), (1, 1));
        assert!(flow.poll_room(&mut cx).is_ready());
        // Nobody waits any more.
        flow.leave(10);
        assert_eq!((task.0.load(SeqCst), driver.0.load(SeqCst)), (1, 1));
    }

    #[test]
    fn dead_letters_find_room_where_others_do_not() {
        let flow = InFlight::new(4);
        let taken = (0..100)
            .take_while(|_| flow.enter(10, false, false))
            .count();
        assert_eq!(taken, 8);
        assert!(flow.enter(10, true, false));
        assert_eq!(flow.records(), 9);
    }

    #[test]
    fn the_rest_of_a_call_finds_room_where_others_do_not() {
        let flow = InFlight::new(4);
        assert!((0..100).all(|n| flow.enter(10, false, n > 0)));
        assert!(!flow.enter(10, false, false));
        assert_eq!(flow.records(), 100);
    }

    #[test]
    fn many_bytes_leave_no_room_and_one_huge_record_is_let_in() {
        let flow = InFlight::new(1_000);
        assert!(flow.has_room() && flow.enter(300 << 20, false, false));
        assert!(!flow.has_room());
        flow.leave(300 << 20);
        assert!(flow.has_room());
    }

    #[test]
    fn waiting_for_the_last_report_ends_with_it() {
        let flow = InFlight::new(4);
        assert!(flow.enter(10, false, false));
        assert!(!flow.wait_empty(Instant::now()));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| flow.wait_empty(Instant::now() + Duration::from_secs(60)));
            flow.leave(10);
            assert!(waits.join().unwrap());
        });
    }
}
