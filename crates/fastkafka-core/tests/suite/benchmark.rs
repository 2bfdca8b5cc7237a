//! The counts of `#[benchmark]`, wherever it stands.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use crate::support::{Given, Log, Outbox, block_on, record};
use fastkafka::*;
use fastkafka_macros::{benchmark, consumes, produces};
use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

/// An app.
#[derive(Debug)]
pub struct Gauged;

const HALF: Duration = Duration::from_millis(500);

#[benchmark(interval = 2, sliding_window_size = 5)]
#[consumes(app = Gauged)]
async fn on_above(order: u64) -> Result<(), String> {
    match order {
        0 => Err("no order".to_owned()),
        _ => Ok(()),
    }
}

#[consumes(app = Gauged)]
#[benchmark(interval = 0.5)]
async fn on_below(_order: u64) {}

#[benchmark(interval = HALF)]
#[consumes(app = Gauged)]
fn on_sync(_: u64, State(_log): State<Log>) {}

type Orders = Vec<u64>;

#[benchmark]
#[consumes(app = Gauged)]
async fn on_batches(orders: Orders) -> Result<(), BatchFailure> {
    match orders.iter().position(|order| *order == 0) {
        Some(at) => Err(BatchFailure::at(at, "no order")),
        None => Ok(()),
    }
}

#[consumes(app = Gauged)]
#[benchmark]
fn on_text(text: std::borrow::Cow<'_, str>) {
    let _ = text;
}

#[consumes(app = Gauged)]
async fn on_unmeasured(_order: u64) {}

#[benchmark]
#[produces(app = Gauged)]
async fn to_one(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[produces(app = Gauged)]
#[benchmark]
async fn to_many(count: u64) -> Result<Vec<u64>, ProduceError> {
    Ok((0..count).collect())
}

type Sent<T> = Result<T, ProduceError>;

#[benchmark]
#[produces(app = Gauged)]
async fn to_maybe(order: Option<u64>) -> Sent<Option<KafkaEvent<u64>>> {
    Ok(order.map(KafkaEvent::new))
}

#[produces(app = Gauged)]
#[benchmark]
async fn to_batch_as_one(orders: Vec<u64>) -> Result<String, ProduceError> {
    Ok(format!("{orders:?}"))
}

#[benchmark]
#[produces(app = Gauged)]
async fn to_failing() -> Result<u64, ProduceError> {
    Err(ProduceError::Lost("no".to_owned()))
}

mod nested {
    #[fastkafka_macros::benchmark(crate = fastkafka)]
    #[fastkafka_macros::consumes(app = super::Gauged, crate = fastkafka)]
    pub(super) async fn on_nested(_order: u64) {
        // Names of the attribute's are in nobody's way.
        let (taken, returned) = (1, 2);
        let _ = taken + returned;
    }
}

fn app() -> (Arc<AppContext>, Outbox) {
    let mut states = States::default();
    states.insert(Log::default());
    let registry = Registry::linked(TypeId::of::<Gauged>());
    let app = Arc::new(AppContext::new::<Gauged>(&registry, states));
    let outbox = Outbox::default();
    app.connect(Arc::new(outbox.clone())).ok().unwrap();
    (app, outbox)
}

fn tally<'a>(app: &'a AppContext, name: &str) -> &'a Tally {
    let mut tallies = app.tallies().iter();
    let tally = tallies.find(|tally| tally.meter().function.name() == name);
    tally.unwrap_or_else(|| panic!("{name} is not measured"))
}

/// What is counted of a handler after these records.
fn counted(def: &'static ConsumerDef, records: impl IntoIterator<Item = Given>) -> u64 {
    let (app, _) = app();
    crate::support::handle_by(&app, def, records);
    let counted = tally(&app, def.name).records();
    app.disconnect();
    counted
}

fn orders(orders: impl IntoIterator<Item = u64>) -> impl Iterator<Item = Given> {
    let orders = orders.into_iter();
    orders.map(|order| record(order.to_string()))
}

#[test]
fn the_records_of_a_consumer_are_counted_above_and_below_sync_and_async() {
    assert_eq!(counted(&on_above::DEF, orders(1..=3)), 3);
    assert_eq!(counted(&on_below::DEF, orders(1..=3)), 3);
    assert_eq!(counted(&on_sync::DEF, orders(1..=4)), 4);
    assert_eq!(counted(&on_text::DEF, [record("\"tea\"")]), 1);
    assert_eq!(counted(&nested::on_nested::DEF, orders(1..=2)), 2);
}

#[test]
fn each_record_of_a_batch_counts() {
    assert_eq!(counted(&on_batches::DEF, orders(1..=7)), 7);
}

#[test]
fn an_attempt_that_fails_counts_too() {
    assert_eq!(counted(&on_above::DEF, orders([1, 0])), 2);
    assert_eq!(counted(&on_batches::DEF, orders([1, 0, 3])), 3);
}

#[test]
fn of_a_producer_the_records_count_that_it_returned() {
    let (app, outbox) = app();
    let _entered = enter(app.clone());
    block_on(async {
        to_one(1).await.unwrap();
        to_one(2).await.unwrap();
        to_many(5).await.unwrap();
        to_many(0).await.unwrap();
        to_maybe(Some(1)).await.unwrap();
        to_maybe(None).await.unwrap();
        to_batch_as_one(vec![1, 2, 3]).await.unwrap();
        to_failing().await.unwrap_err();
    });
    for (name, records) in [
        ("to_one", 2),
        ("to_many", 5),
        ("to_maybe", 1),
        ("to_batch_as_one", 1),
        ("to_failing", 0),
    ] {
        assert_eq!(tally(&app, name).records(), records, "{name}");
    }
    assert_eq!(outbox.take().len(), 9);
    app.disconnect();
}

#[test]
fn each_app_counts_for_itself() {
    let ((first, _), (second, _)) = (app(), app());
    crate::support::handle_by(&first, &on_below::DEF, orders(1..=3));
    crate::support::handle_by(&second, &on_below::DEF, orders(1..=2));
    assert_eq!(tally(&first, "on_below").records(), 3);
    assert_eq!(tally(&second, "on_below").records(), 2);
    [first, second].iter().for_each(AppContext::disconnect);
}

#[test]
fn a_function_that_is_called_outside_any_app_counts_for_nobody() {
    block_on(on_below(1));
}

#[test]
fn an_app_knows_what_is_measured_and_how() {
    let (app, _) = app();
    let tallies = app.tallies().iter();
    let names: Vec<_> = tallies.map(|tally| tally.meter().function.name()).collect();
    assert!(!names.contains(&"on_unmeasured"));
    assert_eq!(names.len(), 11, "{names:?}");
    let how = |name| {
        let meter = tally(&app, name).meter();
        ((meter.interval)(), (meter.window)())
    };
    assert_eq!(how("on_above"), (Duration::from_secs(2), Some(5)));
    assert_eq!(how("on_below"), (HALF, None));
    assert_eq!(how("on_sync"), (HALF, None));
    assert_eq!(how("to_one"), (Duration::from_secs(1), None));
    app.disconnect();
}

/// An app.
#[derive(Debug)]
pub struct Mistaken;

const NOTHING: usize = 0;

#[benchmark(interval = Duration::ZERO, sliding_window_size = NOTHING)]
#[consumes(app = Mistaken)]
async fn on_mistakes(_order: u64) {}

#[test]
fn an_interval_and_a_window_of_nothing_are_problems() {
    let registry = Registry::linked(TypeId::of::<Mistaken>());
    let app = AppSpec::new(AppInfo::default(), registry, &States::default());
    let problems = Plan::new(&app).unwrap_err().to_string();
    assert!(
        problems.contains("whose `interval` is nothing"),
        "{problems}"
    );
    assert!(
        problems.contains("whose `sliding_window_size` is 0"),
        "{problems}"
    );
}
