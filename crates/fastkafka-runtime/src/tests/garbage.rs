//! Records that can never be handled, one after the other.

use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab, to_out};
use super::log::Log;
use super::outbox::{Fate, ack};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// Rejects 1, and relays what else comes.
#[consumes(crate = fk, topic = "in", dead_letter = "dead")]
async fn relay(
    value: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    if value == 1 {
        return Err(Failure::reject("garbage"));
    }
    let sent: Result<_, ProduceError> = to_out(value.to_string()).await;
    sent.map(drop).map_err(Failure::from_error)
}

/// In partition order, too, letters are on their way together: the driver has no more to do with them than with
/// outputs, and the log says so once.
#[tokio::test(start_paused = true)]
async fn a_partition_of_nothing_but_garbage_is_put_aside_as_valid_records_are_relayed() {
    let log = Log::default();
    let _listens = log.listen();
    let mut turns = Vec::new();
    for payload in ["0", "1"] {
        let mut lab = Lab::new::<relay>(1, 0);
        lab.outbox.decide(|_| Fate::Hold);
        for _ in 0..1_000 {
            let entry = Entry {
                payload: Some(payload.into()),
                ..Entry::default()
            };
            lock(&lab.cluster).publish(0, entry);
        }
        lab.until(|labs| labs[0].outbox.held() == 1_000).await;
        lab.outbox.report(1_000, ack);
        lab.until_committed(0, 1_000).await;
        turns.push(lock(&lab.member).polls.len());
        lab.pass(Duration::from_secs(2)).await;
        assert_eq!(lab.state.offsets(0), (0..1_000).collect::<Vec<_>>());
    }
    assert!(turns[1] <= turns[0] + 1, "{turns:?}");
    let (text, line) = (log.text(), "written to dead-letter topic `dead`");
    let lines: Vec<_> = text.lines().filter(|text| text.contains(line)).collect();
    assert_eq!(lines.len(), 11, "{text}");
    assert!(lines[10].contains(" 990 more records "), "{}", lines[10]);
}

/// A batch ends before a record that does not decode, and the next one begins behind it in the same run.
#[tokio::test(start_paused = true)]
async fn what_does_not_decode_is_put_aside_beside_batches_too() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead")]
    async fn on(values: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        lock(&state.batches).push((metas[0].offset(), values.len()));
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    for _ in 0..490 {
        let entry = Entry {
            payload: Some("x".into()),
            ..Entry::default()
        };
        lock(&lab.cluster).publish(0, entry);
    }
    lab.fill(0, 7);
    lab.until(|labs| labs[0].outbox.held() == 490).await;
    lab.pass(Duration::from_secs(2)).await;
    assert_eq!(*lock(&lab.state.batches), [(0, 3), (493, 7)]);
    lab.outbox.report(490, ack);
    lab.until_committed(0, 500).await;
    let sent = lab.outbox.sent();
    let header = |at: usize, name: &str| sent[at].header(name).map(str::to_owned);
    assert_eq!(
        header(489, "fastkafka-dead-letter-offset").as_deref(),
        Some("492")
    );
    assert_eq!(
        header(489, "fastkafka-dead-letter-attempts").as_deref(),
        Some("1")
    );
}

/// A letter that is lost is one of its record alone, whatever stands around it.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_beside_a_batch_that_is_lost_repeats_what_stands_behind_it_alone() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead")]
    async fn on(values: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        lock(&state.batches).push((metas[0].offset(), values.len()));
    }
    let mut lab = Lab::new::<on>(1, 3);
    let entry = Entry {
        payload: Some("x".into()),
        ..Entry::default()
    };
    lock(&lab.cluster).publish(0, entry);
    lab.fill(0, 4);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 1).await;
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until_committed(0, 8).await;
    assert_eq!(*lock(&lab.state.batches), [(0, 3), (4, 4), (4, 4)]);
    assert_eq!(lab.outbox.sent().len(), 2);
}
