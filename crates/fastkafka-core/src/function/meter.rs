//! `#[benchmark]`: how many records a function has handled or sent, counted for each app.

use crate::delivery::ambient::with_app;
use crate::function::registry::{Def, Register};
use crate::testing::{Consumes, Produces};
use std::any::TypeId;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// The meters among the functions of an app, none of which has counted yet.
pub(crate) fn tallies(functions: &[Def]) -> Vec<Tally> {
    let measured = inventory::iter::<Measured>.into_iter();
    let of_app = measured.filter(|Measured(meter)| {
        let one = &meter.function;
        let same = |def: &Def| def.location() == one.location() && def.name() == one.name();
        functions.iter().any(same)
    });
    let mut tallies: Vec<_> = of_app.map(|Measured(meter)| Tally::new(meter)).collect();
    tallies.sort_by_key(|tally| (tally.meter.function.module(), tally.meter.function.name()));
    tallies
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
    fn add(&self, records: u64) {
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
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Counts a call that has returned, for the app that it belongs to.
#[inline]
pub fn count<F: Register<Kind: Counts>>(meter: &'static Meter, taken: usize, sent: usize) {
    let records = <F::Kind as Counts>::records(taken, sent);
    if records > 0 {
        with_app(TypeId::of::<F::App>(), |app| {
            let mut tallies = app.tallies().iter();
            if let Some(tally) = tallies.find(|tally| std::ptr::eq(tally.meter, meter)) {
                tally.add(records as u64);
            }
        });
    }
}

/// What can be measured.
#[diagnostic::on_unimplemented(
    message = "`#[benchmark]` measures consumers and producers",
    label = "no records go through this function",
    note = "it stands beside `#[consumes]` or `#[produces]`"
)]
pub trait Counts {
    /// Of what a call has taken and of what it returned, what counts.
    fn records(taken: usize, sent: usize) -> usize;
}

impl Counts for Consumes {
    #[inline]
    fn records(taken: usize, _: usize) -> usize {
        taken
    }
}

impl Counts for Produces {
    #[inline]
    fn records(_: usize, sent: usize) -> usize {
        sent
    }
}

/// How many records a value is: of the first parameter, or of what was returned. An inherent method
/// wins over a trait's, and that over one that needs another reference.
#[derive(Debug)]
pub struct Records<'a, T>(pub &'a T);

impl<T> Records<'_, Vec<T>> {
    /// A batch.
    #[inline]
    pub fn records(self) -> usize {
        self.0.len()
    }
}

impl<T, E> Records<'_, Result<Vec<T>, E>> {
    /// Many, or none because of an error.
    #[inline]
    pub fn records(self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}

impl<T, E> Records<'_, Result<Option<T>, E>> {
    /// One or none.
    #[inline]
    pub fn records(self) -> usize {
        usize::from(matches!(self.0, Ok(Some(_))))
    }
}

/// What [`Records`] says of every other result.
pub trait RecordsOfResult {
    /// One, or none because of an error.
    fn records(self) -> usize;
}
impl<T, E> RecordsOfResult for Records<'_, Result<T, E>> {
    #[inline]
    fn records(self) -> usize {
        usize::from(self.0.is_ok())
    }
}

/// What [`Records`] says of everything else.
pub trait OneRecord {
    /// One.
    fn records(self) -> usize;
}
impl<T> OneRecord for &Records<'_, T> {
    #[inline]
    fn records(self) -> usize {
        1
    }
}
