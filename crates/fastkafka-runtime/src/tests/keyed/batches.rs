use super::super::cluster::{Entry, lock, place};
use super::super::lab::{HandlerState, Lab, World, to_out};
use super::super::outbox::{Fate, Sent, ack};
use fastkafka_core as fk;
use fastkafka_core::{BatchFailure, EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_is_cut_at_a_record_that_does_not_decode() {
    #[consumes(crate = fk, topic = "in", order = "unordered", on_failure = "skip", max_poll_records = 6)]
    async fn on(values: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        assert!(!values.contains(&3));
        lock(&state.batches).push((metas[0].offset(), values.len()));
    }
    let world = World::new::<on>();
    for offset in 0..9 {
        let payload = if offset == 3 {
            "x".to_owned()
        } else {
            offset.to_string()
        };
        lock(&world.cluster).publish(
            0,
            Entry {
                payload: Some(payload.into()),
                ..Entry::default()
            },
        );
    }
    lock(&world.cluster).committed.insert(place(0), 0);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until_committed(0, 9).await;
    let mut batches = lock(&lab.state.batches).clone();
    batches.sort_unstable();
    assert_eq!(batches, [(0, 3), (4, 2), (6, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_that_fails_for_good_is_handled_record_by_record() {
    #[consumes(crate = fk, topic = "in", order = "unordered", attempts = 2, on_failure = "skip")]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        lock(&state.batches).push((metas[0].offset(), values.len()));
        if values.contains(&1) {
            Err(Failure::retry("one"))
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    let mut batches = lock(&lab.state.batches).clone();
    assert_eq!(batches[..2], [(0, 3), (0, 3)]);
    batches[2..].sort_unstable();
    assert_eq!(batches[2..], [(0, 1), (1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_may_name_the_record_that_failed() {
    #[consumes(crate = fk, topic = "in", order = "unordered", backoff = Duration::from_millis(10))]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), BatchFailure> {
        let mut batches = lock(&state.batches);
        batches.push((metas[0].offset(), values.len()));
        match values.iter().position(|value| *value == 2) {
            Some(at) if batches.len() == 1 => Err(BatchFailure::at(at, Failure::retry("two"))),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    let handled: usize = lock(&lab.state.batches)[1..].iter().map(|(_, n)| n).sum();
    assert_eq!(handled, 2, "what stands before the record is done");
}

/// One of its outputs may be on its way for as long as the client tries.
#[tokio::test(start_paused = true)]
async fn a_batch_without_order_that_has_lost_an_output_does_not_wait_for_the_others() {
    #[consumes(crate = fk, topic = "in", order = "unordered")]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        lock(&state.batches).push((metas[0].offset(), values.len()));
        for value in values {
            to_out(value.to_string()).await?;
        }
        Ok(())
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until(|labs| lock(&labs[0].state.batches).len() == 2)
        .await;
    assert_eq!(*lock(&lab.state.batches), [(0, 3), (0, 3)]);
    lab.until(|labs| labs[0].outbox.held() == 5).await;
    assert_eq!(
        lab.outbox.held(),
        5,
        "two of the first attempt are still open"
    );
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox.report(5, ack);
    lab.until_committed(0, 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_order_whose_output_can_never_be_written_loses_the_guilty_record_alone() {
    #[consumes(crate = fk, topic = "in", order = "unordered", dead_letter = "dead")]
    async fn on(
        values: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        lock(&state.batches).push((metas[0].offset(), values.len()));
        for value in values {
            to_out(value.to_string()).await?;
        }
        Ok(())
    }
    let mut lab = Lab::new::<on>(1, 5);
    lab.outbox.decide(|sent| match (&*sent.topic, sent.text()) {
        ("out", "\"3\"") => Fate::Lose(Failure::reject("too large")),
        _ => Fate::Ack,
    });
    lab.until_committed(0, 5).await;
    let mut batches = lock(&lab.state.batches).clone();
    batches[1..].sort_unstable();
    assert_eq!(batches, [(0, 5), (0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]);
    let sent = lab.outbox.sent();
    let letters = sent.iter().filter(|sent| sent.topic == "dead");
    let letters: Vec<_> = letters.map(Sent::text).collect();
    assert_eq!(letters, ["3"]);
}
