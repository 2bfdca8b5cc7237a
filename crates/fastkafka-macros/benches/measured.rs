//! What `#[benchmark]` costs a handler: `cargo bench -p fastkafka-macros --bench measured`.
//!
//! Runs of 1,000 records through the handler loop, without a client: a handler with the attribute and
//! the same without it, in turns. Printed are the least and the median nanoseconds per record.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use fastkafka::{
    Ambient, AppContext, CatchRun, Closed, Consumer, ConsumerDef, DefaultApp, DeliveryScope,
    Fetched, Header, Record, Registry, Run, RunTag, Scoped, Settle, States, Timestamp,
    TimestampType, TopicPartition,
};
use fastkafka_macros::{benchmark, consumes};
use std::any::TypeId;
use std::hint::black_box;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

const RECORDS: usize = 1_000;
const ROUNDS: usize = 2_000;

#[consumes]
async fn on_plain(number: u64) {
    black_box(number);
}

#[benchmark(interval = 1, sliding_window_size = 5)]
#[consumes]
async fn on_measured(number: u64) {
    black_box(number);
}

#[derive(Debug)]
struct Same;

impl Fetched for Same {
    fn len(&self) -> usize {
        RECORDS
    }
    fn offset(&self, at: usize) -> i64 {
        at.try_into().unwrap()
    }
    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(range.map(|at| Record {
            payload: Some(b"7"),
            key: None,
            offset: self.offset(at),
            timestamp: Timestamp::new(7, TimestampType::CreateTime),
        }));
    }
    fn headers(&self, _: usize) -> Vec<Header<'_>> {
        Vec::new()
    }
}

struct Unheard;

impl Settle for Unheard {
    fn closed(&self, _: RunTag, _: Closed) {}
}

/// Nanoseconds per record of one run.
fn run(app: &Arc<AppContext>, def: &'static ConsumerDef) -> f64 {
    let mut records = Vec::new();
    Same.records(0..RECORDS, &mut records);
    let tag = RunTag { part: 0, run: 0 };
    let scope = DeliveryScope::of_run(RECORDS, Arc::new(Unheard), tag, Arc::default());
    let run = Run {
        states: app.states(),
        place: TopicPartition::intern("numbers", 0),
        records: &records,
        fetched: &Same,
        base: 0,
        scope: &scope,
        single: false,
        attempt: 1,
        expired: None,
        letters: None,
    };
    let ambient = Ambient::of_run(app.clone(), scope.clone());
    let begun = Instant::now();
    let mut work = pin!(Scoped::new(
        ambient,
        CatchRun::new(fastkafka::handle(app, def, &run))
    ));
    let mut cx = Context::from_waker(Waker::noop());
    let ended = loop {
        if let Poll::Ready(ended) = work.as_mut().poll(&mut cx) {
            break ended;
        }
    };
    let time = begun.elapsed();
    assert_eq!(ended.unwrap().handled, RECORDS);
    scope.finish(RECORDS, 0);
    time.as_secs_f64() * 1e9 / 1_000.0
}

fn main() {
    let registry = Registry::linked(TypeId::of::<DefaultApp>());
    let app = AppContext::new::<DefaultApp>(&registry, States::default());
    let app = Arc::new(app);
    let functions = [
        &<on_plain as Consumer>::DEF,
        &<on_measured as Consumer>::DEF,
    ];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (def, times) in functions.iter().zip(&mut times) {
            times.push(run(&app, def));
        }
    }
    for (def, times) in functions.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        let (least, median) = (times[0], times[ROUNDS / 2]);
        println!("{:12} {least:6.1} {median:6.1} ns per record", def.name);
    }
    assert_eq!(app.tallies()[0].records(), (RECORDS * ROUNDS) as u64);
}
