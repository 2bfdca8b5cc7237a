//! What a `#[produces]` call finds around it: the app, and the record that waits for the delivery.

use crate::app::{AppCore, running};
use crate::error::ProduceError;
use crate::failure::Failure;
use crate::settle::Delivery;
use crate::slot::{DeliveryScope, DeliveryToken, ScopeRef};
use std::any::TypeId;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, MutexGuard};
use std::task::{Context, Poll};

/// The surroundings of a piece of code; carried into a task with [`Scoped`].
#[derive(Clone, Debug, Default)]
pub struct Ambient {
    /// The app entered, or the one whose handler runs.
    pub app: Option<Arc<AppCore>>,
    /// What outputs are charged to.
    pub scope: Option<ScopeRef>,
    /// The record they are charged to; `None`: the one in hand when the output is made.
    pub record: Option<usize>,
}

thread_local! {
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient { app: None, scope: None, record: None }) };
}

impl Ambient {
    /// Around the run of a handler.
    pub fn of_run(app: Arc<AppCore>, scope: ScopeRef) -> Self {
        Self {
            app: Some(app),
            scope: Some(scope),
            record: None,
        }
    }

    /// A copy of what is around this code, with the record in hand pinned: what it sends later,
    /// from another task, is still charged to that record.
    pub fn capture() -> Self {
        AMBIENT.with_borrow(|ambient| {
            let record = ambient
                .record
                .or_else(|| ambient.scope.as_ref().map(|scope| scope.current()));
            Self {
                record,
                ..ambient.clone()
            }
        })
    }

    /// One more thing the record in hand waits for; `None` outside any scope.
    pub fn token(&self) -> Option<DeliveryToken> {
        let scope = self.scope.as_ref()?;
        Some(scope.token(self.record.unwrap_or_else(|| scope.current())))
    }
}

/// Finds the app a call of `producer` belongs to, and the ambient it is charged to.
///
/// The app around the code counts if it is of the producer's type, whether its handler runs or it
/// was entered; else the one running app of that type. The record in hand is charged in any case,
/// also when another app's producer is called.
pub(crate) fn target<R>(
    scope: TypeId,
    producer: &'static str,
    f: impl FnOnce(&AppCore, &Ambient) -> Result<R, ProduceError>,
) -> Result<R, ProduceError> {
    AMBIENT.with_borrow(|ambient| match &ambient.app {
        Some(app) if app.scope() == scope => f(app, ambient),
        _ => f(&*running(scope, producer)?, ambient),
    })
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
    previous: Option<Ambient>,
    // Bound to this thread, yet a test may hold it across an await of a current-thread runtime.
    _not_send: PhantomData<MutexGuard<'static, ()>>,
}

/// Enters an app on this thread.
pub fn enter(app: Arc<AppCore>) -> Entered {
    let entered = Ambient {
        app: Some(app),
        ..Ambient::default()
    };
    let previous = AMBIENT.with_borrow_mut(|ambient| std::mem::replace(ambient, entered));
    Entered {
        previous: Some(previous),
        _not_send: PhantomData,
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(previous) = self.previous.take() {
            AMBIENT.with_borrow_mut(|ambient| *ambient = previous);
        }
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
