use super::super::cluster::{Entry, lock, place};
use super::super::lab::{HandlerState, Lab, World, to_out};
use super::super::outbox::Fate;
use super::{keyed, offsets};
use crate::spawn;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_key_retries_in_its_place_while_others_go_on() {
    #[consumes(crate = fk, topic = "in", order = "key", backoff = Duration::from_secs(1))]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        match meta.offset() {
            0 if state.times(0).len() < 3 => Err("not yet".into()),
            _ => Ok(()),
        }
    }
    let mut lab = keyed::<on>(&["a", "a", "b", "b", "b"]);
    lab.until(|labs| labs[0].state.calls().len() == 4).await;
    assert_eq!(lab.committed(0), Some(0));
    assert!(
        lab.state.now() < Duration::from_millis(500),
        "b waits for nobody"
    );
    lab.until_committed(0, 5).await;
    assert_eq!(offsets(&lab.state.calls()), [0, 2, 3, 4, 0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_poison_key_stops_alone_and_health_names_it() {
    #[consumes(crate = fk, topic = "in", order = "key", attempts = 2)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            Err("no such account".into())
        } else {
            Ok(())
        }
    }
    let mut lab = keyed::<on>(&["b", "a", "a", "b", "b"]);
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    lab.until_committed(0, 1).await;
    lab.pass(Duration::from_secs(60)).await;
    let mut calls = offsets(&lab.state.calls());
    calls.sort_unstable();
    assert_eq!(calls, [0, 1, 1, 3, 4], "only its key waits");
    assert_eq!(
        lab.problems(),
        [
            "in[0] stands still at offset 1, with its key alone: `on` failed after 2 attempts: no such account"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_an_output_of_its_key_and_holds_up_none_of_it() {
    #[consumes(crate = fk, topic = "in", order = "key", dead_letter = "dead")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        if meta.offset() == 1 {
            return Err(Failure::reject("bad"));
        }
        to_out(value.to_string())
            .await
            .map(drop)
            .map_err(|error| Failure::retry(error.to_string()))
    }
    let mut lab = keyed::<on>(&["a", "a", "a", "b"]);
    lab.outbox.decide(|sent| match sent.topic.as_str() {
        "out" if sent.text() == "\"0\"" => Fate::Hold,
        _ => Fate::Ack,
    });
    lab.pass(Duration::from_secs(5)).await;
    let of_key = |lab: &Lab| {
        let sent = lab.outbox.sent().into_iter();
        let of_key = sent.filter(|sent| sent.text() != "\"3\"");
        of_key.map(|sent| sent.topic).collect::<Vec<_>>()
    };
    assert_eq!(of_key(&lab), ["out", "dead", "out"]);
    assert_eq!(lab.committed(0), Some(0));
    // A lost output repeats what stands behind it, the letter too.
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until_committed(0, 4).await;
    assert_eq!(of_key(&lab), ["out", "dead", "out", "out", "dead", "out"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_output_replays_its_key_and_no_other() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(
        value: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), ProduceError> {
        let _busy = state.call(meta);
        to_out(value.to_string()).await.map(drop)
    }
    let mut lab = keyed::<on>(&["a", "b", "a", "b"]);
    let mut lost = false;
    lab.outbox.decide(move |sent| {
        if sent.text() == "\"0\"" && !std::mem::replace(&mut lost, true) {
            Fate::Hold
        } else {
            Fate::Ack
        }
    });
    lab.until(|labs| labs[0].state.calls().len() == 4).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("lost")));
    lab.until_committed(0, 4).await;
    let calls = offsets(&lab.state.calls());
    assert_eq!(calls[4..], [0, 2], "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_record_spawned_ends_before_its_next_attempt() {
    #[consumes(crate = fk, topic = "in", order = "key", backoff = Duration::from_millis(10))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let task = state.call(meta);
        let first = state.times(0).len() == 1;
        spawn(async move {
            let _task = task;
            if first && meta.offset() == 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err("lost");
            }
            if first {
                std::future::pending::<()>().await;
            }
            Ok(())
        });
    }
    let mut lab = keyed::<on>(&["a", "a"]);
    lab.until_committed(0, 2).await;
    // The task of record 1 is gone before record 0, which is before it by key, begins again.
    assert_eq!(offsets(&lab.state.calls()), [0, 1, 0, 1]);
    assert_eq!((lab.state.most_at_once(), lab.state.at_work()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_time_out_are_failed_attempts_of_their_record() {
    #[consumes(crate = fk, topic = "in", order = "key", handler_timeout = Duration::from_secs(1), backoff = Duration::from_millis(10))]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        let first = state.times(meta.offset()).len() == 1;
        assert!(!(first && meta.offset() == 0), "no");
        if first && meta.offset() == 1 {
            std::future::pending::<()>().await;
        }
    }
    let mut lab = keyed::<on>(&["a", "b", "c"]);
    lab.until_committed(0, 3).await;
    let tries = [0, 1, 2].map(|offset| lab.state.times(offset).len());
    assert_eq!(tries, [2, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_dies_ends_the_app() {
    #[consumes(crate = fk, topic = "in", order = "key")]
    async fn on(_: u32) {}
    let world = World::new::<on>();
    lock(&world.cluster).trap(0);
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| labs[0].shared.failure().is_some()).await;
    assert_eq!(
        lab.shared.failure().unwrap(),
        "a task of in[0] died: `on` panicked where it cannot be caught"
    );
}

#[tokio::test(start_paused = true)]
async fn a_poison_key_holds_no_memory_of_the_others() {
    #[consumes(crate = fk, topic = "in", order = "key", attempts = "forever", backoff_max = Duration::from_secs(1), decoder = "bytes")]
    async fn on(_: &[u8], meta: EventMetadata) -> Result<(), String> {
        if meta.offset() == 0 {
            Err("poison".into())
        } else {
            Ok(())
        }
    }
    let world = World::new::<on>();
    {
        let mut cluster = lock(&world.cluster);
        for offset in 0..20_000 {
            let key = if offset % 1_000 == 0 {
                "poison"
            } else {
                "other"
            };
            let payload = Some(vec![b'x'; 1_000].into());
            let key = Some(key.into());
            cluster.publish(
                0,
                Entry {
                    key,
                    payload,
                    ..Entry::default()
                },
            );
        }
        cluster.committed.insert(place(0), 0);
    }
    let mut lab = world.member();
    lab.assign([0]);
    lab.until(|labs| labs[0].fetched() == 20_000).await;
    lab.pass(Duration::from_secs(60)).await;
    // 20 records of 20 MB wait.
    let held = lab.held_bytes(0);
    assert!((20_000..=1_200_000).contains(&held), "{held}");
}
