//! Runs a definition over records made by hand, and sends what producers return to a list.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use fastkafka::{
    AppContext, Bytes, CatchRun, Closed, ConsumerDef, DefaultApp, Delivery, DeliveryScope,
    DeliveryToken, Failure, Fetched, Header, OutRecord, ProduceError, ProducerDef, Record,
    RecordSink, Registry, Run, RunTag, Settle, States, Timestamp, TimestampType, TopicPartition,
    enter,
};
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Polls to the end; what the tests wait for is always ready again.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return output;
        }
    }
}

/// What handlers write down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A record as a test writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    payload: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

pub(crate) fn record(payload: impl AsRef<[u8]>) -> Given {
    Given {
        payload: Some(payload.as_ref().to_vec()),
        ..Given::default()
    }
}

pub(crate) fn tombstone() -> Given {
    Given::default()
}

impl Given {
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

#[derive(Debug)]
struct Records(Vec<Given>);

impl Fetched for Records {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn offset(&self, at: usize) -> i64 {
        100 + i64::try_from(at).unwrap()
    }
    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(range.map(|at| Record {
            payload: self.0[at].payload.as_deref(),
            key: self.0[at].key.as_deref(),
            offset: self.offset(at),
            timestamp: Timestamp::new(7, TimestampType::CreateTime),
        }));
    }
    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        let headers = self.0[at].headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), Some(value.as_slice())))
            .collect()
    }
}

#[derive(Default)]
struct Settled(Mutex<Option<Closed>>);

impl Settle for Settled {
    fn closed(&self, _: RunTag, end: Closed) {
        *self.0.lock().unwrap() = Some(end);
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) handled: usize,
    /// How many records failed together, and why.
    pub(crate) failure: Option<(usize, Failure)>,
    /// The text of a panic, and the index of the record that caused it.
    pub(crate) panic: Option<(usize, String)>,
    /// How many records are settled; `None` while one is open.
    pub(crate) settled: Option<usize>,
    pub(crate) log: Vec<String>,
}

/// Handles the records as one run, in batches if the handler takes them.
pub(crate) fn handle(def: &'static ConsumerDef, records: impl IntoIterator<Item = Given>) -> Ended {
    run(def, records, false, |app| app)
}

/// Handles the records as one run, one at a time.
pub(crate) fn handle_singly(
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
) -> Ended {
    run(def, records, true, |app| app)
}

/// Handles the records as one run of an app that `prepare` has changed.
pub(crate) fn handle_in(
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
    prepare: impl FnOnce(AppContext) -> AppContext,
) -> Ended {
    run(def, records, false, prepare)
}

/// Handles the records as one run of an app that is there.
pub(crate) fn handle_by(
    app: &Arc<AppContext>,
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
) -> Ended {
    let _entered = enter(app.clone());
    run_in(app, def, records, false, None)
}

/// Handles the records on a thread of their own, where the call of one of them took too long.
pub(crate) fn handle_late(
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
    late: usize,
) -> Ended {
    let mut states = States::default();
    states.insert(Log::default());
    let app = AppContext::new::<DefaultApp>(&Registry::default(), states);
    run_in(&app, def, records, false, Some(&AtomicUsize::new(late + 1)))
}

fn run(
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
    single: bool,
    prepare: impl FnOnce(AppContext) -> AppContext,
) -> Ended {
    let log = Log::default();
    let mut states = States::default();
    states.insert(log.clone());
    let app = prepare(AppContext::new::<DefaultApp>(&Registry::default(), states));
    let ended = run_in(&app, def, records, single, None);
    Ended {
        log: log.lines(),
        ..ended
    }
}

fn run_in(
    app: &AppContext,
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
    single: bool,
    expired: Option<&AtomicUsize>,
) -> Ended {
    let fetched = Records(records.into_iter().collect());
    let mut records = Vec::new();
    fetched.records(0..fetched.len(), &mut records);
    let settled = Arc::new(Settled::default());
    let tag = RunTag { part: 0, run: 0 };
    let scope = DeliveryScope::of_run(records.len(), settled.clone(), tag, Arc::default());
    let run = Run {
        states: app.states(),
        place: TopicPartition::intern("topic", 3),
        records: &records,
        fetched: &fetched,
        base: 0,
        scope: &scope,
        single,
        attempt: 1,
        expired,
        letters: None,
    };
    let (handled, failure, panic) = match block_on(CatchRun::new(fastkafka::handle(app, def, &run)))
    {
        Ok(end) => (end.handled, end.failure, None),
        Err(panic) => {
            let at = scope.current();
            (at, None, Some((at, panic)))
        }
    };
    scope.finish(
        handled,
        failure
            .as_ref()
            .map_or(usize::from(panic.is_some()), |(n, _)| *n),
    );
    let settled = settled
        .0
        .lock()
        .unwrap()
        .take()
        .map(|closed| closed.settled);
    Ended {
        handled,
        failure,
        panic,
        settled,
        log: Vec::new(),
    }
}

/// A record that a producer sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) producer: String,
    pub(crate) topic: String,
    pub(crate) payload: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
}

/// Acknowledges each record at once.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    sent: Arc<Mutex<Vec<Sent>>>,
    unacknowledged: Arc<AtomicBool>,
}

impl Outbox {
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// As with `acks = 0`.
    pub(crate) fn acknowledges_nothing(&self) {
        self.unacknowledged.store(true, Ordering::Relaxed);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl RecordSink for Outbox {
    fn enqueue(&self, record: OutRecord<'_>, token: DeliveryToken) -> Result<(), ProduceError> {
        self.sent.lock().unwrap().push(Sent {
            producer: record.producer.unwrap().name.to_owned(),
            topic: record.topic.to_owned(),
            payload: record.payload.map(text),
            key: record.key.map(text),
            headers: record.headers.to_vec(),
        });
        token.ack(|| Delivery::new(record.topic, 0, 0));
        Ok(())
    }

    fn is_unacknowledged(&self, _: &'static ProducerDef) -> bool {
        self.unacknowledged.load(Ordering::Relaxed)
    }

    fn poll_room(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// A connected app of type `S`.
pub(crate) fn connected<S: 'static>() -> (Arc<AppContext>, Outbox) {
    let outbox = Outbox::default();
    let app = AppContext::new::<S>(&Registry::default(), States::default());
    let app = Arc::new(app);
    assert!(app.connect(Arc::new(outbox.clone())).is_ok());
    (app, outbox)
}
