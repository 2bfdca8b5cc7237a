use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab, to_out};
use super::outbox::{Fate, ack};
use fastkafka_core as fk;
use fastkafka_core::{BatchFailure, EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

fn note(state: &HandlerState, metas: &[EventMetadata]) {
    let _busy = state.call(metas[0]);
    lock(&state.batches).push((metas[0].offset(), metas.len()));
}

fn batches(lab: &Lab) -> Vec<(i64, usize)> {
    lock(&lab.state.batches).clone()
}

#[tokio::test(start_paused = true)]
async fn a_batch_has_what_was_read_together_up_to_its_limit() {
    #[consumes(crate = fk, topic = "in", max_poll_records = 4)]
    async fn on(_: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        note(&state, &metas);
    }
    let mut lab = Lab::new::<on>(1, 10);
    lab.until_committed(0, 10).await;
    assert_eq!(batches(&lab), [(0, 4), (4, 4), (8, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_ends_before_a_record_that_does_not_decode() {
    #[consumes(crate = fk, topic = "in", on_failure = "skip")]
    async fn on(_: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        note(&state, &metas);
    }
    let mut lab = Lab::new::<on>(1, 3);
    lock(&lab.cluster).publish(
        0,
        Entry {
            payload: Some("three".into()),
            ..Entry::default()
        },
    );
    lab.fill(0, 2);
    lab.until_committed(0, 6).await;
    assert_eq!(batches(&lab), [(0, 3), (4, 2)]);
}

#[tokio::test(start_paused = true)]
async fn what_stands_before_the_record_a_batch_names_is_done() {
    #[consumes(crate = fk, topic = "in", attempts = 2, on_failure = "skip")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), BatchFailure> {
        note(&state, &metas);
        match metas.iter().position(|meta| meta.offset() == 3) {
            Some(at) => Err(BatchFailure::at(at, "three")),
            None => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 6);
    lab.until_committed(0, 6).await;
    assert_eq!(batches(&lab), [(0, 6), (3, 1), (4, 2)]);
}

/// The first record is named as any other is: no call with it and good ones follows, and none too many.
#[tokio::test(start_paused = true)]
async fn the_first_record_of_a_batch_fails_alone_where_it_is_named() {
    #[consumes(crate = fk, topic = "in", attempts = 2, dead_letter = "dead")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), BatchFailure> {
        note(&state, &metas);
        match metas.iter().position(|meta| meta.offset() == 0) {
            Some(at) => Err(BatchFailure::at(at, "zero")),
            None => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    assert_eq!(batches(&lab), [(0, 4), (0, 1), (1, 3)]);
    let letters = lab.outbox.sent();
    assert_eq!(letters.len(), 1);
    let header = |name: &str| letters[0].header(&format!("fastkafka-dead-letter-{name}"));
    assert_eq!(
        (header("offset"), header("attempts")),
        (Some("0"), Some("2"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_names_a_rejected_record_is_not_taken_apart() {
    #[consumes(crate = fk, topic = "in", on_failure = "skip")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), BatchFailure> {
        note(&state, &metas);
        match metas[0].offset() {
            0 => Err(BatchFailure::at(0, Failure::reject("zero"))),
            _ => Ok(()),
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    assert_eq!(batches(&lab), [(0, 4), (1, 3)]);
}

/// An index behind the batch names nothing, so the batch has failed.
#[tokio::test(start_paused = true)]
async fn a_record_behind_the_batch_is_the_failure_of_all() {
    #[consumes(crate = fk, topic = "in", attempts = 1, on_failure = "skip")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), BatchFailure> {
        note(&state, &metas);
        match metas.len() {
            1 => Ok(()),
            all => Err(BatchFailure::at(all, "behind")),
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.until_committed(0, 3).await;
    assert_eq!(batches(&lab), [(0, 3), (0, 1), (1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_fails_to_the_end_is_run_record_by_record() {
    #[consumes(crate = fk, topic = "in", attempts = 3, on_failure = "skip")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        note(&state, &metas);
        if metas.iter().any(|meta| meta.offset() == 2) {
            Err("two".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 4);
    lab.until_committed(0, 4).await;
    assert_eq!(
        batches(&lab),
        [(0, 4), (0, 4), (0, 4), (0, 1), (1, 1), (2, 1), (3, 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_or_a_timeout_fails_the_batch_and_no_record_of_it() {
    #[consumes(crate = fk, topic = "in", attempts = 2, on_failure = "skip", handler_timeout = Duration::from_secs(1))]
    async fn on(_: Vec<u32>, metas: Vec<EventMetadata>, State(state): State<HandlerState>) {
        note(&state, &metas);
        if metas.iter().any(|meta| meta.offset() == 2) {
            assert!(!state.is_failing(), "two");
            std::future::pending::<()>().await;
        }
    }
    for panics in [true, false] {
        let mut lab = Lab::new::<on>(1, 4);
        lab.state.set_failing(panics);
        lab.until_committed(0, 4).await;
        assert_eq!(
            batches(&lab),
            [(0, 4), (0, 4), (0, 1), (1, 1), (2, 1), (3, 1)]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_bad_record_of_a_batch_becomes_a_dead_letter() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead")]
    async fn on(
        _: Vec<u32>,
        metas: Vec<EventMetadata>,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        note(&state, &metas);
        if metas.iter().any(|meta| meta.offset() == 1) {
            Err(Failure::reject("one"))
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 3);
    lab.outbox.decide(|_| Fate::Ack);
    lab.until_committed(0, 3).await;
    assert_eq!(lab.outbox.texts(), ["1"]);
}

/// An output for each record.
#[consumes(crate = fk, topic = "in", dead_letter = "dead", attempts = 3)]
async fn copies(
    values: Vec<u32>,
    metas: Vec<EventMetadata>,
    State(state): State<HandlerState>,
) -> Result<(), ProduceError> {
    note(&state, &metas);
    for value in values {
        to_out(value.to_string()).await?;
    }
    Ok(())
}

/// The outputs are those of the batch, and the first record stands for it. It is not the one that has failed.
#[tokio::test(start_paused = true)]
async fn a_batch_whose_output_can_never_be_written_is_taken_apart_and_loses_the_guilty_record_alone()
 {
    let mut lab = Lab::new::<copies>(1, 5);
    lab.outbox.decide(|sent| match (&*sent.topic, sent.text()) {
        ("out", "\"3\"") => Fate::Lose(Failure::reject("too large")),
        _ => Fate::Ack,
    });
    lab.until_committed(0, 5).await;
    assert_eq!(
        batches(&lab),
        [(0, 5), (0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]
    );
    let sent = lab.outbox.sent();
    let letters: Vec<_> = sent.iter().filter(|sent| sent.topic == "dead").collect();
    let [letter] = &letters[..] else {
        panic!("one record is to blame: {letters:?}")
    };
    let header = |name: &str| letter.header(&format!("fastkafka-dead-letter-{name}"));
    assert_eq!(
        (header("offset"), header("error"), header("attempts")),
        (Some("3"), Some("too large"), Some("2"))
    );
}

/// The run goes on in a batch of its own behind a record that does not decode, or ends there.
#[tokio::test(start_paused = true)]
async fn what_stands_behind_a_batch_does_not_fail_with_its_lost_output() {
    let mut lab = Lab::new::<copies>(1, 3);
    lock(&lab.cluster).publish(
        0,
        Entry {
            payload: Some("three".into()),
            ..Entry::default()
        },
    );
    lab.fill(0, 2);
    let mut losses = 1;
    lab.outbox.decide(move |sent| match sent.text() {
        "\"1\"" if losses > 0 => {
            losses -= 1;
            Fate::Lose(Failure::retry("broker gone"))
        }
        _ => Fate::Ack,
    });
    lab.until_committed(0, 6).await;
    assert_eq!(batches(&lab), [(0, 3), (0, 3), (4, 2)]);
    let sent = lab.outbox.sent();
    let letters: Vec<_> = sent.iter().filter(|sent| sent.topic == "dead").collect();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        letters[0].header("fastkafka-dead-letter-attempts"),
        Some("1")
    );
}

/// One after the other: each attempt is one of the whole batch.
#[tokio::test(start_paused = true)]
async fn a_batch_whose_outputs_are_lost_is_tried_again_whole_while_it_has_attempts() {
    let mut lab = Lab::new::<copies>(1, 3);
    lab.outbox.decide(|_| Fate::Hold);
    for _ in 0..2 {
        lab.until(|labs| labs[0].outbox.held() == 3).await;
        lab.outbox.report(1, ack);
        lab.outbox
            .report(1, |token| token.fail(Failure::retry("broker gone")));
        lab.outbox.report(1, ack);
    }
    lab.until(|labs| labs[0].outbox.held() == 3).await;
    lab.outbox.report(3, ack);
    lab.until_committed(0, 3).await;
    assert_eq!(batches(&lab), [(0, 3); 3]);
}
