//! How an app ends by itself or by a future that is dropped, and who is told.

use fastkafka::error::RunError;
use fastkafka::{App, ProduceError, State, consumes, produces, run_in_background};
use fastkafka_tester::Tester;
use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A producer that is called by itself goes to the one app of its scope that runs: tests that run one of a
/// scope that others run take turns.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

struct Fragile;

#[consumes(
    app = Fragile,
    topic = "numbers",
    auto_offset_reset = "earliest",
    attempts = 1,
    on_failure = "exit"
)]
async fn on_numbers(_number: u64) -> Result<(), &'static str> {
    Err("the till is jammed")
}

#[produces(app = Fragile, topic = "numbers")]
async fn to_numbers(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

const REASON: &str =
    "the app ended: `on_numbers` could not handle numbers[0] at offset 0: the till is jammed";

#[tokio::test(flavor = "multi_thread")]
async fn who_has_called_start_is_told_that_the_app_ends_by_itself_and_why() {
    let _alone = alone().await;
    let released = Arc::new(AtomicU64::new(0));
    let counter = released.clone();
    let app = App::scoped::<Fragile>()
        .title("Fragile")
        .on_stop(move |_| {
            counter.fetch_add(1, SeqCst);
            ready(())
        })
        .build();
    app.start().await.unwrap();
    assert!(app.health().is_ready());
    let waits = |app: App| tokio::spawn(async move { app.ended().await });
    let (one, other) = (waits(app.clone()), waits(app.clone()));
    to_numbers(1).await.unwrap();
    timeout(PATIENCE, app.stopping()).await.unwrap();
    assert!(!app.is_started());
    for ended in [one, other] {
        let ended = timeout(PATIENCE, ended).await.unwrap().unwrap();
        let error = ended.unwrap_err();
        assert!(matches!(error, RunError::Ended(_)), "{error}");
        assert_eq!(error.to_string(), REASON);
    }
    assert_eq!(released.load(SeqCst), 1);
    // Also who comes late, and who stops it.
    assert_eq!(app.ended().await.unwrap_err().to_string(), REASON);
    assert_eq!(app.stop().await.unwrap_err().to_string(), REASON);
    assert_eq!(app.health().problems(), [REASON]);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_told_when_it_is_over_and_not_before() {
    let _alone = alone().await;
    let app = App::scoped::<Fragile>()
        .on_stop(|app| async move {
            app.stopping().await;
            let ended = timeout(Duration::from_secs(5), app.ended()).await;
            ended.map(drop).expect_err("a hook of the stop is at work");
        })
        .build();
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app.clone()).await.unwrap();
    let (ended, stopped) = tokio::join!(app.ended(), app.stop());
    ended.unwrap();
    stopped.unwrap();
    app.ended().await.unwrap();
    drop(tester);
}

#[tokio::test]
async fn an_app_that_never_starts_has_ended_when_it_was_asked_to_stop() {
    let app = App::scoped::<Fragile>().build();
    timeout(Duration::ZERO, app.ended()).await.unwrap_err();
    app.shut_down();
    app.ended().await.unwrap();
}

#[tokio::test]
async fn a_start_that_fails_is_the_end_and_its_reason() {
    let app = App::scoped::<Fragile>()
        .on_start(|_| ready(Err("no key")))
        .build();
    let started = app.start().await.unwrap_err().to_string();
    assert!(started.contains("no key"), "{started}");
    for end in [app.ended().await, app.stop().await] {
        assert_eq!(end.unwrap_err().to_string(), started);
    }
}

struct Watched;

#[run_in_background(app = Watched)]
async fn watch_files() {
    panic!("no inotify");
}

#[produces(app = Watched, topic = "files")]
async fn to_files(name: &'static str) -> Result<&'static str, ProduceError> {
    Ok(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_ends_an_app_that_was_started() {
    let app = App::scoped::<Watched>().build();
    app.start().await.unwrap();
    let ended = timeout(PATIENCE, app.ended()).await.unwrap();
    let error = ended.unwrap_err().to_string();
    assert!(error.ends_with("panicked: no inotify"), "{error}");
}

/// Keeps its record in hand until it may end.
struct Shop;

#[derive(Clone)]
struct Hand {
    taken: Arc<Notify>,
    may_end: Arc<Semaphore>,
    done: Arc<AtomicU64>,
}

impl Hand {
    fn new() -> Self {
        Self {
            taken: Arc::new(Notify::new()),
            may_end: Arc::new(Semaphore::new(0)),
            done: Arc::default(),
        }
    }
}

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(_order: u64, State(hand): State<Hand>) {
    hand.taken.notify_one();
    hand.may_end.acquire().await.unwrap().forget();
    hand.done.fetch_add(1, SeqCst);
}

#[produces(app = Shop, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop(hand: &Hand) -> App {
    let shop = App::scoped::<Shop>().title("Shop");
    shop.state(hand.clone()).build()
}

/// As in `select! { _ = app.run() => {}, _ = ctrl_c() => {} }`.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_dropped_finishes_what_it_has_in_hand_and_takes_nothing_more() {
    let _alone = alone().await;
    let hand = Hand::new();
    let app = shop(&hand);
    let ctrl_c = async {
        app.started().await;
        to_orders(1).await.unwrap();
        hand.taken.notified().await;
        to_orders(2).await.unwrap();
    };
    tokio::select! {
        ran = app.run() => panic!("{ran:?}"),
        () = ctrl_c => {}
    }
    timeout(Duration::ZERO, app.stopping()).await.unwrap();
    assert!(!app.is_started());
    hand.may_end.add_permits(10);
    timeout(PATIENCE, app.ended()).await.unwrap().unwrap();
    assert_eq!(hand.done.load(SeqCst), 1);
    app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_task_is_aborted_with_the_last_handle_of_the_app_ends_in_the_background() {
    let _alone = alone().await;
    let (hand, released) = (Hand::new(), Arc::new(Notify::new()));
    let tell = released.clone();
    let app = App::scoped::<Shop>().title("Shop").state(hand.clone());
    let app = app.on_stop(move |_| {
        tell.notify_one();
        ready(())
    });
    let app = app.build();
    let running = {
        let app = app.clone();
        tokio::spawn(async move { app.run().await })
    };
    app.started().await;
    to_orders(1).await.unwrap();
    hand.taken.notified().await;
    drop(app);
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    hand.may_end.add_permits(1);
    timeout(PATIENCE, released.notified()).await.unwrap();
    assert_eq!(hand.done.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_dropped_goes_on() {
    let _alone = alone().await;
    let hand = Hand::new();
    let app = shop(&hand);
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app.clone()).await.unwrap();
    tester.mirror::<on_orders>().send(7).unsettled().await;
    hand.taken.notified().await;
    timeout(Duration::from_secs(1), app.stop())
        .await
        .unwrap_err();
    hand.may_end.add_permits(1);
    app.ended().await.unwrap();
    assert_eq!(hand.done.load(SeqCst), 1);
    assert_eq!(tester.committed("shop", "orders").get(&0), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_cuts_a_handler_is_no_clean_one_and_names_its_record() {
    let _alone = alone().await;
    let hand = Hand::new();
    let app = shop(&hand);
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app.clone()).await.unwrap();
    tester.mirror::<on_orders>().send(7).unsettled().await;
    hand.taken.notified().await;
    let stopped = app.stop().await.unwrap_err().to_string();
    assert_eq!(
        stopped,
        "the app did not stop cleanly: handlers did not end in time: `on_orders` on orders[0] at offset 0"
    );
    drop(tester);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_dropped_releases_what_it_has_made() {
    let _alone = alone().await;
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
    tokio::select! {
        started = app.start() => panic!("{started:?}"),
        () = in_hook.notified() => {}
    }
    timeout(PATIENCE, released.notified()).await.unwrap();
    app.ended().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever_for_a_start_that_nobody_polls() {
    let app = App::scoped::<Fragile>()
        .on_start(|_| pending::<()>())
        .build();
    let mut start = pin!(app.start());
    let polled = start.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    timeout(PATIENCE * 2, app.stop()).await.unwrap().unwrap();
    let started = start.await.unwrap_err();
    assert!(matches!(started, RunError::Stopped), "{started}");
}

#[tokio::test]
async fn a_time_without_end_is_a_time_like_any_other() {
    let app = App::scoped::<Fragile>()
        .start_timeout(Duration::MAX)
        .shutdown_timeout(Duration::MAX)
        .on_start(|_| ready(Err("no key")))
        .build();
    let started = app.start().await.unwrap_err().to_string();
    assert!(started.contains("no key"), "{started}");
}
