//! What cannot be repeated is named.

use super::failure;
use crate::{Explored, Tester};
use fastkafka::{App, consumes};
use std::collections::HashMap;
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
