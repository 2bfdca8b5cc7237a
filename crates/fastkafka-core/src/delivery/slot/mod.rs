//! Settle slots: how a delivery report finds its record through one pointer.
//!
//! A [`DeliveryScope`] belongs to one attempt of a run, or to a piece of code outside any handler.
//! It has one slot per record. A slot's `pending` starts at 1 for the handler; each output, `Ack`
//! and spawned task adds 1 through a [`DeliveryToken`]. At 0 the record is closed. The thread that
//! closes the last record of the scope reports the end of the run, once.
//!
//! librdkafka carries one pointer per record it sends, so a token is one pointer and holds no
//! reference count of its own:
//!
//! * while a token lives, its slot has `pending > 0`, so its record counts in `open`;
//! * the first token leaks one strong reference of the scope into `held`;
//! * the thread that brings `open` to 0 takes that reference back. No token exists any more, and
//!   none can be made: making one needs a record that is still open.
//!
//! A record without tokens costs one exchange. Whoever asks for a token of a record that is closed gets
//! none, but a panic: its scope may be gone before the token is.

#[deny(unsafe_code)]
mod batches;
#[deny(unsafe_code)]
mod polls;
#[deny(unsafe_code)]
mod reports;
#[deny(unsafe_code)]
mod verdict;

use crate::delivery::failure::Failure;
use crate::delivery::settle::{Delivery, OrderUnit, RunTag, Settle};
use crate::delivery::stop_flag::StopFlag;
use crate::delivery::sync::{self, AtomicPtr, AtomicU32, Mutex, Ordering::*};
use crate::lock::unpoisoned;
use reports::Collected;
pub use reports::Collecting;
use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::sync::Arc;

enum Report {
    Run {
        to: Arc<dyn Settle>,
        tag: RunTag,
        stop: Arc<StopFlag>,
    },
    Collect(Mutex<Collected>),
}

struct Slot {
    pending: AtomicU32,
    index: u32,
    scope: AtomicPtr<DeliveryScope>,
}

/// A shared [`DeliveryScope`].
pub type ScopeRef = sync::Arc<DeliveryScope>;

/// The outputs of one attempt of a run, or of a piece of code outside any handler.
pub struct DeliveryScope {
    report: Report,
    current: AtomicU32,
    /// Records of the call in hand.
    taken: AtomicU32,
    /// The ends of the batches so far.
    batches: Mutex<Vec<usize>>,
    /// Beginnings and ends of polls of the handler: odd while a poll goes on.
    polls: AtomicU32,
    /// Records that are not closed; the loop subtracts those without tokens in one step.
    open: AtomicU32,
    /// Records from this index on were not handled.
    end: AtomicU32,
    broken: Mutex<Option<(u32, Failure)>>,
    /// Index + 1 of the last record that tried to send what can never be sent; 0 while there is none.
    hopeless: AtomicU32,
    /// The same of one that tried to send what cannot be sent now.
    excused: AtomicU32,
    /// The leaked reference; null while there has been no token.
    held: AtomicPtr<DeliveryScope>,
    slots: Box<[Slot]>,
}

impl fmt::Debug for DeliveryScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeliveryScope")
            .field("records", &self.slots.len())
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}

impl DeliveryScope {
    /// The scope of one attempt of a run.
    ///
    /// # Panics
    /// If `records` is zero.
    pub fn of_run(
        records: usize,
        to: Arc<dyn Settle>,
        tag: RunTag,
        stop: Arc<StopFlag>,
    ) -> ScopeRef {
        Self::new(index(records), Report::Run { to, tag, stop })
    }

    /// A scope that collects its delivery reports.
    pub fn collecting() -> Collecting {
        Collecting(Self::new(1, Report::Collect(Mutex::default())))
    }

    fn new(records: u32, report: Report) -> ScopeRef {
        assert!(records > 0, "a scope has at least one record");
        let slot = |index| Slot {
            pending: AtomicU32::new(1),
            index,
            scope: AtomicPtr::new(ptr::null_mut()),
        };
        let scope = sync::Arc::new(Self {
            report,
            current: AtomicU32::new(0),
            taken: AtomicU32::new(1),
            batches: Mutex::default(),
            polls: AtomicU32::new(0),
            open: AtomicU32::new(records),
            end: AtomicU32::new(records),
            broken: Mutex::new(None),
            hopeless: AtomicU32::new(0),
            excused: AtomicU32::new(0),
            held: AtomicPtr::new(ptr::null_mut()),
            slots: (0..records).map(slot).collect(),
        });
        let me = sync::Arc::as_ptr(&scope).cast_mut();
        for slot in &scope.slots {
            slot.scope.store(me, Relaxed);
        }
        scope
    }

    /// The record at `at` is next.
    #[inline]
    pub(crate) fn begin(&self, at: usize) {
        self.current.store(index(at), Relaxed);
    }

    /// Index of the record in hand; after a panic or a time-out, of the one that caused it.
    #[inline]
    pub fn current(&self) -> usize {
        self.current.load(Relaxed) as usize
    }

    /// The loop has to leave at the next record boundary.
    #[inline]
    pub(crate) fn stopping(&self) -> bool {
        matches!(&self.report, Report::Run { stop, .. } if stop.stopping())
    }

    /// The record at `at` tried to send what can never be sent.
    pub(crate) fn give_up(&self, at: usize) {
        self.hopeless.store(index(at) + 1, Release);
    }

    /// True after [`DeliveryScope::give_up`]: another attempt of the record cannot succeed.
    pub(crate) fn is_hopeless(&self, at: usize) -> bool {
        self.hopeless.load(Acquire) == index(at) + 1
    }

    /// The record at `at` tried to send what cannot be sent now.
    pub(crate) fn excuse(&self, at: usize) {
        self.excused.store(index(at) + 1, Release);
    }

    /// True after [`DeliveryScope::excuse`]: that the attempt fails is not the fault of the record.
    pub(crate) fn is_excused(&self, at: usize) -> bool {
        self.excused.load(Acquire) == index(at) + 1
    }

    /// The partition of this run was revoked.
    pub(crate) fn released(&self) -> bool {
        matches!(&self.report, Report::Run { stop, .. } if stop.released())
    }

    /// The handler is done with a record. True when nothing else keeps it open: the caller then
    /// owes one record to [`DeliveryScope::close`].
    #[inline]
    #[must_use]
    pub(crate) fn handled(&self, at: usize) -> bool {
        self.slots[at].pending.fetch_sub(1, AcqRel) == 1
    }

    /// `records` of the caller's are closed.
    pub(crate) fn close(&self, records: u32) {
        if records > 0 {
            // SAFETY: `self` is borrowed, so alive for the whole call; these records count in `open`.
            unsafe { Self::close_raw(self, records) }
        }
    }

    /// # Safety
    /// `this` is valid, and `records > 0` records that count in `open` belong to the caller. If the
    /// caller has no reference of its own it must not touch `this` afterwards.
    unsafe fn close_raw(this: *const Self, records: u32) {
        // SAFETY: the caller's records still count in `open`, so the scope is alive.
        if unsafe { (*this).open.fetch_sub(records, AcqRel) } != records {
            return;
        }
        // SAFETY: this thread alone brought `open` to zero. The caller's reference, or the leaked
        // one taken back below, keeps the scope alive to the end of this function.
        let me = unsafe { &*this };
        let held = me.held.load(Acquire);
        // SAFETY: `hold` counted this reference; it is taken back here, once.
        let _held = (!held.is_null()).then(|| unsafe { sync::Arc::from_raw(held.cast_const()) });
        match &me.report {
            Report::Run { to, tag, .. } => to.closed(*tag, me.verdict()),
            Report::Collect(collected) => {
                let waker = unpoisoned(collected.lock()).waker.take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    /// Keeps the record at `at` open until the token is settled.
    ///
    /// # Panics
    /// If nothing keeps the record open any more: its handler, the holder of another token, and whoever waits
    /// for the reports of a collecting scope may ask for one.
    #[inline]
    pub fn token(&self, at: usize) -> DeliveryToken {
        let slot = &self.slots[at];
        let one_more = |pending: u32| (pending > 0).then(|| pending + 1);
        let counted = slot.pending.fetch_update(Relaxed, Relaxed, one_more);
        assert!(counted.is_ok(), "a record that is closed stays closed");
        if self.held.load(Acquire).is_null() {
            self.hold(slot.scope.load(Relaxed));
        }
        DeliveryToken(slot)
    }

    /// `me` is the pointer to `self` that `new` got from the `Arc`.
    #[cold]
    fn hold(&self, me: *mut Self) {
        // SAFETY: a scope lives in the `Arc` that `new` made, nowhere else, and is borrowed here.
        unsafe { sync::Arc::increment_strong_count(me.cast_const()) };
        if self
            .held
            .compare_exchange(ptr::null_mut(), me, AcqRel, Acquire)
            .is_err()
        {
            // SAFETY: counted just above; another thread's reference is the one that is held.
            unsafe { sync::Arc::decrement_strong_count(me.cast_const()) };
        }
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("a run has fewer than 2^32 records")
}

/// Keeps one record open: an output under way, an `Ack`, a spawned task. One pointer wide.
///
/// Dropping it says that the thing is lost, which is a failed attempt of the record.
pub struct DeliveryToken(*const Slot);

// SAFETY: the slot is made of atomics and lives as long as the token: while the token lives its
// slot is pending, the record counts in `open`, and the scope keeps `held`.
unsafe impl Send for DeliveryToken {}
// SAFETY: as above.
unsafe impl Sync for DeliveryToken {}

impl fmt::Debug for DeliveryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeliveryToken")
    }
}

impl DeliveryToken {
    /// A token that keeps nothing open.
    pub fn detached() -> Self {
        Self(ptr::null())
    }

    /// The pointer that a client carries as opaque value.
    pub fn into_raw(self) -> *mut c_void {
        let slot = self.0;
        std::mem::forget(self);
        slot.cast_mut().cast()
    }

    /// Takes a token back.
    ///
    /// # Safety
    /// `raw` comes from [`DeliveryToken::into_raw`] and is taken back once.
    pub unsafe fn from_raw(raw: *mut c_void) -> Self {
        Self(raw.cast_const().cast())
    }

    /// Delivered, acknowledged, or done. `delivery` is made only where reports are collected.
    pub fn ack(self, delivery: impl FnOnce() -> Delivery) {
        if let Some(scope) = self.scope()
            && let Report::Collect(collected) = &scope.report
        {
            unpoisoned(collected.lock()).delivered.push(delivery());
        }
        self.end();
    }

    /// Withdraws the token: the output was never taken, or the task is done.
    pub fn cancel(self) {
        self.end();
    }

    /// Lost: a failed attempt of the record.
    pub fn fail(self, failure: Failure) {
        self.broken(failure);
        self.end();
    }

    /// It keeps a record of a handler's run open, and not a piece of code that waits for its reports.
    pub fn is_of_run(&self) -> bool {
        self.scope()
            .is_some_and(|scope| matches!(scope.report, Report::Run { .. }))
    }

    /// The partition that its record was read from; `None` outside handlers, where nothing has an order.
    pub fn order_unit(&self) -> Option<OrderUnit> {
        match &self.scope()?.report {
            Report::Run { to, tag, .. } => Some(OrderUnit {
                reader: Arc::as_ptr(to).addr(),
                part: tag.part,
            }),
            Report::Collect(_) => None,
        }
    }

    /// The partition of this record was revoked: its results no longer count.
    pub(crate) fn released(&self) -> bool {
        self.scope().is_some_and(DeliveryScope::released)
    }

    fn scope(&self) -> Option<&DeliveryScope> {
        // SAFETY: null or valid, see the type; the scope outlives the token.
        unsafe { self.0.as_ref().map(|slot| &*slot.scope.load(Relaxed)) }
    }

    fn broken(&self, failure: Failure) {
        if let Some(scope) = self.scope() {
            // SAFETY: not null, and a live token's slot is valid.
            scope.fail(unsafe { (*self.0).index }, failure);
        }
    }

    fn end(self) {
        let slot = self.0;
        std::mem::forget(self);
        if slot.is_null() {
            return;
        }
        // SAFETY: the token still counts in `pending`, so slot and scope are valid up to `fetch_sub`;
        // after it only if it was the last one, since the record then still counts in `open`.
        unsafe {
            let scope = (*slot).scope.load(Relaxed).cast_const();
            if (*slot).pending.fetch_sub(1, AcqRel) == 1 {
                DeliveryScope::close_raw(scope, 1);
            }
        }
    }
}

impl Drop for DeliveryToken {
    fn drop(&mut self) {
        if !self.0.is_null() {
            self.broken(Failure::retry(
                "an output was dropped before it was acknowledged",
            ));
            Self(self.0).end();
        }
    }
}

#[cfg(test)]
mod tests;
