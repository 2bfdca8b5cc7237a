//! The surroundings of a `#[produces]` call: the app, and the record that waits for the delivery.

use super::entered;
use super::error::ProduceError;
use super::slot::{DeliveryScope, DeliveryToken, ScopeRef};
use crate::app::{AppContext, running};
use std::any::TypeId;
use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The surroundings of a piece of code; carried into a task with [`Scoped`].
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// The app whose handler runs.
    pub app: Option<Arc<AppContext>>,
    /// The scope that outputs are charged to.
    pub scope: Option<ScopeRef>,
    /// The record in the scope; `None` for the record in hand when the output is made.
    pub record: Option<usize>,
}

thread_local! {
    // Shared, so that code can hold on to it: nothing of a user's, nor of a client's, runs while the cell is
    // borrowed. A partitioner, a waker or an observer of records may well poll what changes it.
    static AMBIENT: RefCell<Option<Arc<Ambient>>> = const { RefCell::new(None) };
}

/// The surroundings of the code at hand; `None` outside any.
fn current() -> Option<Arc<Ambient>> {
    AMBIENT.with_borrow(Option::clone)
}

impl Ambient {
    /// The surroundings of a handler's run.
    pub fn of_run(app: Arc<AppContext>, scope: ScopeRef) -> Self {
        Self {
            app: Some(app),
            scope: Some(scope),
            record: None,
        }
    }

    /// The surroundings of a task that belongs to an app and to no record.
    pub fn of_app(app: Arc<AppContext>) -> Self {
        Self {
            app: Some(app),
            ..Self::default()
        }
    }

    /// A copy of this code's surroundings. It keeps the record in hand: outputs that another task sends
    /// later are still charged to that record. The app that was entered last goes along.
    pub fn capture() -> Self {
        let mut ambient = current().as_deref().cloned().unwrap_or_default();
        if ambient.app.is_none() {
            ambient.app = entered::last();
        }
        if ambient.record.is_none() {
            ambient.record = ambient.scope.as_ref().map(|scope| scope.current());
        }
        ambient
    }

    /// The app whose handler runs.
    pub(super) fn current_app() -> Option<Arc<AppContext>> {
        current()?.app.clone()
    }

    /// Keeps the record in hand open until the token is settled; `None` outside any scope.
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
    let current = current();
    let outside = Ambient::default();
    let ambient = current.as_deref().unwrap_or(&outside);
    if let Some(app) = &ambient.app
        && app.scope() == scope
    {
        return f(app, ambient);
    }
    let app = match entered::last_of(scope) {
        Some(app) => app,
        None => running(scope, producer)?,
    };
    f(&app, ambient)
}

/// Calls `f` with the app of a type that this code belongs to. [`target`] says how it is found; without
/// one nothing happens.
#[inline]
pub(crate) fn with_app(scope: TypeId, f: impl Fn(&AppContext)) {
    match current().as_deref() {
        Some(Ambient { app: Some(app), .. }) if app.scope() == scope => f(app),
        _ => with_app_outside(scope, &f),
    }
}

/// The same outside the handlers of the app.
#[cold]
fn with_app_outside(scope: TypeId, f: &dyn Fn(&AppContext)) {
    if let Some(app) = entered::last_of(scope).or_else(|| running(scope, "").ok()) {
        f(&app);
    }
}

/// An output of the record in hand can never be sent, so no attempt of the record can succeed.
pub(crate) fn give_up() {
    with_record(DeliveryScope::give_up);
}

/// An output of the record in hand cannot be sent now, which is not the record's fault.
pub(crate) fn excuse() {
    with_record(DeliveryScope::excuse);
}

fn with_record(f: impl Fn(&DeliveryScope, usize)) {
    if let Some(ambient) = current()
        && let Some(scope) = &ambient.scope
    {
        f(scope, ambient.record.unwrap_or_else(|| scope.current()));
    }
}

/// True inside a handler and inside [`delivery_scope`](crate::delivery_scope).
pub(crate) fn in_scope() -> bool {
    AMBIENT.with_borrow(|ambient| ambient.as_ref().is_some_and(|now| now.scope.is_some()))
}

struct Swap<'a>(&'a mut Option<Arc<Ambient>>);

impl<'a> Swap<'a> {
    fn new(other: &'a mut Option<Arc<Ambient>>) -> Self {
        AMBIENT.with_borrow_mut(|ambient| std::mem::swap(ambient, other));
        Self(other)
    }
}

impl Drop for Swap<'_> {
    fn drop(&mut self) {
        AMBIENT.with_borrow_mut(|ambient| std::mem::swap(ambient, self.0));
    }
}

/// A future that finds its ambient whenever it is polled: two swaps per poll, nothing per record.
#[derive(Debug)]
pub struct Scoped<F> {
    ambient: Option<Arc<Ambient>>,
    future: F,
}

impl<F> Scoped<F> {
    /// Polls `future` with `ambient` around it.
    pub fn new(ambient: Ambient, future: F) -> Self {
        Self {
            ambient: Some(Arc::new(ambient)),
            future,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::States;
    use crate::delivery::entered::enter;
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

    /// What `look` finds where the surroundings are these.
    fn within<T>(ambient: Ambient, look: impl FnOnce() -> T) -> T {
        let look = Box::pin(async move { look() });
        let mut look = std::pin::pin!(Scoped::new(ambient, look));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let Poll::Ready(found) = look.as_mut().poll(&mut cx) else {
            panic!("nothing to wait for");
        };
        found
    }

    fn running<S: 'static>(title: &'static str) -> Ambient {
        Ambient::of_app(app::<S>(title))
    }

    /// A partitioner of the user's runs inside a call of a producer, and so does whoever is woken by it.
    #[test]
    fn code_that_a_call_runs_may_poll_what_has_other_surroundings() {
        let (inner, outer) = within(running::<Orders>("orders"), || {
            let scope = TypeId::of::<Orders>();
            let found = target(scope, "to_test", |_, _| {
                let inner = within(running::<Billing>("billing"), found::<Billing>);
                Ok((inner, found::<Orders>()))
            });
            found.unwrap()
        });
        assert_eq!((inner, outer), (Some("billing"), Some("orders")));
    }

    #[test]
    fn so_may_code_that_a_count_wakes() {
        let scope = TypeId::of::<Orders>();
        let seen = std::cell::Cell::new(None);
        within(running::<Orders>("orders"), || {
            with_app(scope, |_| {
                seen.set(within(running::<Billing>("billing"), found::<Billing>));
            });
        });
        assert_eq!(seen.get(), Some("billing"));
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
        let ambient = running::<Orders>("running");
        let (orders, billing) = within(ambient, || (found::<Orders>(), found::<Billing>()));
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
