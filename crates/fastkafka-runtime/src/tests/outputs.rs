use super::cluster::lock;
use super::lab::{HandlerState, Lab, to_out};
use super::outbox::{Fate, ack};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[consumes(crate = fk, topic = "in", attempts = 3)]
async fn copy(
    value: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), ProduceError> {
    let _busy = state.call(meta);
    to_out(value.to_string()).await.map(drop)
}

fn texts(offsets: impl IntoIterator<Item = i64>) -> Vec<String> {
    offsets
        .into_iter()
        .map(|offset| format!("\"{offset}\""))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_offset_is_committed_only_after_the_outputs_of_its_record() {
    let mut lab = Lab::new::<copy>(1, 10);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 10).await;
    lab.pass(Duration::from_secs(10)).await;
    // All are handled, none waited for a report, nothing is committed. [S6]
    assert_eq!(
        (lab.state.offsets(0).len(), lab.committed(0)),
        (10, Some(0))
    );
    for acknowledged in 1..=10 {
        lab.outbox.report(1, ack);
        lab.until_committed(0, acknowledged).await;
        lab.pass(Duration::from_secs(1)).await;
        assert_eq!(lab.committed(0), Some(acknowledged));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_output_replays_its_record_and_all_behind_it_from_memory() {
    let mut lab = Lab::new::<copy>(1, 6);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 6).await;
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox.report(2, ack);
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.outbox.report(3, ack);
    lab.until_committed(0, 6).await;
    assert_eq!(lab.outbox.texts(), texts([0, 1, 2, 3, 4, 5, 2, 3, 4, 5]));
    // From memory: nothing was sought, so nothing was fetched twice.
    assert_eq!(lock(&lab.member).thrown, 0);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_output_was_lost_runs_alone_until_it_is_settled() {
    let mut lab = Lab::new::<copy>(1, 4);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 4).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.outbox.report(3, ack);
    lab.until(|labs| labs[0].outbox.held() == 1).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 3, 0]);
    lab.outbox.report(1, ack);
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    lab.outbox.report(3, ack);
    lab.until_committed(0, 4).await;
}

#[tokio::test(start_paused = true)]
async fn an_output_that_can_never_be_written_stops_the_partition_at_its_record() {
    let mut lab = Lab::new::<copy>(1, 6);
    lab.outbox.decide(|sent| match sent.text() {
        "\"3\"" => Fate::Lose(Failure::reject("too large")),
        _ => Fate::Ack,
    });
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.pass(Duration::from_secs(5)).await;
    let stopped = &lab.health().stopped[0];
    assert_eq!((stopped.offset, &*stopped.error), (3, "too large"));
    assert_eq!(lab.committed(0), Some(3));
}

#[tokio::test(start_paused = true)]
async fn lost_outputs_use_up_attempts() {
    let mut lab = Lab::new::<copy>(1, 2);
    lab.outbox
        .decide(|_| Fate::Lose(Failure::retry("broker gone")));
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    assert_eq!(lab.health().stopped[0].attempts, 3);
    assert_eq!(lab.state.times(0).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_refused_is_the_handlers_error() {
    let mut lab = Lab::new::<copy>(1, 2);
    let mut refusals = 1;
    lab.outbox.decide(move |_| {
        refusals -= 1;
        match refusals {
            0 => Fate::Refuse(ProduceError::QueueFull { producer: "to_out" }),
            _ => Fate::Ack,
        }
    });
    lab.until_committed(0, 2).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn many_losses_at_once_lose_no_record_and_keep_the_order() {
    let mut lab = Lab::new::<copy>(3, 300);
    lock(&lab.cluster).block = Some(50);
    let mut n = 0;
    lab.outbox.decide(move |_| {
        n += 1;
        match n % 37 {
            0 if n < 2_000 => Fate::Lose(Failure::retry_after(
                "broker gone",
                Duration::from_millis(10),
            )),
            _ => Fate::Ack,
        }
    });
    lab.until(|labs| (0..3).all(|p| labs[0].committed(p) == Some(300)))
        .await;
    // What a reader sees last of each record is in order.
    for p in 0..3 {
        let offsets = lab.state.offsets(p);
        let last = |offset| offsets.iter().rposition(|o| *o == offset);
        assert!((0..300).map(last).is_sorted_by(|a, b| a.is_some() && a < b));
    }
}

#[tokio::test(start_paused = true)]
async fn no_run_starts_without_room_and_producers_wait_for_it() {
    let mut lab = Lab::new::<copy>(1, 3);
    lab.outbox.set_room(false);
    lab.pass(Duration::from_secs(3)).await;
    assert!(lab.state.calls().is_empty());
    lab.outbox.set_room(true);
    lab.until_committed(0, 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_waits_in_its_producer_while_there_is_no_room() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        state.gate.acquire().await.unwrap().forget();
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = Lab::new::<on>(1, 1);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.outbox.set_room(false);
    lab.state.gate.add_permits(1);
    lab.pass(Duration::from_secs(3)).await;
    assert_eq!((lab.state.at_work(), lab.outbox.sent().len()), (1, 0));
    lab.outbox.set_room(true);
    lab.until_committed(0, 1).await;
    assert_eq!(lab.outbox.texts(), ["\"0\""]);
}

fn client_ended() -> ProduceError {
    ProduceError::ClientEnded {
        topic: "out".into(),
        reason: "fatal".into(),
    }
}

/// The handler's error is one of its own.
#[consumes(crate = fk, topic = "in", attempts = 2)]
async fn copy_or_say(
    value: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), String> {
    let _busy = state.call(meta);
    let sent: Result<_, ProduceError> = to_out(value.to_string()).await;
    sent.map(drop)
        .map_err(|error| format!("not copied: {error}"))
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_producers_client_uses_up_no_attempt() {
    for refuse in [true, false] {
        let mut lab = Lab::new::<copy_or_say>(1, 1);
        let mut left = 6;
        lab.outbox.decide(move |_| {
            left -= 1;
            match left {
                1.. if refuse => Fate::Refuse(client_ended()),
                1.. => Fate::Lose(client_ended().into()),
                _ => Fate::Ack,
            }
        });
        lab.until_committed(0, 1).await;
        assert_eq!(lab.state.offsets(0), [0; 6]);
    }
}
