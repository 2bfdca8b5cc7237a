//! Assertions that wait.

use super::checks::Checked;
use super::source::Source;
use std::fmt::{self, Debug};
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

/// How long an awaiting assertion waits, unless [`Awaited::within`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

type Check<'a, I> = Box<dyn Fn(&[I]) -> Checked + 'a>;

/// An assertion that waits until it holds.
///
/// # Panics
/// When awaited: if it does not hold in time, naming the place of the call.
#[must_use = "nothing is asserted until it is awaited"]
pub struct Awaited<'a, S: Source> {
    source: &'a S,
    check: Check<'a, S::Item>,
    within: Duration,
    /// It has to hold for the whole time.
    lasting: bool,
    at: &'static Location<'static>,
}

impl<'a, S: Source> Awaited<'a, S> {
    pub(super) fn new(
        source: &'a S,
        check: impl Fn(&[S::Item]) -> Checked + 'a,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            source,
            check: Box::new(check),
            within: PATIENCE,
            lasting: false,
            at,
        }
    }

    /// The same assertion for the whole time: it fails as soon as it does not hold.
    pub(super) fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }
}

impl<S: Source> Awaited<'_, S> {
    /// Waits at most for `duration` instead of a second.
    pub fn within(mut self, duration: Duration) -> Self {
        self.within = duration;
        self
    }

    async fn run(self) {
        let over = tokio::time::sleep(self.within);
        tokio::pin!(over);
        let failure = loop {
            // Armed before the items are looked at, so that no change between is missed.
            let changed = self.source.changed();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match (self.check)(&self.source.items()) {
                Ok(()) if !self.lasting => return,
                Err(failure) if self.lasting => break failure,
                checked => tokio::select! {
                    biased;
                    () = changed => {}
                    () = &mut over => match checked {
                        Ok(()) => return,
                        Err(failure) => break failure,
                    },
                },
            }
        };
        let when = format!(", within {:?}", self.within);
        let report = failure.report(&when, &self.source.sections(), self.at);
        panic!("{report}");
    }
}

impl<'a, S: Source> IntoFuture for Awaited<'a, S> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<S: Source> Debug for Awaited<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Awaited({}, within {:?})", S::function(), self.within)
    }
}
