//! One attempt of a run, and its end as its reports come in.

#[cfg(not(loom))]
mod locks;
#[cfg(loom)]
mod loom;
#[cfg(not(loom))]
mod rules;

use super::*;
use crate::delivery::settle::Closed;

/// Remembers what became of the run, and that it was told once.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<Closed>>);

impl Settle for Told {
    fn closed(&self, tag: RunTag, end: Closed) {
        assert_eq!(tag, TAG);
        self.0.lock().unwrap().push(end);
    }
}

impl Told {
    /// The number of settled records, and the failure after them; `None` before the end.
    fn end(&self) -> Option<(usize, Option<String>)> {
        let told = self.0.lock().unwrap();
        assert!(told.len() <= 1, "a run closes once: {told:?}");
        let end = told.first()?;
        let broken = end.broken.as_ref().map(|why| why.message().to_owned());
        Some((end.settled, broken))
    }
}

const TAG: RunTag = RunTag { part: 3, run: 7 };

struct Attempt {
    told: Arc<Told>,
    stop: Arc<StopFlag>,
    scope: ScopeRef,
}

fn attempt(records: usize) -> Attempt {
    let (told, stop) = (Arc::<Told>::default(), Arc::<StopFlag>::default());
    let scope = DeliveryScope::of_run(records, told.clone(), TAG, stop.clone());
    Attempt { told, stop, scope }
}

impl Attempt {
    /// The handler returned.
    fn handled(&self, at: usize) {
        if self.scope.handled(at) {
            self.scope.close(1);
        }
    }

    fn end(&self) -> Option<(usize, Option<String>)> {
        self.told.end()
    }
}

fn delivery() -> Delivery {
    Delivery::new("out", 0, 0)
}
