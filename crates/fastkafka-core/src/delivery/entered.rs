//! Apps that were entered on a thread, for calls of producers outside handlers.

use crate::app::AppContext;
use std::any::TypeId;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};

thread_local! {
    // Apart from the ambient: a poll swaps that, and meanwhile guards of entered apps are alive.
    static ENTERED: RefCell<Vec<Arc<AppContext>>> = const { RefCell::new(Vec::new()) };
}

/// The guard of an entered app: it is left when the guard is dropped. `App::enter` makes it.
#[derive(Debug)]
#[must_use = "the app is left when the guard is dropped"]
pub struct Entered {
    app: Arc<AppContext>,
    // Bound to this thread, yet a test may hold it across an await of a current-thread runtime.
    _not_send: PhantomData<MutexGuard<'static, ()>>,
}

/// Enters an app on this thread. Several may be entered, also of one type: the last one counts.
pub fn enter(app: Arc<AppContext>) -> Entered {
    ENTERED.with_borrow_mut(|apps| apps.push(app.clone()));
    Entered {
        app,
        _not_send: PhantomData,
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        // At the end of a thread the list may be gone before the guard is.
        let _ = ENTERED.try_with(|apps| {
            let mut apps = apps.borrow_mut();
            if let Some(at) = apps.iter().rposition(|app| Arc::ptr_eq(app, &self.app)) {
                apps.remove(at);
            }
        });
    }
}

/// The app that was entered last on this thread.
pub(super) fn last() -> Option<Arc<AppContext>> {
    ENTERED.with_borrow(|apps| apps.last().cloned())
}

/// The app of a type that was entered last on this thread.
pub(super) fn last_of(scope: TypeId) -> Option<Arc<AppContext>> {
    ENTERED.with_borrow(|apps| apps.iter().rev().find(|app| app.scope() == scope).cloned())
}
