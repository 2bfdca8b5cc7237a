//! The running apps of the process, for calls of producers outside handlers.

use super::AppContext;
use crate::delivery::error::ProduceError;
use crate::delivery::sink::RecordSink;
use crate::lock::unpoisoned;
use std::any::TypeId;
use std::sync::{Arc, RwLock, Weak};

static RUNNING: RwLock<Vec<Weak<AppContext>>> = RwLock::new(Vec::new());

impl AppContext {
    /// Connects the app and makes it one of the running apps, for calls outside handlers.
    ///
    /// # Errors
    /// Gives the sink back when the app is connected already: an app is started once.
    pub fn connect(self: &Arc<Self>, sink: Arc<dyn RecordSink>) -> Result<(), Arc<dyn RecordSink>> {
        self.connect_to(sink)?;
        let mut all = unpoisoned(RUNNING.write());
        all.retain(|app| app.strong_count() > 0);
        all.push(Arc::downgrade(self));
        Ok(())
    }

    /// The app is no longer one of the running apps, and takes no record of who has entered it.
    pub fn disconnect(self: &Arc<Self>) {
        self.refuse();
        let me = Arc::downgrade(self);
        unpoisoned(RUNNING.write()).retain(|app| !app.ptr_eq(&me));
    }
}

/// The one running app of the type `scope`.
pub(crate) fn running(
    scope: TypeId,
    producer: &'static str,
) -> Result<Arc<AppContext>, ProduceError> {
    let mut found = running_of(scope).into_iter();
    match (found.next(), found.len()) {
        (None, _) => Err(ProduceError::NoApp { producer }),
        (Some(app), 0) => Ok(app),
        (Some(_), more) => Err(ProduceError::AmbiguousApp {
            producer,
            running: more + 1,
        }),
    }
}

/// The caller drops them without the lock: the last one to let go of an app runs what its states do when
/// they are dropped, and that may start or stop another.
fn running_of(scope: TypeId) -> Vec<Arc<AppContext>> {
    let all = unpoisoned(RUNNING.read());
    let running = all.iter().filter_map(Weak::upgrade);
    let (of_scope, others): (Vec<_>, Vec<_>) = running.partition(|app| app.scope() == scope);
    drop(all);
    drop(others);
    of_scope
}
