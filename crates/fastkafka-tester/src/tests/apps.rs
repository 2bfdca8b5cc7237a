//! Several apps, several processes, several threads.

use crate::Tester;
use crate::tests::support::*;
use fastkafka::{App, ProduceError, State, consumes, produces};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_record_goes_through_two_apps_before_its_send_returns() {
    let tester = Tester::start([app(), billing()]).await.unwrap();
    tester.to_eu_orders_v1(order(1)).await;
    tester
        .spy::<on_billed>()
        .assert_called_once_with(&invoice(1));
    tester.on_receipts().assert_called_once_with(&1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_the_test_calls_finds_the_app_that_has_it() {
    let tester = Tester::start([app(), billing()]).await.unwrap();
    to_receipts(5).await.unwrap();
    to_corrections(6).await.unwrap();
    assert_eq!(tester.on_receipts().messages().len(), 1);
    assert_eq!(tester.mirror::<to_corrections>().messages().len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn two_testers_of_one_app_do_not_see_each_other() {
    let one = Tester::start(app()).await.unwrap();
    let other = Tester::start(app()).await.unwrap();
    one.to_eu_orders_v1(order(1)).await;
    other.spy::<on_orders>().assert_not_called();
    other.mirror::<to_invoices>().assert_not_called();
    one.mirror::<to_invoices>().assert_called_once();
}

#[tokio::test(start_paused = true)]
async fn spies_and_mocks_outlive_a_crash() {
    let tester = Tester::start_with(app).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .times(2)
        .returning(|_| Ok(()));
    tester.to_eu_orders_v1(order(1)).await;
    tester.crash_and_restart().await.unwrap();
    tester.to_eu_orders_v1(order(2)).await;
    let spy = tester.spy::<on_orders>();
    spy.assert_has_calls(&[order(1), order(2)]);
    tester.stop().await;
}

struct Restless;

/// How many of its outputs were refused.
#[derive(Clone, Default)]
struct Refused(Arc<AtomicU64>);

/// It is at work whenever the crash comes.
#[consumes(app = Restless, topic = "begun", auto_offset_reset = "earliest")]
async fn on_begun(number: u64, State(refused): State<Refused>) {
    while refused.0.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
        if to_more(number).await.is_err() {
            refused.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[produces(app = Restless, topic = "more")]
async fn to_more(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// What is refused may be told to the world, or make a dead letter; a crash does neither.
#[tokio::test(start_paused = true)]
async fn a_handler_that_dies_in_a_crash_is_refused_nothing_before() {
    let refused = Refused::default();
    let state = refused.clone();
    let make = move || {
        App::scoped::<Restless>()
            .title("Restless")
            .state(state.clone())
            .build()
    };
    let tester = Tester::start_with(make).await.unwrap();
    tester.to_begun(1).unsettled().await;
    while tester.spy::<on_begun>().count() == 0 {
        tokio::task::yield_now().await;
    }
    tester.crash_and_restart().await.unwrap();
    assert_eq!(refused.0.load(Ordering::Relaxed), 0);
    tester.crash_and_restart().await.unwrap();
}

struct Picky;

#[consumes(app = Picky, topic = "picked", auto_offset_reset = "earliest", attempts = 1)]
async fn on_picked(number: u64) -> Result<(), String> {
    match number {
        13 => Err("an unlucky number".to_owned()),
        _ => Ok(()),
    }
}

/// What is stored stays when the partition is moved to where it stands.
#[tokio::test(start_paused = true)]
async fn a_stopped_partition_that_is_resumed_forgets_no_commit_that_was_lost() {
    let app = App::scoped::<Picky>().title("Picky").build();
    let handle = app.handle();
    let tester = Tester::start(app).await.unwrap();
    tester.lose_commits();
    tester.to_picked(1).unsettled().await;
    tester.to_picked(13).unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    assert_eq!(tester.lag("picky", "picked"), 2);
    handle.resume("picked").await.unwrap();
    tester.advance(Duration::from_secs(1)).await;
    assert_eq!(tester.spy::<on_picked>().count(), 3);
    tester.restore_commits();
    tester.advance(Duration::from_secs(1)).await;
    assert_eq!(tester.lag("picky", "picked"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_threads_everything_is_seen_too() {
    let tester = Tester::start(app()).await.unwrap();
    let orders = (100..200).map(order);
    tester.mirror::<on_orders>().send_all(orders).await;
    assert_eq!(tester.spy::<on_orders>().count(), 100);
    assert_eq!(tester.mirror::<to_invoices>().messages().len(), 100);
    tester.stop().await;
}

struct Blocking;

#[consumes(app = Blocking, blocking, auto_offset_reset = "earliest", attempts = 1, on_failure = "skip")]
fn on_blocks(number: u64) {
    assert_ne!(number, 13, "unlucky number");
}

fn blocking() -> App {
    App::scoped::<Blocking>().title("blocking").build()
}

#[tokio::test]
async fn a_blocking_handler_is_spied_and_mocked_on_its_thread() {
    let tester = Tester::start(blocking()).await.unwrap();
    tester.to_blocks(1).await;
    tester.spy::<on_blocks>().assert_called_once_with(&1);
    tester
        .mock::<on_blocks>()
        .expect_call()
        .times(1)
        .return_const(());
    tester.to_blocks(13).await;
    tester.stop().await;
}

#[tokio::test]
#[should_panic(expected = "`on_blocks` panicked")]
async fn a_panic_of_a_blocking_handler_fails_the_test() {
    let tester = Tester::start(blocking()).await.unwrap();
    tester.to_blocks(13).await;
}

/// It panics on its thread, and the standard error hears nothing of it.
#[consumes(app = Blocking, blocking, topic = "quiet", auto_offset_reset = "earliest", attempts = 1, on_failure = "skip")]
fn panics_quietly(_number: u64) {
    std::panic::resume_unwind(Box::new("unlucky number"));
}

/// It may end the test at once, on another thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sees_that_a_call_has_panicked_finds_the_failure() {
    for _ in 0..200 {
        let tester = Tester::builder().in_memory_broker();
        let tester = tester.start(blocking()).await.unwrap();
        let quiet = tester.mirror::<panics_quietly>();
        quiet.raw("1").unsettled().await;
        let is_panic = |outcome| matches!(outcome, crate::CallOutcome::Panicked(_));
        let spy = tester.spy::<panics_quietly>();
        while !spy.calls().iter().any(|call| is_panic(call.outcome())) {
            std::hint::spin_loop();
        }
        let failure = tester.watcher().take_failure();
        assert!(failure.is_some_and(|text| text.contains("unlucky number")));
    }
}
