//! `#[benchmark]`: the meters of functions, and an app's counts of them.

use super::registry::Def;
use crate::lock::unpoisoned;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A function under `#[benchmark]`.
#[derive(Debug)]
pub struct Meter {
    /// The function, also under `#[consumes]` or `#[produces]`.
    pub function: Def,
    /// The time that a figure is counted for.
    pub interval: fn() -> Duration,
    /// The number of figures in the average; `None` where no average is wanted.
    pub window: fn() -> Option<usize>,
}

/// The entry that the attribute submits at link time.
#[derive(Debug)]
pub struct Measured(pub &'static Meter);
inventory::collect!(Measured);

/// The meters among these functions, by module and name.
pub(crate) fn meters(functions: &[Def]) -> Vec<&'static Meter> {
    let is_theirs = |meter: &Meter| {
        let one = &meter.function;
        let same = |def: &Def| def.location() == one.location() && def.name() == one.name();
        functions.iter().any(same)
    };
    let mut meters: Vec<_> = inventory::iter::<Measured>
        .into_iter()
        .map(|Measured(meter)| *meter)
        .filter(|meter| is_theirs(meter))
        .collect();
    meters.sort_by_key(|meter| (meter.function.module(), meter.function.name()));
    meters
}

/// A count of each function that is measured, at zero.
pub(crate) fn tallies(functions: &[Def]) -> Vec<Tally> {
    meters(functions).into_iter().map(Tally::new).collect()
}

/// An app's count of a function's records.
pub struct Tally {
    meter: &'static Meter,
    records: AtomicU64,
    /// A report waits for the next record.
    awaited: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Tally {
    fn new(meter: &'static Meter) -> Self {
        Self {
            meter,
            records: AtomicU64::new(0),
            awaited: AtomicBool::new(false),
            waker: Mutex::new(None),
        }
    }

    /// The function's meter.
    pub fn meter(&self) -> &'static Meter {
        self.meter
    }

    /// The number of records.
    pub fn records(&self) -> u64 {
        self.records.load(SeqCst)
    }

    #[inline]
    pub(crate) fn add(&self, records: u64) {
        self.records.fetch_add(records, SeqCst);
        if self.awaited.load(SeqCst) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        if let Some(waker) = self.waker().take() {
            waker.wake();
        }
    }

    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        unpoisoned(self.waker.lock())
    }

    /// Ends when there are other than `seen`.
    pub async fn more_than(&self, seen: u64) {
        std::future::poll_fn(|cx| self.poll_more(seen, cx)).await;
    }

    fn poll_more(&self, seen: u64, cx: &mut Context<'_>) -> Poll<()> {
        *self.waker() = Some(cx.waker().clone());
        // Either this sees the record that comes meanwhile, or `add` sees that it is awaited.
        self.awaited.store(true, SeqCst);
        if self.records() == seen {
            return Poll::Pending;
        }
        self.awaited.store(false, SeqCst);
        Poll::Ready(())
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tally({}: {})",
            self.meter.function.name(),
            self.records()
        )
    }
}
