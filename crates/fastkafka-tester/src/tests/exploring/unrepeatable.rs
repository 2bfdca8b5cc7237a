//! What cannot be repeated is named.

use super::{Table, failure};
use crate::{Explored, Tester};
use fastkafka::{App, consumes};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

fn explore<A: 'static>(scenario: impl AsyncFn(&Tester)) -> Explored {
    Tester::every_crash(
        |_| App::scoped::<A>().title("Chance").build(),
        scenario,
        async |_| {},
    )
}

fn differs(text: &str) {
    let same = "the same schedule does not do the same twice";
    assert!(text.contains(same), "{text}");
    assert!(
        text.contains("the first line that differs, number "),
        "{text}"
    );
    assert!(text.contains("the order of a `HashMap`"), "{text}");
}

struct Hashed;

#[consumes(app = Hashed, topic = "numbers", auto_offset_reset = "earliest", attempts = 1, dead_letter = "dead")]
async fn by_hash(number: u64) -> Result<(), String> {
    let numbers: HashMap<_, _> = (0..32).map(|n| (n + number, ())).collect();
    Err(format!("{:?}", numbers.keys().collect::<Vec<_>>()))
}

#[test]
fn the_order_of_a_hash_map() {
    differs(&failure(|| {
        explore::<Hashed>(async |tester| {
            tester.mirror::<by_hash>().send(7).await;
        })
    }));
}

struct Timed;

#[consumes(app = Timed, topic = "numbers", auto_offset_reset = "earliest", attempts = 1, dead_letter = "dead")]
async fn by_the_clock(_: u64) -> Result<(), String> {
    Err(format!("{:?}", SystemTime::now()))
}

#[test]
fn the_machines_clock() {
    differs(&failure(|| {
        explore::<Timed>(async |tester| {
            tester.mirror::<by_the_clock>().send(7).await;
        })
    }));
}

struct Threaded;

#[consumes(app = Threaded, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_another_thread(_: u64) {
    let _ = tokio::task::spawn_blocking(|| ()).await;
}

#[test]
fn a_thread() {
    let text = failure(|| {
        explore::<Threaded>(async |tester| {
            tester.mirror::<on_another_thread>().send(7).await;
        })
    });
    let named = "the handler of numbers[0] was woken by another thread";
    assert!(text.contains(named), "{text}");
    assert!(text.contains("put a fake in its place"), "{text}");
}

struct Hung;

#[consumes(app = Hung, topic = "numbers", auto_offset_reset = "earliest")]
async fn never_returns(_: u64) {
    std::future::pending::<()>().await;
}

/// It fails as any test of it does.
#[test]
fn a_handler_that_does_not_return() {
    let text = failure(|| {
        explore::<Hung>(async |tester| {
            tester.mirror::<never_returns>().send(7).unsettled().await;
        })
    });
    assert!(text.contains("without a deviation it fails"), "{text}");
    assert!(
        text.contains("`never_returns` was called and has not returned"),
        "{text}"
    );
}

struct Even;

#[consumes(app = Even, topic = "numbers", auto_offset_reset = "earliest")]
async fn evenly(_: u64) {}

/// An assertion may print what is in no order. It is the app that is wrong, and the words of the failure alone differ.
#[test]
fn a_failure_in_other_words_is_that_failure() {
    let failures = AtomicUsize::new(0);
    let text = failure(|| {
        Tester::every_crash(
            |_| App::scoped::<Even>().title("Chance").build(),
            async |tester| {
                tester.mirror::<evenly>().send(7).await;
            },
            async |_| panic!("wrong as {}", failures.fetch_add(1, Ordering::Relaxed)),
        )
    });
    assert!(text.contains("without a deviation it fails"), "{text}");
    assert!(text.contains("  wrong as 0\n"), "{text}");
    assert!(text.contains("  wrong as 1\n"), "{text}");
}

/// A database of a test has the number in its name: a second run of one schedule is another run.
#[test]
fn each_run_has_a_number_of_its_own() {
    let made = Table::<u64>::default();
    let kept = made.clone();
    Tester::explore(move |run| {
        kept.add(run);
        App::scoped::<Even>().title("Chance").build()
    })
    .only([])
    .run(
        async |tester| {
            tester.mirror::<evenly>().send(7).await;
        },
        async |_| {},
    );
    let numbers = made.rows();
    // The first run, and the look whether it does the same twice.
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    let distinct: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), 2, "{numbers:?}");
}
