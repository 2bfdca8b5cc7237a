//! The view that an interceptor has of an app, and the calls that it may replace.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use crate::support::{Ended, Given, block_on, connected, handle_in, record};
use fastkafka::*;
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

/// A payload.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct Order {
    id: u64,
}

/// Writes down what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Interceptor for Notes {
    fn run<'r>(
        &'r self,
        handler: &'static ConsumerDef,
        run: &'r Run<'r>,
        hooks: Hooks<'r>,
    ) -> RunFuture<'r> {
        self.add(format!("run of {}", handler.name));
        match handler.name {
            "on_replaced" => run_with::<on_replaced, Never>(run, hooks, &Never),
            _ => (handler.run)(run, hooks),
        }
    }

    fn block(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }

    fn call<'a>(
        &'a self,
        call: HandlerCall<'a>,
        hook: Option<&'a dyn Around>,
        next: HandlerFuture<'a>,
    ) -> HandlerFuture<'a> {
        let records = call.records().len();
        let next: HandlerFuture<'a> = Box::pin(async move {
            self.add(format!("call at {} of {records}", call.metadata().offset()));
            next.await
        });
        let work = match hook {
            Some(hook) => hook.around(call, next),
            None => next,
        };
        Box::pin(async move {
            let outcome = work.await;
            self.add(match &outcome {
                Ok(()) => "done".to_owned(),
                Err(failure) => format!("failed: {}", failure.message()),
            });
            outcome
        })
    }

    fn ended(&self, _: &'static ConsumerDef, _: &'static TopicPartition, _: i64, _: RecordEnd) {
        unreachable!("there is no runtime that ends a record");
    }

    fn undecoded(&self, call: &HandlerCall<'_>, rejection: &Rejection) {
        let at = call.metadata().offset();
        self.add(format!("undecoded at {at}: {rejection}"));
    }

    fn produced(
        &self,
        producer: &'static ProducerDef,
        record: &OutRecord<'_>,
        error: Option<&ProduceError>,
    ) {
        let payload = String::from_utf8_lossy(record.payload.unwrap());
        self.add(format!("{}: {payload} {}", producer.name, error.is_none()));
    }

    fn task_failed(&self, failure: &TaskFailure) {
        self.add(&failure.message);
    }
}

/// Called in the place of a function that must not be called.
struct Never;

impl Invoke<on_replaced> for Never {
    async fn invoke<'a>(&'a self, _: Order, _: &'a CallContext<'a>) -> Result<(), Rejection> {
        Ok(())
    }
}

#[consumes]
async fn on_replaced(_order: Order) {
    panic!("the interceptor has replaced it");
}

#[consumes]
async fn on_orders(order: Order, key: Key<String>) -> Result<(), String> {
    assert_ne!(order.id, 13, "unlucky");
    if order.id == 0 {
        return Err(format!("no order {}", key.0));
    }
    Ok(())
}

#[consumes]
async fn on_lists(_orders: Vec<Order>) {}

fn order(id: u64) -> Given {
    record(format!(r#"{{"id":{id}}}"#)).key("k")
}

fn intercepted(
    def: &'static ConsumerDef,
    records: impl IntoIterator<Item = Given>,
    around: Option<Box<dyn Around>>,
) -> (Ended, Vec<String>) {
    let notes = Notes::default();
    let interceptor = Arc::new(notes.clone());
    let ended = handle_in(def, records, |app| {
        assert!(app.intercept(interceptor).is_ok());
        app.with_around(around)
    });
    (ended, notes.take())
}

#[test]
fn an_interceptor_sees_each_call_and_its_outcome() {
    let (_, notes) = intercepted(const { &on_orders::DEF }, [order(1), order(0)], None);
    let calls = [
        "call at 100 of 1",
        "done",
        "call at 101 of 1",
        "failed: no order k",
    ];
    assert_eq!(notes[0], "run of on_orders");
    assert_eq!(notes[1..], calls);
}

#[test]
fn a_record_that_does_not_decode_is_told_without_a_call() {
    let (_, notes) = intercepted(const { &on_orders::DEF }, [record("?")], None);
    assert_eq!(notes.len(), 2);
    assert!(
        notes[1].starts_with("undecoded at 100: the payload"),
        "{notes:?}"
    );
}

#[test]
fn a_record_without_a_parameter_fails_with_the_rejection() {
    let records = [record(r#"{"id":1}"#)];
    let (ended, notes) = intercepted(const { &on_orders::DEF }, records, None);
    assert!(notes[2].contains("the record has no key"), "{notes:?}");
    let (_, failure) = ended.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Rejected);
    let error = failure.error().unwrap();
    assert!(error.is::<Rejection>());
}

#[test]
fn a_panic_ends_a_call_without_an_outcome() {
    let (ended, notes) = intercepted(const { &on_orders::DEF }, [order(13)], None);
    assert!(ended.panic.is_some());
    assert_eq!(notes[1..], ["call at 100 of 1"]);
}

#[test]
fn a_batch_is_one_call_that_ends_before_what_does_not_decode() {
    let records = [order(1), order(2), record("?")];
    let (_, notes) = intercepted(const { &on_lists::DEF }, records, None);
    assert_eq!(notes[1..3], ["call at 100 of 2", "done"]);
    assert!(notes[3].starts_with("undecoded at 102"), "{notes:?}");
}

#[test]
fn another_function_handles_a_run_in_place_of_the_handlers() {
    let (ended, notes) = intercepted(const { &on_replaced::DEF }, [order(1)], None);
    assert_eq!((ended.handled, ended.settled), (1, Some(1)));
    assert_eq!(notes[1..], ["call at 100 of 1", "done"]);
}

/// Lets no call through, and says that all is well.
struct Skips;

impl Around for Skips {
    fn around<'a>(&'a self, _: HandlerCall<'a>, _: HandlerFuture<'a>) -> HandlerFuture<'a> {
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn a_call_that_the_hook_skips_does_not_begin() {
    let (_, notes) = intercepted(
        const { &on_orders::DEF },
        [order(13)],
        Some(Box::new(Skips)),
    );
    assert_eq!(notes[1..], ["done"]);
}

/// An app with a producer whose outputs are intercepted.
struct Sender;

#[produces(app = Sender)]
async fn to_orders(id: u64) -> Result<Order, ProduceError> {
    Ok(Order { id })
}

#[test]
fn an_interceptor_sees_what_a_producer_hands_over() {
    let (app, _outbox) = connected::<Sender>();
    let notes = Notes::default();
    assert!(app.intercept(Arc::new(notes.clone())).is_ok());
    block_on(to_orders(7)).unwrap();
    assert_eq!(notes.take(), [r#"to_orders: {"id":7} true"#]);
}

mod mirrors {
    use super::Order;
    use fastkafka::*;
    use fastkafka_macros::{consumes, produces};
    use std::cell::RefCell;

    #[consumes(topic = "eu.orders-v2")]
    async fn on_new_orders(_order: Order) {}

    /// Has a visibility of its own.
    #[produces(topic = "Invoices")]
    pub(super) async fn to_invoices(id: u64) -> Result<Option<Order>, ProduceError> {
        Ok(Some(Order { id }))
    }

    /// Writes down what its mirrors are asked.
    #[derive(Default)]
    pub(super) struct Host(RefCell<Vec<String>>);

    impl MirrorHost for Host {
        type Received<P: Producer> = &'static str;

        fn received<P: Producer>(&self) -> &'static str {
            P::DEF.topic
        }
    }

    impl<C: Consumer> Sends<C> for Host {
        type Sending<'a> = ();

        fn sending(&self, topic: &'static str, _: C::Payload) {
            let line = std::panic::Location::caller().line();
            self.0.borrow_mut().push(format!("{topic} {line}"));
        }
    }

    #[test]
    fn a_function_is_reached_by_its_topic_from_the_place_of_the_call() {
        let host = Host::default();
        let line = line!() + 1;
        host.to_eu_orders_v2(Order { id: 1 });
        assert_eq!(host.0.into_inner(), [format!("eu.orders-v2 {line}")]);
    }
}

#[test]
fn a_mirror_comes_along_with_the_names_of_its_module() {
    use mirrors::*;
    assert_eq!(Host::default().on_Invoices(), "Invoices");
}
