//! What becomes of an app when its tokio runtime or its last handle is dropped, and who is told.

use fastkafka::error::RunError;
use fastkafka::{Ack, App, ProduceError, State, consumes, produces, run_in_background};
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(30);

/// A producer that is called by itself goes to the one app of its scope that runs: the tests take turns.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Records in hand: each is told of, and ends with a permit.
#[derive(Clone)]
struct Hand {
    taken: Arc<Semaphore>,
    may_end: Arc<Semaphore>,
    done: Arc<AtomicU64>,
}

impl Hand {
    fn new() -> Self {
        Self {
            taken: Arc::new(Semaphore::new(0)),
            may_end: Arc::new(Semaphore::new(0)),
            done: Arc::default(),
        }
    }

    async fn keep(&self) {
        self.taken.add_permits(1);
        self.may_end.acquire().await.unwrap().forget();
        self.done.fetch_add(1, SeqCst);
    }

    async fn is_taken(&self, records: u32) {
        let taken = self.taken.acquire_many(records);
        timeout(PATIENCE, taken).await.unwrap().unwrap().forget();
    }
}

struct Shop;

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(_order: u64, State(hand): State<Hand>) {
    hand.keep().await;
}

#[consumes(app = Shop, topic = "sales", group_id = "sales", order = "key", auto_offset_reset = "earliest")]
async fn on_sales(_sale: u64, State(hand): State<Hand>) {
    hand.keep().await;
}

#[produces(app = Shop, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[produces(app = Shop, topic = "sales")]
async fn to_sales(sale: u64) -> Result<u64, ProduceError> {
    Ok(sale)
}

/// It has no handlers.
struct Bare;

#[produces(app = Bare, topic = "bare")]
async fn to_bare(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// With what tells when its stop hook has run.
fn shop(hand: &Hand) -> (App, Arc<Notify>) {
    let released = Arc::new(Notify::new());
    let tell = released.clone();
    let shop = App::scoped::<Shop>().title("Shop").state(hand.clone());
    let shop = shop.on_stop(move |_| {
        tell.notify_one();
        ready(())
    });
    (shop.build(), released)
}

fn runtime() -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.enable_all().worker_threads(2).build().unwrap()
}

/// Its tasks go on only while the test waits on it: nothing there begins a stop before the test does.
fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn begin_stop(app: &App, on: &Runtime) {
    let _entered = on.enter();
    let mut stop = pin!(app.stop());
    let begun = stop.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(begun.is_pending());
}

/// How the app has ended, as a task hears it that waits on a tokio runtime which stays.
fn ends(here: &Runtime, app: &App) -> impl Future<Output = Result<(), RunError>> + use<> {
    let app = app.clone();
    let waits = here.spawn(async move { app.ended().await });
    async move { timeout(PATIENCE, waits).await.unwrap().unwrap() }
}

const GONE: &str =
    "the app ended: its tokio runtime is gone; await `App::stop` before the runtime is dropped";

#[test]
fn who_waits_is_told_that_the_tokio_runtime_of_an_app_is_gone_and_what_was_cut() {
    let here = runtime();
    let _alone = here.block_on(alone());
    let hand = Hand::new();
    let (app, released) = shop(&hand);
    let first = runtime();
    first.block_on(async {
        app.start().await.unwrap();
        to_orders(1).await.unwrap();
        to_sales(1).await.unwrap();
        hand.is_taken(2).await;
    });
    let ended = ends(&here, &app);
    drop(first);
    assert!(!app.is_started());
    let error = here.block_on(ended).unwrap_err();
    assert!(matches!(error, RunError::Ended(_)), "{error}");
    let error = error.to_string();
    assert!(error.starts_with(GONE), "{error}");
    for cut in [
        "`on_orders` on orders[0] at offset 0",
        "`on_sales` on sales[0] at offset 0",
    ] {
        let told = format!("handlers did not end in time: {cut}");
        assert!(error.contains(&told), "{error}");
    }
    assert!(!error.contains("panicked"), "{error}");
    // Also who comes late, and health.
    assert_eq!(here.block_on(app.stop()).unwrap_err().to_string(), error);
    assert_eq!(app.health().problems()[0].to_string(), error);
    here.block_on(async { timeout(PATIENCE, released.notified()).await.unwrap() });
}

struct Keeper;

#[derive(Clone)]
struct Kept {
    acks: Arc<std::sync::Mutex<Vec<Ack>>>,
    taken: Arc<Semaphore>,
}

#[consumes(app = Keeper, topic = "kept", enable_auto_commit = false, auto_offset_reset = "earliest")]
async fn on_kept(_: u64, ack: Ack, State(kept): State<Kept>) {
    kept.acks.lock().unwrap().push(ack);
    kept.taken.add_permits(1);
}

#[produces(app = Keeper, topic = "kept")]
async fn to_kept(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// Its lane has nothing in hand when it goes.
#[test]
fn what_is_handled_and_not_settled_when_the_tokio_runtime_goes_is_named() {
    let here = runtime();
    let _alone = here.block_on(alone());
    let kept = Kept {
        acks: Arc::default(),
        taken: Arc::new(Semaphore::new(0)),
    };
    let app = App::scoped::<Keeper>().state(kept.clone());
    let app = app.shutdown_timeout(Duration::from_secs(5)).build();
    let first = current_thread();
    first.block_on(async {
        app.start().await.unwrap();
        to_kept(1).await.unwrap();
        let taken = kept.taken.acquire();
        timeout(PATIENCE, taken).await.unwrap().unwrap().forget();
    });
    let ended = ends(&here, &app);
    drop(first);
    let error = here.block_on(ended).unwrap_err().to_string();
    let told = "records were handled and not settled in time: `on_kept` on kept[0] from offset 0";
    assert!(error.contains(told), "{error}");
}

#[test]
fn a_stop_whose_tokio_runtime_goes_is_finished_where_the_handlers_are() {
    let here = current_thread();
    let _alone = here.block_on(alone());
    let hand = Hand::new();
    let (app, _) = shop(&hand);
    here.block_on(async {
        app.start().await.unwrap();
        to_orders(1).await.unwrap();
        hand.is_taken(1).await;
    });
    let other = runtime();
    let mut stop = Box::pin(app.stop());
    {
        let _in_other = other.enter();
        let begun = stop.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(begun.is_pending());
    }
    drop(other);
    let ended = ends(&here, &app);
    hand.may_end.add_permits(1);
    here.block_on(ended).unwrap();
    assert_eq!(hand.done.load(SeqCst), 1);
    here.block_on(stop).unwrap();
}

/// Its timers are of the tokio runtime that it was begun on, not of the one that happened to poll it.
#[test]
fn an_end_outlives_the_tokio_runtime_of_one_who_waits_for_it() {
    let here = current_thread();
    let _alone = here.block_on(alone());
    let (may_end, sleeps) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (first, second) = (may_end.clone(), sleeps.clone());
    let app = App::scoped::<Bare>()
        .on_stop(move |_| {
            let sleeps = second.clone();
            async move {
                sleeps.notify_one();
                sleep(Duration::from_millis(1)).await;
            }
        })
        .on_stop(move |_| {
            let may_end = first.clone();
            async move { may_end.notified().await }
        })
        .build();
    here.block_on(app.start()).unwrap();
    begin_stop(&app, &here);
    may_end.notify_one();
    let other = current_thread();
    other.block_on(async {
        tokio::select! {
            biased;
            () = sleeps.notified() => {}
            ended = app.stop() => panic!("{ended:?}"),
        }
    });
    drop(other);
    let ended = here.block_on(async { timeout(PATIENCE, app.ended()).await });
    ended.unwrap().unwrap();
}

/// Begun once more elsewhere, it tells what it had come to: of that nothing is left to be found.
#[test]
fn an_end_that_begins_again_tells_what_was_found_before_and_which_hook_was_cut() {
    let here = current_thread();
    let _alone = here.block_on(alone());
    let hand = Hand::new();
    let in_hook = Arc::new(Notify::new());
    let reached = in_hook.clone();
    let app = App::scoped::<Shop>()
        .state(hand.clone())
        .shutdown_timeout(Duration::from_secs(1))
        .on_stop(move |_| {
            reached.notify_one();
            pending::<()>()
        })
        .on_stop(|_| ready(Err("no ink")))
        .build();
    here.block_on(async {
        app.start().await.unwrap();
        to_orders(1).await.unwrap();
        hand.is_taken(1).await;
    });
    let other = runtime();
    begin_stop(&app, &other);
    here.block_on(async { timeout(PATIENCE, in_hook.notified()).await.unwrap() });
    let ended = ends(&here, &app);
    drop(other);
    let error = here.block_on(ended).unwrap_err().to_string();
    assert!(error.contains(") was cut"), "{error}");
    for found in ["`on_orders` on orders[0] at offset 0", ") failed: no ink"] {
        assert_eq!(error.matches(found).count(), 1, "{found}: {error}");
    }
}

#[derive(Clone)]
struct Gate {
    entered: Arc<Notify>,
    open: Arc<std::sync::Mutex<()>>,
}

struct Stubborn;

#[run_in_background(app = Stubborn)]
async fn block_a_thread(State(gate): State<Gate>) {
    gate.entered.notify_one();
    drop(gate.open.lock());
}

#[test]
fn an_end_that_begins_again_names_a_task_that_the_first_has_cancelled() {
    // The task has its only thread.
    let mut here = Builder::new_multi_thread();
    let here = here.enable_all().worker_threads(1).build().unwrap();
    let gate = Gate {
        entered: Arc::new(Notify::new()),
        open: Arc::default(),
    };
    let closed = gate.open.lock().unwrap();
    let app = App::scoped::<Stubborn>().state(gate.clone());
    let app = app.shutdown_timeout(Duration::from_secs(1)).build();
    here.block_on(async {
        app.start().await.unwrap();
        gate.entered.notified().await;
    });
    let other = runtime();
    begin_stop(&app, &other);
    drop(other);
    let other = runtime();
    let ended = other.block_on(ends(&other, &app));
    drop(closed);
    let error = ended.unwrap_err().to_string();
    assert!(error.ends_with("it blocks its thread"), "{error}");
}

#[test]
fn a_start_that_goes_with_its_tokio_runtime_releases_what_it_has_made() {
    let here = runtime();
    let (in_hook, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (reached, tell) = (in_hook.clone(), released.clone());
    let app = App::scoped::<Shop>()
        .state(Hand::new())
        .on_stop(move |_| {
            tell.notify_one();
            ready(())
        })
        .on_start(move |_| {
            reached.notify_one();
            pending::<()>()
        })
        .build();
    let first = runtime();
    let starting = app.clone();
    first.spawn(async move { starting.start().await });
    here.block_on(in_hook.notified());
    let ended = ends(&here, &app);
    drop(first);
    here.block_on(ended).unwrap();
    here.block_on(async { timeout(PATIENCE, released.notified()).await.unwrap() });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_last_handle_is_dropped_finishes_its_records_and_releases_what_it_has_made() {
    let _alone = alone().await;
    let hand = Hand::new();
    let (app, released) = shop(&hand);
    app.start().await.unwrap();
    to_orders(1).await.unwrap();
    hand.is_taken(1).await;
    let (stopping, one) = (app.stopping(), app.clone());
    drop(app);
    timeout(Duration::ZERO, one.stopping()).await.unwrap_err();
    assert!(one.is_started(), "a clone is the app");
    drop(one);
    timeout(PATIENCE, stopping).await.unwrap();
    hand.may_end.add_permits(1);
    timeout(PATIENCE, released.notified()).await.unwrap();
    assert_eq!(hand.done.load(SeqCst), 1);
}
