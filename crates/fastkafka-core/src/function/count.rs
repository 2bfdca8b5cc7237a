//! The count of a call under `#[benchmark]`.

use super::kind::{Consumes, Produces};
use super::meter::Meter;
use super::registry::Register;
use crate::delivery::ambient::with_app;
use std::any::TypeId;

/// Counts a call that has returned, for the app that it belongs to.
#[inline]
pub fn count<F: Register<Kind: Counts>>(meter: &'static Meter, taken: usize, sent: usize) {
    let records = <F::Kind as Counts>::records(taken, sent);
    if records > 0 {
        with_app(TypeId::of::<F::App>(), |app| {
            let mut tallies = app.tallies().iter();
            if let Some(tally) = tallies.find(|tally| std::ptr::eq(tally.meter(), meter)) {
                tally.add(records as u64);
            }
        });
    }
}

/// The kinds of functions that can be measured.
#[diagnostic::on_unimplemented(
    message = "`#[benchmark]` measures consumers and producers",
    label = "no records go through this function",
    note = "it stands beside `#[consumes]` or `#[produces]`"
)]
pub trait Counts {
    /// The records of a call that count: those that it took, or those that it sent.
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
