//! Handlers of every kind under every deviation and every two of them: what they promise holds.

use super::{Table, deviations, failure, is_whole, schedule};
use crate::{Deviation, Exploration, Tester};
use fastkafka::cluster::Brokers;
use fastkafka::{Ack, App, Failure, ProduceError, State, consumes, produces};
use std::time::Duration;

type Calls = Table<u64>;

fn explore<A: 'static>(calls: &Calls) -> Exploration {
    let kept = calls.clone();
    Tester::explore(move |_| {
        App::scoped::<A>()
            .title("Kinds")
            .state(kept.clone())
            .build()
    })
    .deviations(deviations())
}

/// Each of these was handled, and at least once.
fn all_handled(calls: &Calls, expected: &[u64]) {
    let rows = calls.rows();
    assert!(expected.iter().all(|row| rows.contains(row)), "{rows:?}");
}

struct Keyed;

#[consumes(app = Keyed, topic = "numbers", auto_offset_reset = "earliest", order = "key", concurrency = 4)]
async fn by_key(number: u64, State(calls): State<Calls>) {
    tokio::task::yield_now().await;
    calls.add(number);
}

#[test]
fn keys_in_order() {
    let calls = Calls::default();
    let explored = explore::<Keyed>(&calls).run(
        async |tester| {
            calls.clear();
            let numbers = tester.mirror::<by_key>();
            numbers.send(1).key("a").unsettled().await;
            numbers.send(2).key("b").unsettled().await;
            numbers.send(3).key("a").await;
        },
        async |_| all_handled(&calls, &[1, 2, 3]),
    );
    is_whole(explored);
}

struct Blocking;

#[consumes(app = Blocking, topic = "numbers", auto_offset_reset = "earliest", blocking)]
fn on_a_thread(number: u64, State(calls): State<Calls>) -> Result<(), ProduceError> {
    calls.add(number);
    to_doubles(number)?;
    Ok(())
}

#[produces(app = Blocking, topic = "doubles")]
fn to_doubles(number: u64) -> Result<u64, ProduceError> {
    Ok(2 * number)
}

#[test]
fn a_blocking_handler() {
    let calls = Calls::default();
    let explored = explore::<Blocking>(&calls).run(
        async |tester| {
            calls.clear();
            tester.mirror::<on_a_thread>().send_all(vec![1, 2]).await;
        },
        async |tester| {
            all_handled(&calls, &[1, 2]);
            all_handled_are_there(tester.mirror::<to_doubles>().messages());
        },
    );
    is_whole(explored);
}

fn all_handled_are_there(doubles: Vec<u64>) {
    assert!(
        [2, 4].iter().all(|row| doubles.contains(row)),
        "{doubles:?}"
    );
}

struct Dead;

#[consumes(app = Dead, topic = "numbers", auto_offset_reset = "earliest", attempts = 2, dead_letter = "dead")]
async fn fails(number: u64, State(calls): State<Calls>) -> Result<(), Failure> {
    calls.add(number);
    if number == 13 {
        return Err(Failure::retry("unlucky"));
    }
    Ok(())
}

#[test]
fn with_dead_letters() {
    let calls = Calls::default();
    let explored = explore::<Dead>(&calls).run(
        async |tester| {
            calls.clear();
            tester.mirror::<fails>().send_all(vec![13, 1]).await;
        },
        async |tester| {
            all_handled(&calls, &[13, 1]);
            assert!(!tester.records("dead").is_empty(), "no dead letter");
        },
    );
    is_whole(explored);
}

struct Spawning;

#[consumes(app = Spawning, topic = "numbers", auto_offset_reset = "earliest")]
async fn spawns(number: u64, State(calls): State<Calls>) {
    fastkafka::spawn(async move { calls.add(number) });
}

#[test]
fn with_spawned_tasks() {
    let calls = Calls::default();
    let explored = explore::<Spawning>(&calls).run(
        async |tester| {
            calls.clear();
            tester.mirror::<spawns>().send_all(vec![1, 2]).await;
        },
        async |_| all_handled(&calls, &[1, 2]),
    );
    is_whole(explored);
}

/// Which of two tasks is first is nobody's promise.
#[test]
fn the_order_of_tasks_is_explored_where_it_is_asked_for() {
    let calls = Calls::default();
    let run = |exploration: Exploration| {
        exploration.run(
            async |tester| {
                calls.clear();
                tester.mirror::<spawns>().send_all(vec![1, 2]).await;
            },
            async |_| assert_eq!(calls.rows(), [1, 2]),
        )
    };
    let text = failure(|| run(explore::<Spawning>(&calls).only([Deviation::Order])));
    assert!(schedule(&text).contains(":task"), "{text}");
    assert!(text.contains(" goes on before "), "{text}");
}

struct Acked;

#[consumes(app = Acked, topic = "numbers", auto_offset_reset = "earliest", enable_auto_commit = false)]
async fn acks(number: u64, ack: Ack, State(calls): State<Calls>) {
    fastkafka::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        calls.add(number);
        let _ = ack.ack();
    });
}

#[test]
fn with_an_ack() {
    let calls = Calls::default();
    let explored = explore::<Acked>(&calls).run(
        async |tester| {
            calls.clear();
            tester.mirror::<acks>().send_all(vec![1, 2]).await;
        },
        async |_| all_handled(&calls, &[1, 2]),
    );
    is_whole(explored);
}

struct Limited;

#[consumes(app = Limited, topic = "numbers", auto_offset_reset = "earliest", handler_timeout = Duration::from_secs(1))]
async fn limited(number: u64, State(calls): State<Calls>) {
    calls.add(number);
}

#[test]
fn a_call_that_does_not_return_in_time_is_called_again() {
    let calls = Calls::default();
    let once = |deviations: &[Deviation]| {
        explore::<Limited>(&calls)
            .only(deviations.iter().copied())
            .run(
                async |tester| {
                    calls.clear();
                    tester.mirror::<limited>().send(1).await;
                },
                async |_| assert_eq!(calls.rows(), [1], "once"),
            )
    };
    once(&[]);
    let text = failure(|| once(&[Deviation::TimeOut]));
    assert!(schedule(&text).ends_with(":time-out"), "{text}");
}

struct Batches;

#[consumes(app = Batches, topic = "numbers", auto_offset_reset = "earliest")]
async fn in_batches(numbers: Vec<u64>, State(calls): State<Calls>) -> Result<(), ProduceError> {
    for number in numbers {
        to_copies(number).await?;
        calls.add(number);
    }
    Ok(())
}

#[produces(app = Batches, topic = "copies")]
async fn to_copies(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[test]
fn a_handler_of_batches() {
    let calls = Calls::default();
    let explored = explore::<Batches>(&calls).run(
        async |tester| {
            calls.clear();
            tester.mirror::<in_batches>().send_all(vec![1, 2]).await;
        },
        async |tester| {
            all_handled(&calls, &[1, 2]);
            let copies = tester.mirror::<to_copies>().messages();
            assert!(copies.contains(&1) && copies.contains(&2), "{copies:?}");
        },
    );
    is_whole(explored);
}

struct Members;

#[consumes(app = Members, topic = "numbers", auto_offset_reset = "earliest")]
async fn shared(number: u64, State(calls): State<Calls>) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    calls.add(number);
}

/// Members come and go with records in hand.
#[test]
fn with_several_members() {
    let calls = Calls::default();
    // It has as many steps as all others together.
    let exploration = explore::<Members>(&calls).deviations(deviations() - 1);
    let explored = exploration.topic("numbers", 2).run(
        async |tester| {
            calls.clear();
            let numbers = tester.mirror::<shared>();
            numbers.send_all(vec![1, 2, 3]).unsettled().await;
            tester.add_member().await.unwrap();
            numbers.send(4).await;
            // One that could not commit says so.
            let _ = tester.remove_member().await;
            numbers.send(5).await;
        },
        async |_| all_handled(&calls, &[1, 2, 3, 4, 5]),
    );
    is_whole(explored);
}

fn payments() -> Brokers {
    Brokers::new("payments")
}

struct Two;

#[consumes(app = Two, topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_payments(order).await?;
    Ok(())
}

#[produces(app = Two, topic = "paid", brokers = payments)]
async fn to_payments(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[test]
fn on_two_clusters() {
    let explored = explore::<Two>(&Calls::default()).run(
        async |tester| {
            tester.mirror::<on_orders>().send_all(vec![1, 2]).await;
        },
        async |tester| {
            let paid = tester.mirror::<to_payments>().messages();
            assert!(paid.contains(&1) && paid.contains(&2), "{paid:?}");
        },
    );
    is_whole(explored);
}
