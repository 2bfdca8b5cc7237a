//! Logs that are not the ones that were read, and batches that cannot be read: what the client tells, and
//! what follows.

use super::cluster::{lock, place};
use super::lab::{HandlerState, Lab};
use crate::control::Seek;
use crate::transport::Notice;
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// What the client tells.
type Told = fn() -> Notice;

#[consumes(crate = fk, topic = "in")]
async fn stops(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
}

/// Takes its time over the last record of ten.
#[consumes(crate = fk, topic = "in", on_truncation = "reset")]
async fn resets(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    if meta.offset() == 9 {
        tokio::time::sleep(LONG).await;
    }
}

fn truncated(end: Option<i64>) -> Notice {
    Notice::Truncated {
        place: place(0),
        position: 10,
        end,
    }
}

fn made_anew() -> Notice {
    Notice::MadeAnew {
        place: place(0),
        position: 10,
    }
}

fn still_anew(position: i64) -> Notice {
    Notice::StillAnew {
        place: place(0),
        position,
    }
}

/// The only problem.
fn problem(lab: &Lab) -> String {
    let problems = lab.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_another_one_stops_its_partition_until_a_seek() {
    let cases: [(Told, &str); 3] = [
        (|| truncated(Some(4)), "the log was cut at 4"),
        (|| truncated(None), "the log was cut"),
        (made_anew, "made anew"),
    ];
    for (notice, words) in cases {
        let mut lab = Lab::new::<stops>(1, 10);
        lab.until_committed(0, 10).await;
        lab.notify(notice());
        lab.fill(0, 5);
        lab.pass(20 * LONG).await;
        assert_eq!(lab.state.offsets(0).len(), 10, "{words}");
        assert_eq!(lab.committed(0), Some(10));
        let problem = problem(&lab);
        assert!(
            problem.contains(words) && problem.contains("in[0]"),
            "{problem}"
        );
        let handle = lab.handle();
        let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(4)).await });
        lab.until(|_| seek.is_finished()).await;
        lab.until_committed(0, 15).await;
        assert_eq!(lab.state.offsets(0)[10..], (4..15).collect::<Vec<_>>());
        assert!(lab.problems().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_the_same_after_all_is_read_on() {
    let mut lab = Lab::new::<stops>(1, 10);
    lab.until_committed(0, 10).await;
    lab.notify(made_anew());
    lab.pass(LONG).await;
    assert!(problem(&lab).contains("made anew"));
    lab.fill(0, 5);
    lab.notify(Notice::SameAgain {
        place: place(0),
        position: 10,
    });
    lab.until_committed(0, 15).await;
    assert_eq!(lab.state.offsets(0)[10..], (10..15).collect::<Vec<_>>());
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn with_reset_a_topic_that_is_the_same_after_all_is_not_read_from_its_beginning() {
    let mut lab = Lab::new::<resets>(1, 9);
    lab.until_committed(0, 9).await;
    lock(&lab.member).answers = Some(Vec::new());
    let (place, position) = (place(0), 9);
    lab.notify(Notice::MadeAnew { place, position });
    lab.pass(Duration::from_secs(1)).await;
    lab.notify(still_anew(position));
    lab.pass(Duration::from_secs(1)).await;
    lab.notify(Notice::SameAgain { place, position });
    lab.pass(Duration::from_secs(1)).await;
    // Where its beginning is was asked before.
    let held = lock(&lab.member).answers.take().unwrap();
    assert!(matches!(held[..], [Notice::Found(..)]), "{held:?}");
    held.into_iter().for_each(|answer| lab.notify(answer));
    lab.fill(0, 1);
    lab.until_committed(0, 10).await;
    assert_eq!(lab.state.offsets(0), (0..10).collect::<Vec<_>>());
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_users_seek_goes_on_where_the_topic_is_the_same_after_all() {
    let mut lab = Lab::new::<resets>(1, 9);
    lab.until_committed(0, 9).await;
    lock(&lab.member).answers = Some(Vec::new());
    let handle = lab.handle();
    let seek = lab.begin(async move { handle.seek(("in", 0), Seek::Offset(5)).await });
    let is_asked = |lab: &Lab| {
        lock(&lab.member)
            .answers
            .as_ref()
            .is_some_and(|all| all.len() == 1)
    };
    lab.until(|labs| is_asked(labs[0])).await;
    let (place, position) = (place(0), 9);
    lab.notify(Notice::MadeAnew { place, position });
    lab.pass(Duration::from_secs(1)).await;
    lab.notify(Notice::SameAgain { place, position });
    lab.pass(Duration::from_secs(1)).await;
    let held = lock(&lab.member).answers.take().unwrap();
    held.into_iter().for_each(|answer| lab.notify(answer));
    lab.until(|_| seek.is_finished()).await;
    seek.await.unwrap().unwrap();
    lab.until(|labs| labs[0].state.offsets(0).len() == 13).await;
    assert_eq!(lab.state.offsets(0)[9..], [5, 6, 7, 8]);
}

#[tokio::test(start_paused = true)]
async fn with_reset_one_answer_that_a_topic_was_made_anew_reads_nothing_again() {
    let mut lab = Lab::new::<resets>(1, 9);
    lab.until_committed(0, 9).await;
    let (place, position) = (place(0), 9);
    lab.notify(Notice::MadeAnew { place, position });
    lab.pass(20 * LONG).await;
    assert!(lock(&lab.member).seeks.is_empty());
    let told = problem(&lab);
    assert!(
        told.contains("when the next looks at the topic agree"),
        "{told}"
    );
    lab.notify(still_anew(position));
    lab.until(|labs| labs[0].committed(0) == Some(0)).await;
}

#[tokio::test(start_paused = true)]
async fn with_reset_it_goes_on_with_the_first_new_record_when_what_was_read_is_handled() {
    let cases: [(Told, i64); 2] = [(|| truncated(Some(4)), 4), (made_anew, 0)];
    for (notice, first) in cases {
        let mut lab = Lab::new::<resets>(1, 10);
        lab.until(|labs| labs[0].state.offsets(0).len() == 10).await;
        lab.notify(notice());
        lab.notify(still_anew(10));
        lab.pass(LONG / 2).await;
        assert!(lock(&lab.member).seeks.is_empty(), "the last is in hand");
        lab.until(|labs| labs[0].committed(0) == Some(first)).await;
        lab.fill(0, 5);
        lab.until_committed(0, 15).await;
        assert_eq!(lab.state.offsets(0)[10..], (first..15).collect::<Vec<_>>());
        assert!(lab.problems().is_empty());
    }
}

/// The last record of the former log is in hand for a minute.
#[tokio::test(start_paused = true)]
async fn with_reset_it_goes_on_at_the_beginning_where_what_is_new_is_gone_before_its_turn() {
    let mut lab = Lab::new::<resets>(1, 10);
    lab.until(|labs| labs[0].state.offsets(0).len() == 10).await;
    lab.notify(truncated(Some(4)));
    lab.pass(LONG / 2).await;
    lock(&lab.cluster).log(0).low = 7;
    lab.until(|labs| labs[0].committed(0) == Some(7)).await;
    lab.fill(0, 5);
    lab.until_committed(0, 15).await;
    assert_eq!(lab.state.offsets(0)[10..], (7..15).collect::<Vec<_>>());
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn with_reset_it_stops_where_nobody_knows_what_is_new() {
    let mut lab = Lab::new::<resets>(1, 9);
    lab.until_committed(0, 9).await;
    lab.notify(truncated(None));
    lab.pass(LONG).await;
    assert!(lock(&lab.member).seeks.is_empty());
    assert!(problem(&lab).contains("the partition stops"));
}

#[tokio::test(start_paused = true)]
async fn with_reset_it_goes_on_also_when_the_broker_answers_later() {
    let mut lab = Lab::new::<resets>(1, 9);
    lab.until_committed(0, 9).await;
    lock(&lab.member).answers = Some(Vec::new());
    let (place, position) = (place(0), 9);
    lab.notify(Notice::MadeAnew { place, position });
    lab.notify(still_anew(position));
    lab.pass(LONG).await;
    lab.lose([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    // Its next assignment begins where the group says.
    lock(&lab.member).answers = None;
    lab.assign([0]);
    lab.fill(0, 1);
    lab.until(|labs| labs[0].state.offsets(0).len() == 10).await;
    assert!(lock(&lab.member).seeks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_read_is_told_until_there_are_records_behind_it() {
    let mut lab = Lab::new::<stops>(1, 10);
    lab.until_committed(0, 10).await;
    for _ in 0..100 {
        lab.notify(Notice::Unreadable {
            place: place(0),
            position: 10,
            why: "Decompression (codec 0x4) of message at 10 of 99 bytes failed".to_owned(),
        });
        lab.pass(Duration::from_secs(1)).await;
        let problem = problem(&lab);
        let named = problem.contains("in[0]") && problem.contains("offset 10");
        assert!(named && problem.contains("Decompression"), "{problem}");
    }
    lab.fill(0, 1);
    lab.until_committed(0, 11).await;
    lab.pass(Duration::from_secs(1)).await;
    assert!(lab.problems().is_empty());
}
