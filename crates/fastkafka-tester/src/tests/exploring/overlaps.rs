//! Work that goes on when its partition is given away, or its attempt is over: nothing runs twice at once.

use super::{Table, deviations, is_whole};
use crate::{Exploration, Tester};
use fastkafka::{App, ProduceError, State, consumes, produces};
use std::time::Duration;

/// What goes on, and what has gone on twice at once.
#[derive(Clone, Default)]
struct Alive {
    now: Table<u64>,
    twice: Table<u64>,
}

/// Of one that goes on.
struct Goes(Alive, u64);

impl Alive {
    fn begin(&self, number: u64) -> Goes {
        if !self.now.add_once(number) {
            self.twice.add(number);
        }
        Goes(self.clone(), number)
    }

    fn none_twice(&self) {
        assert_eq!(self.twice.rows(), [0; 0], "at once");
        assert_eq!(self.now.rows(), [0; 0], "left");
    }
}

impl Drop for Goes {
    fn drop(&mut self) {
        self.0.now.0.lock().unwrap().retain(|row| *row != self.1);
    }
}

fn explore_alive<A: 'static>(alive: &Alive) -> Exploration {
    let kept = alive.clone();
    let app = move |_| {
        App::scoped::<A>()
            .title("Alive")
            .state(kept.clone())
            .build()
    };
    Tester::explore(app).deviations(deviations() - 1)
}

struct SlowInOrder;

/// Takes longer than its partition is waited for.
#[consumes(app = SlowInOrder, topic = "numbers", auto_offset_reset = "earliest", rebalance_timeout_ms = 1_000)]
async fn slow_in_order(number: u64, State(alive): State<Alive>) {
    let _goes = alive.begin(number);
    tokio::time::sleep(Duration::from_secs(2)).await;
}

struct SlowByKey;

#[consumes(app = SlowByKey, topic = "numbers", auto_offset_reset = "earliest", rebalance_timeout_ms = 1_000, order = "key")]
async fn slow_by_key(number: u64, State(alive): State<Alive>) {
    let _goes = alive.begin(number);
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// Two calls of a record are never under way at once in a process, whoever has the partition.
#[test]
fn handlers_that_outlast_a_rebalance() {
    let alive = Alive::default();
    let explored = explore_alive::<SlowInOrder>(&alive).run(
        async |tester| {
            tester.mirror::<slow_in_order>().send_all(vec![1, 2]).await;
        },
        async |_| alive.none_twice(),
    );
    is_whole(explored);
    let explored = explore_alive::<SlowByKey>(&alive).run(
        async |tester| {
            let numbers = tester.mirror::<slow_by_key>();
            numbers.send(1).key("a").unsettled().await;
            numbers.send(2).key("a").await;
        },
        async |_| alive.none_twice(),
    );
    is_whole(explored);
}

struct SpawningLong;

#[consumes(app = SpawningLong, topic = "numbers", auto_offset_reset = "earliest")]
async fn spawns_long(number: u64, State(alive): State<Alive>) -> Result<(), ProduceError> {
    fastkafka::spawn(async move {
        let _goes = alive.begin(number);
        tokio::time::sleep(Duration::from_secs(3)).await;
    });
    to_begun(number).await?;
    Ok(())
}

#[produces(app = SpawningLong, topic = "begun")]
async fn to_begun(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// What an attempt has spawned is over before the next one begins.
#[test]
fn spawned_tasks_that_outlast_their_attempt() {
    let alive = Alive::default();
    let explored = explore_alive::<SpawningLong>(&alive).run(
        async |tester| {
            tester.mirror::<spawns_long>().send(1).await;
        },
        async |_| alive.none_twice(),
    );
    is_whole(explored);
}
