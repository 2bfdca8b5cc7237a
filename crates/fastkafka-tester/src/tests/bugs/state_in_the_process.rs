//! A handler that keeps what it knows of a key in its process: another process gets the key, and
//! begins at nothing.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, EventMetadata, Key, State, Topic, consumes};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Partition and offset of each record of a visitor.
type Places = BTreeSet<(i32, i64)>;

/// The visits of each visitor.
#[derive(Clone, Default)]
struct Visits(Arc<Mutex<BTreeMap<String, Places>>>);

impl Visits {
    /// The number of visits of this visitor, this one included.
    fn add(&self, visitor: &str, record: &EventMetadata) -> usize {
        let mut visits = self.0.lock().unwrap();
        let of_visitor = visits.entry(visitor.to_owned()).or_default();
        of_visitor.insert((record.partition(), record.offset()));
        of_visitor.len()
    }
}

/// The answers to the visitors: their number of visits.
#[derive(Clone, Default)]
struct Greetings(Arc<Mutex<BTreeMap<String, usize>>>);

/// One handler: what differs is where its [`Visits`] come from.
struct Counter;

#[consumes(app = Counter, topic = "visits", auto_offset_reset = "earliest")]
async fn on_visits(
    _page: String,
    visitor: Key<String>,
    record: EventMetadata,
    State(visits): State<Visits>,
    State(greetings): State<Greetings>,
) {
    let count = visits.add(&visitor.0, &record);
    greetings.0.lock().unwrap().insert(visitor.0, count);
}

fn app(visits: Visits, greetings: Greetings) -> App {
    App::scoped::<Counter>()
        .title("Visits")
        .topic("visits", Topic::new().partitions(4))
        .state(visits)
        .state(greetings)
        .build()
}

const VISITORS: [&str; 6] = ["Ada", "Alan", "Barbara", "Edsger", "Grace", "Leslie"];

async fn everybody_visits<H: Handler<String>>(tester: &Tester) {
    for visitor in VISITORS {
        let visit = tester.mirror::<H>().send("/".to_owned());
        visit.key(visitor).await;
    }
}

/// Everybody visits twice, with `between` in between, and is told so.
async fn two_visits(visits: impl Fn() -> Visits + 'static, between: impl AsyncFnOnce(&Tester)) {
    let greetings = Greetings::default();
    let told = greetings.clone();
    let tester = Tester::start_with(move || app(visits(), told.clone()));
    let tester = tester.await.unwrap();
    everybody_visits::<on_visits>(&tester).await;
    between(&tester).await;
    everybody_visits::<on_visits>(&tester).await;
    let told = greetings.0.lock().unwrap().clone();
    let wrong: Vec<_> = told.iter().filter(|(_, count)| **count != 2).collect();
    assert!(wrong.is_empty(), "told the wrong number: {wrong:?}");
    tester.stop().await;
}

async fn a_member_joins(tester: &Tester) {
    tester.add_member().await.unwrap();
    tester.settle().await.unwrap();
}

async fn a_crash(tester: &Tester) {
    tester.crash_and_restart().await.unwrap();
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "told the wrong number")]
async fn another_member_shows_it() {
    two_visits(Visits::default, a_member_joins).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "told the wrong number")]
async fn a_crash_shows_it() {
    two_visits(Visits::default, a_crash).await;
}

#[tokio::test(start_paused = true)]
async fn state_that_the_processes_share_passes() {
    for between in 0..2 {
        let database = Visits::default();
        two_visits(
            move || database.clone(),
            async |tester| match between {
                0 => a_member_joins(tester).await,
                _ => a_crash(tester).await,
            },
        )
        .await;
    }
}
