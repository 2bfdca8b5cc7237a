use super::cluster::{Entry, lock};
use super::lab::{HandlerState, Lab, to_out};
use super::outbox::{Fate, Sent, ack};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, ProduceError, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// Rejects odd records, and copies the others.
#[consumes(crate = fk, topic = "in", dead_letter = "dead")]
async fn even(
    value: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    if value % 2 == 1 {
        return Err(Failure::reject("odd"));
    }
    let sent: Result<_, ProduceError> = to_out(value.to_string()).await;
    sent.map(drop).map_err(Failure::from_error)
}

fn letters(lab: &Lab) -> Vec<Sent> {
    lab.outbox
        .sent()
        .into_iter()
        .filter(|sent| sent.topic == "dead")
        .collect()
}

/// The reports of dead letters do not come; those of outputs do.
fn hold_letters(lab: &Lab) {
    lab.outbox.decide(|sent| match &*sent.topic {
        "dead" => Fate::Hold,
        _ => Fate::Ack,
    });
}

/// The other way round.
fn hold_outputs(lab: &Lab) {
    lab.outbox.decide(|sent| match &*sent.topic {
        "dead" => Fate::Ack,
        _ => Fate::Hold,
    });
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_the_record_as_it_was_and_says_why() {
    let mut lab = Lab::new::<even>(1, 0);
    let entry = Entry {
        key: Some("k".into()),
        payload: Some("7".into()),
        headers: vec![("trace".into(), Some("abc".into())), ("null".into(), None)],
        timestamp: Some(1_700_000_000_123),
    };
    lock(&lab.cluster).publish(0, entry.clone());
    lab.until_committed(0, 1).await;
    let sent = &letters(&lab)[0];
    assert_eq!(
        (&sent.entry.key, &sent.entry.payload),
        (&entry.key, &entry.payload)
    );
    assert_eq!(sent.entry.headers[..2], entry.headers);
    let reasons = [
        ("topic", "in"),
        ("partition", "0"),
        ("offset", "0"),
        ("timestamp", "1700000000123"),
        ("group", "lab"),
        ("handler", "fastkafka_runtime::tests::dead_letters::even"),
        ("error", "odd"),
        ("attempts", "1"),
    ];
    for (name, value) in reasons {
        assert_eq!(
            sent.header(&format!("fastkafka-dead-letter-{name}")),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(sent.entry.headers.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_acknowledged_before_its_offset_is_committed_and_holds_up_no_record() {
    let mut lab = Lab::new::<even>(1, 4);
    hold_letters(&lab);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(
        (lab.committed(0), lab.state.offsets(0)),
        (Some(1), vec![0, 1, 2, 3])
    );
    lab.outbox.report(1, ack);
    lab.until_committed(0, 3).await;
    lab.outbox.report(1, ack);
    lab.until_committed(0, 4).await;
    assert_eq!(letters(&lab).len(), 2);
}

/// As any other output behind a lost one.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_behind_a_lost_output_is_written_again_behind_its_repetition() {
    let mut lab = Lab::new::<even>(1, 2);
    hold_outputs(&lab);
    lab.until(|labs| labs[0].outbox.sent().len() == 2).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.committed(0), Some(0));
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until_committed(0, 2).await;
    let topics: Vec<_> = lab
        .outbox
        .sent()
        .into_iter()
        .map(|sent| sent.topic)
        .collect();
    assert_eq!(topics, ["out", "dead", "out", "dead"]);
}

/// The letter that is lost is the end of its record: nothing behind it goes on, and what was done is repeated.
#[tokio::test(start_paused = true)]
async fn what_stands_behind_a_dead_letter_that_is_lost_is_handled_again_when_it_is_written() {
    let mut lab = Lab::new::<even>(1, 4);
    hold_letters(&lab);
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.outbox
        .report(1, |token| token.fail(Failure::retry("broker gone")));
    lab.until(|labs| labs[0].outbox.held() == 2).await;
    lab.pass(Duration::from_secs(5)).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 3]);
    lab.outbox.decide(|_| Fate::Ack);
    lab.outbox.report(2, ack);
    lab.until_committed(0, 4).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 3, 2, 3]);
    let dead: Vec<_> = letters(&lab)
        .into_iter()
        .map(|sent| {
            sent.header("fastkafka-dead-letter-offset")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(dead, ["1", "3", "1", "3"]);
}

/// Records keep the client open; a letter needs its record only as long as that may be handled again.
#[tokio::test(start_paused = true)]
async fn a_dead_letter_whose_report_never_comes_keeps_no_client_open_after_a_stop() {
    let mut lab = Lab::new::<even>(1, 2);
    hold_letters(&lab);
    lab.until(|labs| labs[0].outbox.held() == 1).await;
    let told = lab.shut_down().await.unwrap_err();
    assert_eq!(
        told,
        "records were handled and not settled in time: `even` on in[0] from offset 1"
    );
    assert!(lock(&lab.member).closed, "the client is left open");
}

/// The wait would count for the time limit of the handler, and a record that was rejected would be tried again.
#[tokio::test(start_paused = true)]
async fn where_there_is_no_room_for_a_dead_letter_its_record_keeps_its_reason() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead", handler_timeout = Duration::from_secs(1))]
    async fn rejects(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), Failure> {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(500)).await;
        Err(Failure::reject("odd"))
    }
    let mut lab = Lab::new::<rejects>(1, 2);
    lab.until(|labs| labs[0].state.at_work() == 1).await;
    lab.outbox.set_room(false);
    lab.pass(Duration::from_secs(30)).await;
    lab.outbox.set_room(true);
    lab.until_committed(0, 2).await;
    assert_eq!(lab.state.offsets(0), [0, 1]);
    for letter in letters(&lab) {
        assert_eq!(letter.header("fastkafka-dead-letter-error"), Some("odd"));
        assert_eq!(letter.header("fastkafka-dead-letter-attempts"), Some("1"));
    }
}

/// What it has spawned is ended first, and what it has sent may still be lost.
#[tokio::test(start_paused = true)]
async fn a_record_that_something_else_keeps_open_meets_its_end_when_all_before_it_is_terminal() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead")]
    async fn sends(value: u32) -> Result<(), Failure> {
        let sent: Result<_, ProduceError> = to_out(value.to_string()).await;
        sent.map(drop).map_err(Failure::from_error)?;
        Err(Failure::reject("after all"))
    }
    let mut lab = Lab::new::<sends>(1, 2);
    hold_outputs(&lab);
    // Nothing waits for what a record has sent that is dead.
    lab.until_committed(0, 2).await;
    assert_eq!((letters(&lab).len(), lab.outbox.held()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_written_now_is_tried_again_and_told_after_half_a_minute() {
    let mut lab = Lab::new::<even>(1, 3);
    lab.outbox.decide(|sent| match &*sent.topic {
        "dead" => Fate::Lose(Failure::retry("broker gone")),
        _ => Fate::Ack,
    });
    lab.pass(Duration::from_secs(32)).await;
    assert!(letters(&lab).len() > 5);
    assert_eq!(lab.committed(0), Some(1));
    let problems = lab.problems();
    assert!(
        problems[0].contains("offset 1: its dead letter cannot be written"),
        "{problems:?}"
    );
    assert!(problems[0].contains("broker gone"), "{problems:?}");
    lab.outbox.decide(|_| Fate::Ack);
    lab.until_committed(0, 3).await;
    // Its error is the handler's, however often it was written.
    let error = letters(&lab).pop().unwrap();
    assert_eq!(error.header("fastkafka-dead-letter-error"), Some("odd"));
    // The record itself was not tried again.
    assert_eq!(lab.state.times(1).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_can_never_be_written_stops_the_partition() {
    for fate in [true, false] {
        let mut lab = Lab::new::<even>(1, 3);
        lab.outbox.decide(move |sent| match &*sent.topic {
            "dead" if fate => Fate::Lose(Failure::reject("too large")),
            "dead" => Fate::Refuse(ProduceError::NotDelivered {
                topic: "dead".into(),
                reason: "too large".into(),
                permanent: true,
            }),
            _ => Fate::Ack,
        });
        lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
        lab.pass(Duration::from_secs(60)).await;
        assert_eq!(lab.health().stopped[0].offset, 1);
        assert_eq!((lab.committed(0), lab.blocks()), (Some(1), 0));
        // As an output of its record, and as its end.
        assert!(letters(&lab).len() <= 2);
    }
}

/// A record that `even` rejects, with a key and a header.
fn large() -> Entry {
    Entry {
        key: Some("k".into()),
        payload: Some("1001".into()),
        headers: vec![("trace".into(), Some("abc".into()))],
        ..Entry::default()
    }
}

fn too_large() -> Failure {
    Failure::from(ProduceError::TooLarge {
        topic: "dead".into(),
        reason: "12 bytes are the most".into(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_too_large_is_written_without_its_payload_and_says_where_that_lies() {
    let mut lab = Lab::new::<even>(1, 0);
    lab.outbox.decide(|sent| match sent.text() {
        "" => Fate::Ack,
        _ => Fate::Lose(too_large()),
    });
    lock(&lab.cluster).publish(0, large());
    lab.until_committed(0, 1).await;
    let sent = &letters(&lab)[1];
    // Not a tombstone: that would delete what is known under the key.
    assert_eq!(sent.entry.payload.as_deref(), Some(&b""[..]));
    assert_eq!(sent.entry.key.as_deref(), Some(&b"k"[..]));
    assert_eq!(sent.header("trace"), Some("abc"));
    let says = [
        ("left-out", "payload"),
        ("size", "13"),
        ("topic", "in"),
        ("partition", "0"),
        ("offset", "0"),
        ("error", "odd"),
    ];
    for (name, value) in says {
        let header = format!("fastkafka-dead-letter-{name}");
        assert_eq!(sent.header(&header), Some(value), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_record_whose_key_or_headers_are_too_large_a_notice_is_written() {
    let mut lab = Lab::new::<even>(1, 0);
    lab.outbox.decide(|sent| match sent.entry.key {
        None => Fate::Ack,
        // The client says so before it sends anything.
        Some(_) => Fate::Refuse(ProduceError::TooLarge {
            topic: "dead".into(),
            reason: "12 bytes are the most".into(),
        }),
    });
    lock(&lab.cluster).publish(0, large());
    lab.until_committed(0, 1).await;
    let [sent] = &*letters(&lab) else {
        panic!("one is taken")
    };
    assert_eq!(sent.entry.payload.as_deref(), Some(&b""[..]));
    assert_eq!(sent.header("trace"), None);
    let header = |name| sent.header(name).unwrap().to_owned();
    assert_eq!(
        header("fastkafka-dead-letter-left-out"),
        "payload, key, headers"
    );
    assert_eq!(header("fastkafka-dead-letter-offset"), "0");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_stands_still_says_why_beside_what_the_handler_said() {
    let mut lab = Lab::new::<even>(1, 0);
    lab.outbox.decide(|_| Fate::Lose(too_large()));
    lock(&lab.cluster).publish(0, large());
    lab.until(|labs| !labs[0].health().stopped.is_empty()).await;
    // As an output of its record, and as its end, with less each time.
    assert_eq!(letters(&lab).len(), 6);
    let error = &lab.health().stopped[0].error;
    assert!(
        error.starts_with("odd; its dead letter for topic `dead` is not written"),
        "{error}"
    );
    assert!(error.contains("12 bytes are the most"), "{error}");
}

/// Anybody can write a header with such a name.
#[tokio::test(start_paused = true)]
async fn headers_of_a_stranger_stop_nothing_and_stay() {
    let mut lab = Lab::new::<even>(1, 0);
    let foreign = [
        ("fastkafka-dead-letter-topic", "other"),
        ("fastkafka-dead-letter-handler", "of another service"),
        ("fastkafka-dead-letter-x", ""),
    ];
    let headers = foreign.map(|(name, value)| (name.to_owned(), Some(value.to_owned().into())));
    let entry = Entry {
        payload: Some("1".into()),
        headers: headers.to_vec(),
        ..Entry::default()
    };
    lock(&lab.cluster).publish(0, entry);
    lab.until_committed(0, 1).await;
    let sent = &letters(&lab)[0];
    assert_eq!(sent.entry.headers[..3], headers);
    assert_eq!(sent.entry.headers.len(), 3 + 8);
    // The last one of a name counts.
    assert_eq!(sent.header("fastkafka-dead-letter-topic"), Some("in"));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_is_written_back_and_fails_again_is_one_again_and_grows_no_headers() {
    let mut lab = Lab::new::<even>(1, 0);
    lab.outbox.decide(|sent| match sent.text() {
        "" => Fate::Ack,
        _ => Fate::Lose(too_large()),
    });
    lock(&lab.cluster).publish(0, large());
    for round in 1..4 {
        lab.until_committed(0, round).await;
        let letter = letters(&lab).pop().unwrap();
        let offset = (round - 1).to_string();
        assert_eq!(
            letter.header("fastkafka-dead-letter-offset"),
            Some(&*offset)
        );
        assert_eq!(letter.entry.headers.len(), 1 + 8 + 2);
        // Whoever writes it back repairs the payload, wrongly.
        let back = Entry {
            payload: large().payload,
            ..letter.entry
        };
        lock(&lab.cluster).publish(0, back);
    }
    lab.until_committed(0, 4).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_of_many_attempts_goes_to_the_dead_letters() {
    #[consumes(crate = fk, topic = "in", dead_letter = "dead", attempts = 4)]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        if meta.offset() == 0 {
            Err("never".into())
        } else {
            Ok(())
        }
    }
    let mut lab = Lab::new::<on>(1, 2);
    lab.until_committed(0, 2).await;
    assert_eq!(lab.state.offsets(0), [0, 0, 0, 0, 1]);
    assert_eq!(
        letters(&lab)[0].header("fastkafka-dead-letter-attempts"),
        Some("4")
    );
}
