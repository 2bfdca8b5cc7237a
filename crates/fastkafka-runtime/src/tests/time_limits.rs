//! `handler_timeout`, and handlers on threads, which nothing can stop.

use super::lab::{HandlerState, Lab, StopFailing};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_too_long_is_dropped_and_retried() {
    #[consumes(crate = fk, topic = "in", handler_timeout = Duration::from_secs(2), backoff = Duration::from_secs(1))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        if meta.offset() == 1 && state.times(1).len() == 1 {
            std::future::pending::<()>().await;
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 1, 2]);
    assert_eq!(lab.state.most_at_once(), 1);
    let tries = lab.state.times(1);
    let waited = tries[1] - tries[0];
    assert!(
        (Duration::from_millis(2_500)..Duration::from_millis(3_100)).contains(&waited),
        "{waited:?}"
    );
}

/// What the handler had in hand is the user's, and is dropped where the handler is cut.
#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_when_it_is_dropped_is_retried() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    #[consumes(crate = fk, topic = "in", handler_timeout = Duration::from_secs(2))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.offset() == 1 && state.times(1).len() == 1 {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_blocking_handler_runs_beside_the_driver() {
    #[consumes(crate = fk, topic = "in", blocking, attempts = 2)]
    fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) -> Result<(), String> {
        let _busy = state.call(meta);
        std::thread::sleep(Duration::from_millis(1));
        if meta.offset() == 3 {
            Err("three".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 3, 3]);
    assert_eq!(lab.committed(0), Some(3));
}

/// As `postgres` and `reqwest::blocking` do it, and as a handler does that has async code to wait for.
#[tokio::test(start_paused = true)]
async fn a_blocking_handler_may_use_a_client_that_has_a_runtime_of_its_own() {
    use tokio::runtime::{Builder, Handle};
    #[consumes(crate = fk, topic = "in", blocking)]
    fn on(n: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        let client = match n {
            0 => Builder::new_current_thread().build().unwrap(),
            _ => Builder::new_multi_thread()
                .worker_threads(1)
                .build()
                .unwrap(),
        };
        let answer = client.block_on(async { tokio::spawn(async { 1 }).await.unwrap() });
        // It ends here, which tokio refuses where blocking is not allowed.
        drop(client);
        let beside = Handle::current().spawn(async { 2 });
        assert_eq!(answer + Handle::current().block_on(beside).unwrap(), 3);
    }
    let mut lab = Lab::new::<on>(1, 2);
    lab.until_committed(0, 2).await;
    assert_eq!(lab.state.offsets(0), [0, 1]);
}

/// The hook around handlers is async, and may wait.
#[tokio::test(start_paused = true)]
async fn the_thread_of_a_blocking_handler_waits_for_what_stands_around_it() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let waits = std::thread::spawn(|| super::super::handling::call::on_this_thread(told));
    tell.send(7).unwrap();
    assert_eq!(waits.join().unwrap(), Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_blocking_call_that_took_too_long_is_judged_when_it_returns() {
    #[consumes(crate = fk, topic = "in", blocking, handler_timeout = Duration::from_secs(1))]
    fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        while state.is_failing() {
            std::thread::yield_now();
        }
    }
    let mut lab = Lab::new::<on>(1, 1);
    let _stop_failing = StopFailing(lab.state.clone());
    lab.state.set_failing(true);
    // A thread at work holds the paused clock.
    while lab.state.at_work() == 0 {
        lab.until(|_| true).await;
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(1)).await;
        lab.until(|_| true).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(lab.state.offsets(0), [0], "its partition waits");
    lab.state.set_failing(false);
    lab.until_committed(0, 1).await;
    assert_eq!(lab.state.offsets(0), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_done_at_its_time_limit_is_not_failed_while_its_run_yields() {
    #[consumes(crate = fk, topic = "in", handler_timeout = Duration::from_secs(1))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        // The run lets others go first after every 64th record.
        if meta.offset() == 63 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    let mut lab = Lab::new::<on>(1, 70);
    lab.until_committed(0, 70).await;
    assert_eq!(lab.state.offsets(0), (0..70).collect::<Vec<_>>());
}
