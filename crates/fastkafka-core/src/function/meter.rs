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
    /// How long a figure is counted for.
    pub interval: fn() -> Duration,
    /// How many figures the average is of; `None`: there is none.
    pub window: fn() -> Option<usize>,
}

/// What the attribute submits at link time.
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
    let all = inventory::iter::<Measured>.into_iter();
    let mut meters: Vec<_> = all
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

/// What an app has counted of a function.
pub struct Tally {
    meter: &'static Meter,
    records: AtomicU64,
    /// Somebody waits for the next record.
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

    /// Of which function.
    pub fn meter(&self) -> &'static Meter {
        self.meter
    }

    /// How many records.
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
        // Either this sees the record that comes meanwhile, or who adds it sees that it is awaited.
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
