//! Mistakes that show at one step alone, and how the failure reads.

use super::{Table, failure, schedule};
use crate::tests::failures::compare;
use crate::{Deviation, Exploration, Explored, Tester};
use fastkafka::{App, EventMetadata, ProduceError, State, consumes, produces};
use std::time::Duration;

/// The payments that were seen.
type Seen = Table<u64>;

struct Early;

/// Notes the payment, and sends its receipt afterwards: a crash in between leaves it without one.
#[consumes(app = Early, topic = "payments", auto_offset_reset = "earliest")]
async fn on_payments(payment: u64, State(seen): State<Seen>) -> Result<(), ProduceError> {
    if seen.add_once(payment) {
        to_receipts(payment).await?;
    }
    Ok(())
}

#[produces(app = Early, topic = "receipts")]
async fn to_receipts(payment: u64) -> Result<u64, ProduceError> {
    Ok(payment)
}

struct Late;

/// A receipt may come twice, and is not left out.
#[consumes(app = Late, topic = "payments", auto_offset_reset = "earliest")]
async fn on_payments_late(payment: u64, State(seen): State<Seen>) -> Result<(), ProduceError> {
    to_receipts_late(payment).await?;
    seen.add_once(payment);
    Ok(())
}

#[produces(app = Late, topic = "receipts")]
async fn to_receipts_late(payment: u64) -> Result<u64, ProduceError> {
    Ok(payment)
}

fn explore<A: 'static>(seen: &Seen) -> Exploration {
    let kept = seen.clone();
    Tester::explore(move |_| App::scoped::<A>().title("Till").state(kept.clone()).build())
}

fn receipts_of_early(seen: &Seen, exploration: Exploration) -> Explored {
    exploration.run(
        async |tester| {
            seen.clear();
            tester.mirror::<on_payments>().send(10).await;
        },
        async |tester| {
            let receipts = tester.mirror::<to_receipts>().messages();
            assert!(receipts.contains(&10), "there is no receipt");
        },
    )
}

#[test]
fn an_effect_before_its_output_is_found_by_a_crash_and_seen_again_alone() {
    let seen = Seen::default();
    let text = failure(|| receipts_of_early(&seen, explore::<Early>(&seen)));
    compare("every_crash", &text);
    let schedule = schedule(&text);
    let alone = || receipts_of_early(&seen, explore::<Early>(&seen).schedule(&*schedule));
    let again = failure(alone);
    assert!(again.contains(": this schedule fails (run 1)"), "{again}");
    let table = |text: &str| {
        let from = text.find("what happens").unwrap();
        text[from..].to_owned()
    };
    assert_eq!(table(&again), table(&text));
}

#[test]
fn an_effect_behind_its_output_is_right_whatever_happens() {
    let seen = Seen::default();
    let explored = explore::<Late>(&seen).deviations(2).run(
        async |tester| {
            seen.clear();
            tester
                .mirror::<on_payments_late>()
                .send_all(vec![10, 20])
                .await;
        },
        async |tester| {
            let receipts = tester.mirror::<to_receipts_late>().messages();
            assert!(receipts.contains(&10) && receipts.contains(&20));
            assert_eq!(seen.rows(), [10, 20]);
        },
    );
    assert!(explored.is_complete());
    assert!(explored.runs() > 2 * explored.steps(), "{explored}");
}

/// Kept by the process, across a rebalance.
struct Sum;

/// Takes longer than its partition is waited for.
#[consumes(app = Sum, topic = "cents", auto_offset_reset = "earliest", rebalance_timeout_ms = 1_000)]
async fn on_cents(cents: u64, State(sum): State<Table<u64>>) {
    sum.add(cents);
    tokio::time::sleep(Duration::from_secs(2)).await;
}

struct SumByRecord;

#[consumes(app = SumByRecord, topic = "cents", auto_offset_reset = "earliest", rebalance_timeout_ms = 1_000)]
async fn on_cents_by_record(
    cents: u64,
    record: EventMetadata,
    State(sum): State<Table<(i64, u64)>>,
) {
    sum.add_once((record.offset(), cents));
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[test]
fn a_state_that_is_kept_across_a_rebalance_counts_twice() {
    let sums = Table::<u64>::default();
    let kept = sums.clone();
    let text = failure(|| {
        Tester::explore(move |_| {
            App::scoped::<Sum>()
                .title("Sum")
                .state(kept.clone())
                .build()
        })
        .only([Deviation::Rebalance])
        .run(
            async |tester| {
                sums.clear();
                tester.mirror::<on_cents>().send(7).await;
            },
            async |_| assert_eq!(sums.rows(), [7], "each once"),
        )
    });
    assert!(
        text.contains("one deviation is enough, none is not"),
        "{text}"
    );
    assert!(schedule(&text).ends_with(":rebalance"), "{text}");

    let sums = Table::<(i64, u64)>::default();
    let kept = sums.clone();
    Tester::explore(move |_| {
        App::scoped::<SumByRecord>()
            .title("Sum")
            .state(kept.clone())
            .build()
    })
    .run(
        async |tester| {
            sums.clear();
            tester.mirror::<on_cents_by_record>().send(7).await;
        },
        async |_| assert_eq!(sums.rows(), [(0, 7)], "each once"),
    );
}

/// What needs two things to go wrong is found with two, and not with one.
struct Counted;

#[consumes(app = Counted, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(number: u64, State(calls): State<Table<u64>>) {
    calls.add(number);
}

fn thrice(deviations: usize) -> Explored {
    let calls = Table::<u64>::default();
    let kept = calls.clone();
    Tester::explore(move |_| {
        App::scoped::<Counted>()
            .title("Counted")
            .state(kept.clone())
            .build()
    })
    .only([Deviation::Crash, Deviation::CommitLost])
    .deviations(deviations)
    .run(
        async |tester| {
            calls.clear();
            tester.mirror::<on_numbers>().send(1).await;
        },
        async |_| {
            assert!(
                calls.rows().len() < 3,
                "it was handled {} times",
                calls.rows().len()
            );
        },
    )
}

#[test]
fn the_first_schedule_that_fails_has_the_fewest_deviations() {
    let explored = thrice(1);
    assert!(explored.is_complete(), "{explored}");
    let text = failure(|| thrice(3));
    assert!(text.contains("2 deviations are enough, 1 is not"), "{text}");
    assert_eq!(schedule(&text).matches(':').count(), 2, "{text}");
}

#[test]
fn an_exploration_may_be_cut() {
    let seen = Seen::default();
    let explored = explore::<Late>(&seen).most_runs(5).run(
        async |tester| {
            seen.clear();
            tester.mirror::<on_payments_late>().send(10).await;
        },
        async |_| {},
    );
    assert_eq!((explored.runs(), explored.is_complete()), (5, false));
}

/// As the last line of a failure says.
#[test]
fn the_variable_names_the_one_schedule_that_is_run() {
    let program = std::env::current_exe().unwrap();
    let output = std::process::Command::new(program)
        .args(["--exact", "--nocapture"])
        .arg("tests::exploring::mistakes::an_exploration_may_be_cut")
        .env("FASTKAFKA_SCHEDULE", "0:crash")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains(">    0     0.000s crash of process 0, before "),
        "{text}"
    );
    assert!(text.contains("process 1 starts"), "{text}");
}

#[test]
fn a_schedule_of_another_app_does_not_fit() {
    let seen = Seen::default();
    let alone = |schedule: &'static str| {
        failure(|| receipts_of_early(&seen, explore::<Early>(&seen).schedule(schedule)))
    };
    let text = alone("9999:crash");
    assert!(
        text.contains("the schedule does not fit: there is no step 9999 for `crash`"),
        "{text}"
    );
    let text = alone("0:time-out");
    assert!(
        text.contains("the schedule does not fit: at step 0, before "),
        "{text}"
    );
    assert!(alone("17").contains("`17` is not of the form `17:crash`"));
}

#[tokio::test]
async fn an_exploration_in_a_runtime_says_where_it_belongs() {
    let seen = Seen::default();
    let text = failure(|| receipts_of_early(&seen, explore::<Early>(&seen)));
    assert!(
        text.contains("write `#[test]` in place of `#[tokio::test]`"),
        "{text}"
    );
}
