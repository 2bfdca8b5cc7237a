//! What a `#[produces]` call finds around it: the app, and the record that waits for the delivery.

use crate::app::{AppContext, running};
use crate::delivery::error::ProduceError;
use crate::delivery::failure::Failure;
use crate::delivery::settle::Delivery;
use crate::delivery::slot::{DeliveryScope, DeliveryToken, ScopeRef};
use std::any::TypeId;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll};

/// The surroundings of a piece of code; carried into a task with [`Scoped`].
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// The one whose handler runs.
    pub app: Option<Arc<AppContext>>,
    /// What outputs are charged to.
    pub scope: Option<ScopeRef>,
    /// The record they are charged to; `None`: the one in hand when the output is made.
    pub record: Option<usize>,
}

thread_local! {
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient { app: None, scope: None, record: None }) };
    // Apart from the ambient: a poll swaps that, while whoever has entered an app holds a guard.
    static ENTERED: RefCell<Vec<Arc<AppContext>>> = const { RefCell::new(Vec::new()) };
}

impl Ambient {
    /// Around the run of a handler.
    pub fn of_run(app: Arc<AppContext>, scope: ScopeRef) -> Self {
        Self {
            app: Some(app),
            scope: Some(scope),
            record: None,
        }
    }

    /// Around what belongs to an app and to no record.
    pub fn of_app(app: Arc<AppContext>) -> Self {
        Self {
            app: Some(app),
            ..Self::default()
        }
    }

    /// A copy of what is around this code, with the record in hand pinned: what it sends later,
    /// from another task, is still charged to that record. An app entered last goes along.
    pub fn capture() -> Self {
        let mut ambient = AMBIENT.with_borrow(Self::clone);
        if ambient.app.is_none() {
            ambient.app = ENTERED.with_borrow(|apps| apps.last().cloned());
        }
        if ambient.record.is_none() {
            ambient.record = ambient.scope.as_ref().map(|scope| scope.current());
        }
        ambient
    }

    /// One more thing the record in hand waits for; `None` outside any scope.
    pub fn token(&self) -> Option<DeliveryToken> {
        let scope = self.scope.as_ref()?;
        Some(scope.token(self.record.unwrap_or_else(|| scope.current())))
    }
}

/// Finds the app a call of `producer` belongs to, and the ambient it is charged to.
///
/// Of the apps of the producer's type, the one whose handler runs comes first, then the one entered
/// last on this thread, then the only one that runs. The record in hand is charged in any case, also
/// when another app's producer is called.
pub(crate) fn target<R>(
    scope: TypeId,
    producer: &'static str,
    f: impl FnOnce(&AppContext, &Ambient) -> Result<R, ProduceError>,
) -> Result<R, ProduceError> {
    AMBIENT.with_borrow(|ambient| match &ambient.app {
        Some(app) if app.scope() == scope => f(app, ambient),
        _ => {
            let app = match entered(scope) {
                Some(app) => app,
                None => running(scope, producer)?,
            };
            f(&app, ambient)
        }
    })
}

/// Does something with the app of a type that this code belongs to, found as [`target`] finds it, if
/// there is one.
#[inline]
pub(crate) fn with_app(scope: TypeId, f: impl Fn(&AppContext)) {
    let found = AMBIENT.with_borrow(|ambient| match &ambient.app {
        Some(app) if app.scope() == scope => {
            f(app);
            true
        }
        _ => false,
    });
    if !found {
        with_app_outside(scope, &f);
    }
}

/// Outside the handlers of the app.
#[cold]
fn with_app_outside(scope: TypeId, f: &dyn Fn(&AppContext)) {
    if let Some(app) = entered(scope).or_else(|| running(scope, "").ok()) {
        f(&app);
    }
}

/// The app of a type that was entered last on this thread.
fn entered(scope: TypeId) -> Option<Arc<AppContext>> {
    ENTERED.with_borrow(|apps| apps.iter().rev().find(|app| app.scope() == scope).cloned())
}

/// Tells the record in hand that an output of it can never be sent.
pub(crate) fn give_up() {
    AMBIENT.with_borrow(|ambient| {
        if let Some(scope) = &ambient.scope {
            scope.give_up(ambient.record.unwrap_or_else(|| scope.current()));
        }
    });
}

/// True inside a handler and inside [`delivery_scope`].
pub(crate) fn in_scope() -> bool {
    AMBIENT.with_borrow(|ambient| ambient.scope.is_some())
}

struct Swap<'a>(&'a mut Ambient);

impl<'a> Swap<'a> {
    fn new(other: &'a mut Ambient) -> Self {
        AMBIENT.with_borrow_mut(|ambient| std::mem::swap(ambient, other));
        Self(other)
    }
}

impl Drop for Swap<'_> {
    fn drop(&mut self) {
        AMBIENT.with_borrow_mut(|ambient| std::mem::swap(ambient, self.0));
    }
}

/// An app entered on this thread, until the guard is dropped. See `App::enter`.
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

/// A future that finds its ambient whenever it is polled: two swaps per poll, nothing per record.
#[derive(Debug)]
pub struct Scoped<F> {
    ambient: Ambient,
    future: F,
}

impl<F> Scoped<F> {
    /// Polls `future` with `ambient` around it.
    pub fn new(ambient: Ambient, future: F) -> Self {
        Self { ambient, future }
    }
}

impl<F: Future + Unpin> Future for Scoped<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _swap = Swap::new(&mut this.ambient);
        Pin::new(&mut this.future).poll(cx)
    }
}

/// Sends in bulk outside a handler: calls of producers inside `work` end when their record is
/// enqueued, and this ends when all of them are acknowledged. Sync producers work in it too.
///
/// Returns what `work` returned, and where each record ended up, in the order of acknowledgement.
/// Inside a handler it makes the handler wait for these outputs instead of its record's offset.
///
/// ```no_run
/// # async fn to_orders(n: u32) -> Result<u32, fastkafka_core::ProduceError> { Ok(n) }
/// # async fn example() -> Result<(), fastkafka_core::ProduceError> {
/// use fastkafka_core::{ProduceError, delivery_scope};
///
/// let (sum, deliveries) = delivery_scope(async {
///     let mut sum = 0;
///     for n in 0..10_000 {
///         sum += to_orders(n).await?;
///     }
///     Ok::<_, ProduceError>(sum)
/// })
/// .await?;
/// assert_eq!(deliveries.len(), 10_000);
/// # let _ = sum;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The error of `work`, else that a record was not acknowledged. What `work` had sent before its
/// error is awaited in either case.
pub async fn delivery_scope<T, E: From<ProduceError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<(T, Vec<Delivery>), E> {
    let scope = DeliveryScope::collecting();
    let app = AMBIENT.with_borrow(|ambient| ambient.app.clone());
    let ambient = Ambient {
        app,
        scope: Some(scope.clone()),
        record: Some(0),
    };
    let output = Scoped::new(ambient, Box::pin(work)).await;
    let reports = scope.reports().await;
    Ok((output?, reports.map_err(lost)?))
}

/// The produce error inside a failure, if it came from one.
pub(crate) fn lost(failure: Failure) -> ProduceError {
    let error = failure
        .error()
        .and_then(|e| e.downcast_ref::<ProduceError>())
        .cloned();
    error.unwrap_or_else(|| ProduceError::Lost(failure.message().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::States;
    use crate::function::registry::Registry;

    struct Orders;
    struct Billing;

    fn app<S: 'static>(title: &'static str) -> Arc<AppContext> {
        let mut states = States::default();
        states.insert(title);
        Arc::new(AppContext::new::<S>(&Registry::default(), states))
    }

    fn title(app: &AppContext) -> &'static str {
        app.states().get().copied().unwrap()
    }

    /// The title of the app that a producer of type `S` finds.
    fn found<S: 'static>() -> Option<&'static str> {
        target(TypeId::of::<S>(), "to_test", |app, _| Ok(title(app))).ok()
    }

    #[test]
    fn apps_of_several_types_are_entered_at_once() {
        let _orders = enter(app::<Orders>("orders"));
        let _billing = enter(app::<Billing>("billing"));
        assert_eq!(found::<Orders>(), Some("orders"));
        assert_eq!(found::<Billing>(), Some("billing"));
    }

    #[test]
    fn of_one_type_the_app_entered_last_counts() {
        let _first = enter(app::<Orders>("first"));
        {
            let _second = enter(app::<Orders>("second"));
            assert_eq!(found::<Orders>(), Some("second"));
        }
        assert_eq!(found::<Orders>(), Some("first"));
    }

    #[test]
    fn a_guard_leaves_its_own_app_in_whatever_order_guards_are_dropped() {
        let first = enter(app::<Orders>("first"));
        let second = enter(app::<Orders>("second"));
        drop(first);
        assert_eq!(found::<Orders>(), Some("second"));
        drop(second);
        assert_eq!(found::<Orders>(), None);
    }

    #[test]
    fn the_app_whose_handler_runs_comes_before_one_that_was_entered() {
        let _entered = enter(app::<Orders>("entered"));
        let ambient = Ambient {
            app: Some(app::<Orders>("running")),
            ..Ambient::default()
        };
        let look = Box::pin(async { (found::<Orders>(), found::<Billing>()) });
        let mut look = std::pin::pin!(Scoped::new(ambient, look));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready((orders, billing)) = look.as_mut().poll(&mut cx) else {
            panic!("nothing to wait for");
        };
        assert_eq!(orders, Some("running"));
        assert_eq!(billing, None);
    }

    #[test]
    fn an_entered_app_goes_along_into_a_task() {
        let entered = enter(app::<Orders>("entered"));
        let ambient = Ambient::capture();
        drop(entered);
        assert_eq!(ambient.app.as_deref().map(title), Some("entered"));
    }
}
