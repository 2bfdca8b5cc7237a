//! `fastkafka::spawn`: a task that its record waits for.

use crate::lock::lock;
use crate::tasks;
use fastkafka_core::{
    Ambient, AppContext, AppTask, CatchRun, Failure, Fetched, ScopeRef, Scoped, TaskReturn,
};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::task::{Id, JoinHandle};

/// The run whose handlers are being polled: what says which offset a task is spawned for.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) block: Arc<dyn Fetched>,
    pub(crate) base: usize,
    pub(crate) scope: ScopeRef,
}

/// The tasks that the records of one order unit have spawned, by offset.
#[derive(Default)]
pub(crate) struct Spawned(Mutex<List>);

type List = BTreeMap<(i64, Id), JoinHandle<()>>;

impl fmt::Debug for Spawned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spawned({})", self.list().len())
    }
}

impl Spawned {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    fn list(&self) -> MutexGuard<'_, List> {
        lock(&self.0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// Spawns a task for the record at `offset`; it leaves the list when it ends by itself.
    fn spawn(
        self: Arc<Self>,
        app: Option<&AppContext>,
        offset: i64,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let all = self.clone();
        let work = async move {
            work.await;
            if let Some(id) = tokio::task::try_id() {
                all.list().remove(&(offset, id));
            }
        };
        // Under the lock: the task may end before it is in the list.
        let mut list = self.list();
        let task = begin(app, work);
        list.insert((offset, task.id()), task);
    }

    /// Aborts the tasks of the record at `offset` and of all after it, and waits until they are gone.
    pub(crate) async fn end_from(&self, offset: i64) {
        self.end_within(offset, i64::MAX).await;
    }

    /// The same for the records of `[first, next)` alone.
    pub(crate) async fn end_within(&self, first: i64, next: i64) {
        // A task may spawn another while it is being aborted.
        loop {
            let taken: Vec<_> = {
                let mut list = self.list();
                if list.is_empty() {
                    return;
                }
                list.extract_if(.., |(offset, _), _| first <= *offset && *offset < next)
                    .map(|(_, task)| task)
                    .collect()
            };
            if taken.is_empty() {
                return;
            }
            for task in &taken {
                task.abort();
            }
            for task in taken {
                // Aborted, or ended just before: either way it is gone.
                let _ = task.await;
            }
        }
    }

    pub(crate) fn abort_all(&self) {
        self.list().values().for_each(JoinHandle::abort);
    }

    pub(crate) async fn end_all(&self) {
        self.end_from(i64::MIN).await;
    }
}

/// Spawns a task of the app, if it is in one.
fn begin(
    app: Option<&AppContext>,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    match app {
        Some(app) => tasks::spawn(app, &Handle::current(), AppTask::Spawned, work),
        None => tokio::spawn(work),
    }
}

tokio::task_local! {
    /// The list for the tasks of the record at hand. In a handler the run tells the record's offset; in a
    /// spawned task, which may go on when the run is over, the offset is that of its record.
    static CURRENT: (Arc<Spawned>, Option<Origin>, i64);
}

/// Polls `run` such that [`spawn`] finds the partition's tasks.
pub(crate) async fn scope<F: Future>(tasks: Arc<Spawned>, origin: Origin, run: F) -> F::Output {
    CURRENT.scope((tasks, Some(origin), 0), run).await
}

/// Spawns a task that the record at hand waits for.
///
/// The record's offset is committed only when the task has ended well and everything it produced
/// is acknowledged; its error or panic is a failed attempt of the record, which is then handled
/// again. The next record does not wait for it. The task is aborted when the attempt times out or
/// fails, and when the partition is given away.
///
/// Outside a handler it is `tokio::spawn` within the app and delivery scope at hand.
///
/// ```
/// # use fastkafka_runtime::spawn;
/// # async fn to_invoices(order: u64) -> Result<u64, String> { Ok(order) }
/// // under #[consumes(topic = "orders")]
/// async fn on_orders(order: u64) {
///     spawn(async move {
///         let price = slow_lookup(order).await?;
///         to_invoices(price).await.map(drop)
///     });
/// }
/// # async fn slow_lookup(order: u64) -> Result<u64, String> { Ok(order) }
/// # let _ = on_orders;
/// ```
///
/// # Panics
/// Outside a tokio runtime.
pub fn spawn<F>(task: F)
where
    F: Future + Send + 'static,
    F::Output: TaskReturn,
{
    let ambient = Ambient::capture();
    let token = ambient.token();
    let app = ambient.app.clone();
    let current = CURRENT.try_with(|(tasks, origin, offset)| {
        let offset = match origin {
            Some(origin) => origin.block.offset(origin.base + origin.scope.current()),
            None => *offset,
        };
        (tasks.clone(), offset)
    });
    let work: Pin<Box<dyn Future<Output = F::Output> + Send>> = Box::pin(task);
    let work = Scoped::new(ambient, CatchRun::new(work));
    let work = async move {
        let failure = match work.await {
            Ok(output) => output.outcome().err(),
            Err(panic) => Some(Failure::retry(format_args!(
                "a spawned task panicked: {panic}"
            ))),
        };
        match (token, failure) {
            (Some(token), None) => token.cancel(),
            (Some(token), Some(failure)) => token.fail(failure),
            (None, Some(failure)) => {
                tracing::error!("a spawned task failed: {}", failure.message());
            }
            (None, None) => {}
        }
    };
    match current {
        Err(_) => drop(begin(app.as_deref(), work)),
        Ok((list, offset)) => {
            let work = CURRENT.scope((list.clone(), None, offset), work);
            list.spawn(app.as_deref(), offset, work);
        }
    }
}
