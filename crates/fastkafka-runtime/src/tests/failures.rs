use super::cluster::lock;
use super::lab::{HandlerState, Lab, World};
use fastkafka_core as fk;
use fastkafka_core::{Around, EventMetadata, Failure, HandlerCall, HandlerFuture, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_failed_record_is_retried_before_the_next_one() {
    #[consumes(crate = fk, topic = "in", backoff = Duration::from_millis(100))]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        match meta.offset() {
            2 if state.times(2).len() < 4 => Err("not yet".into()),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.until_committed(0, 5).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 2, 2, 2, 3, 4]);
    // The back-off doubles; jitter takes up to half of it.
    let waits: Vec<_> = lab
        .state
        .times(2)
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    for (wait, most) in waits.iter().zip([100, 200, 400]) {
        let most = Duration::from_millis(most);
        assert!(
            (most / 2..=most + Duration::from_millis(5)).contains(wait),
            "{waits:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_comes_due_while_other_partitions_report_is_not_forgotten() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        if meta.partition() == 1 {
            state.gate.acquire().await.unwrap().forget();
        } else if state.offsets(0).len() == 1 {
            return Err(Failure::retry_after("bad", Duration::from_millis(500)));
        }
        Ok(())
    }
    let mut lab = Lab::new::<on>(2, 1);
    lab.until(|labs| labs[0].health().waiting.len() == 1).await;
    // The driver was busy elsewhere: when it looks again both have come.
    tokio::time::advance(Duration::from_secs(1)).await;
    lab.state.gate.add_permits(1);
    while lab.state.at_work() > 0 {
        tokio::task::yield_now().await;
    }
    lab.until_committed(1, 1).await;
    lab.until_committed(0, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_stops_at_a_record_without_attempts_and_the_others_go_on() {
    #[consumes(crate = fk, topic = "in", attempts = 3)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        match (meta.partition(), meta.offset()) {
            (0, 2) => Err("no such account".into()),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(2, 5);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.until_committed(1, 5).await;
    lab.pass(Duration::from_secs(60)).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 2, 2]);
    assert_eq!(lab.committed(0), Some(2));
    assert_eq!(
        lab.problems(),
        ["in[0] stands still at offset 2: `on` failed after 3 attempts: no such account"]
    );
    assert!(lab.shared.failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_skipped_record_lets_the_next_ones_pass() {
    #[consumes(crate = fk, topic = "in", attempts = 2, on_failure = "skip")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            Err("no".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 1, 2, 3]);
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_may_end_the_app_and_stays_open() {
    #[consumes(crate = fk, topic = "in", attempts = 1, on_failure = "exit")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            Err("disk full".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    let reason = lab.shared.failed().await;
    assert_eq!(reason, "`on` could not handle in[0] at offset 1: disk full");
    lab.shut_down().await.unwrap();
    assert_eq!(
        (lab.committed(0), lab.state.offsets(0)),
        (Some(1), vec![0, 1])
    );
}

#[tokio::test(start_paused = true)]
async fn what_does_not_decode_is_not_retried() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: i8, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
    }
    let mut lab = Lab::new::<on>(1, 300);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let stopped = &lab.health().stopped[0];
    assert_eq!((stopped.offset, stopped.attempts), (128, 1));
    assert!(
        stopped.error.contains("not the JSON it should be"),
        "{}",
        stopped.error
    );
    lab.until_committed(0, 128).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_that_reject_if_knows_is_not_retried() {
    #[consumes(crate = fk, topic = "in", on_failure = "skip", reject_if = String::is_empty)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        match meta.offset() {
            1 => Err(String::new()),
            2 if state.times(2).len() < 3 => Err("again".into()),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 2, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_retry_if_knows_uses_up_no_attempts_and_is_told_after_half_a_minute() {
    #[consumes(crate = fk, topic = "in", attempts = 2, retry_if = String::is_empty, backoff_max = Duration::from_secs(5))]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if state.is_failing() {
            Err(String::new())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.state.set_failing(true);
    lab.pass(Duration::from_secs(29)).await;
    assert!(lab.problems().is_empty(), "{:?}", lab.problems());
    lab.pass(Duration::from_secs(3)).await;
    let problems = lab.problems();
    assert!(
        problems[0].starts_with("in[0] offset 0: waits for a transient failure to pass"),
        "{problems:?}"
    );
    assert!(lab.state.times(0).len() > 5);
    lab.state.set_failing(false);
    lab.until_committed(0, 1).await;
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failed_attempt() {
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        assert!(meta.offset() != 1, "one is too many");
        tokio::task::yield_now().await;
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let stopped = &lab.health().stopped[0];
    assert_eq!((stopped.offset, stopped.attempts), (1, 2));
    assert_eq!(stopped.error, "panicked: one is too many");
    assert_eq!(lab.state.offsets(0), [0, 1, 1]);
}

/// Panics when it is dropped, with another one.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::panic_any(Bomb);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_whose_payload_panics_when_it_is_dropped_is_a_failed_attempt() {
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            std::panic::panic_any(Bomb);
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    let stopped = &lab.health().stopped[0];
    assert_eq!((stopped.offset, stopped.attempts), (1, 2));
    assert_eq!(stopped.error, "panicked: a panic without a text");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_panics_when_it_is_dropped_is_a_failed_attempt() {
    #[derive(Debug)]
    struct Trap;
    impl Drop for Trap {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    impl std::fmt::Display for Trap {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("trap")
        }
    }
    impl std::error::Error for Trap {}
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(_: u32) -> Result<(), Failure> {
        Err(Failure::from_error(Trap))
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.health().stopped[0].error, "trap");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_decoder_is_a_failed_attempt() {
    fn decode(_: &[u8]) -> Result<u32, String> {
        panic!("not these bytes")
    }
    #[consumes(crate = fk, topic = "in", decoder = decode, attempts = 2)]
    async fn on(_: u32) {}
    let mut lab = Lab::new::<on>(1, 1);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.health().stopped[0].error, "panicked: not these bytes");
}

#[tokio::test(start_paused = true)]
async fn a_panicking_hook_is_a_failed_attempt() {
    struct Hook;
    impl Around for Hook {
        fn around<'a>(
            &'a self,
            call: HandlerCall<'a>,
            next: HandlerFuture<'a>,
        ) -> HandlerFuture<'a> {
            assert!(call.metadata().offset() != 1, "not this one");
            next
        }
    }
    #[consumes(crate = fk, topic = "in", attempts = 2)]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
    }
    let world = World::around::<on>(Some(Box::new(Hook)));
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    lab.fill(0, 3);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.health().stopped[0].error, "panicked: not this one");
    assert_eq!(lab.state.offsets(0), [0]);
}

/// What a handler does is caught; this is what is not.
#[tokio::test(start_paused = true)]
async fn a_lane_that_dies_ends_the_app() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32) {}
    let world = World::new::<on>();
    lock(&world.cluster).trap(0);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert_eq!(
        lab.shared.failure().unwrap(),
        "the lane of in[0] died: `on` panicked where it cannot be caught"
    );
}

#[tokio::test(start_paused = true)]
async fn the_blame_for_a_failure_is_that_of_the_record_in_hand() {
    #[consumes(crate = fk, topic = "in", attempts = 1)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(1)).await;
        if meta.offset() == 7 {
            Err("seven".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 12);
    lock(&lab.cluster).block = Some(5);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.health().stopped[0].offset, 7);
    lab.until_committed(0, 7).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_end_is_one() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32) -> Result<(), Failure> {
        Err(Failure::retry_after("never again", Duration::MAX))
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.pass(Duration::from_secs(60)).await;
    assert_eq!(lab.health().waiting.len(), 1);
}
