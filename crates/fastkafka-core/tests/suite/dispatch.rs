//! The parameters that reach a handler, and the consequences of what it returns.
#![allow(
    clippy::unwrap_used,
    reason = "a handler of a test fails like the test"
)]

use crate::support::{Log, handle, handle_late, handle_singly, record, tombstone};
use fastkafka::*;
use fastkafka_macros::consumes;
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

#[derive(Deserialize, JsonSchema)]
struct Order {
    id: u64,
}

fn orders(ids: impl IntoIterator<Item = u64>) -> impl Iterator<Item = crate::support::Given> {
    ids.into_iter()
        .map(|id| record(format!(r#"{{"id":{id}}}"#)))
}

#[derive(Debug, PartialEq, Eq)]
struct OrderError(u64);

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} is wrong", self.0)
    }
}
impl std::error::Error for OrderError {}

const fn def<C: Consumer>() -> &'static ConsumerDef {
    const { &C::DEF }
}

#[consumes]
async fn on_async(order: Order, State(log): State<Log>) {
    log.add(order.id.to_string());
}

#[consumes]
fn on_sync(order: Order, State(log): State<Log>) {
    log.add(order.id.to_string());
}

/// The time of a record may be over in the moment in which it is done, and the next one begins.
#[test]
fn a_call_on_a_thread_is_judged_by_its_own_time_and_not_by_that_of_another() {
    for late in 0..3 {
        let ended = handle_late(def::<on_sync>(), orders(0..3), late);
        assert_eq!(ended.handled, late);
        assert!(ended.failure.is_some());
    }
    assert_eq!(handle_late(def::<on_sync>(), orders(0..3), 3).handled, 3);
}

#[test]
fn async_and_sync_functions_are_called_record_by_record() {
    for def in [def::<on_async>(), def::<on_sync>()] {
        let ended = handle(def, orders(0..100));
        assert_eq!(ended.log.len(), 100);
        assert_eq!(ended.log[99], "99");
        assert_eq!((ended.handled, ended.settled), (100, Some(100)));
    }
    let is_async = [on_async::DEF.is_async, on_sync::DEF.is_async];
    assert_eq!(is_async, [true, false]);
}

type Meta = EventMetadata;

#[consumes]
#[allow(clippy::too_many_arguments, reason = "one of each")]
async fn on_parameters(
    order: Order,
    by_reference: &EventMetadata,
    State(log): State<Log>,
    headers: Headers<'_>,
    Key(key): Key<&str>,
    raw: RawRecord<'_>,
    number: Option<Key<u32>>,
    by_alias: Meta,
) {
    assert_eq!(*by_reference, by_alias);
    assert_eq!(raw.metadata(), by_alias);
    let trace = String::from_utf8_lossy(headers.get("trace").unwrap()).into_owned();
    let (place, offset) = (by_alias.partition(), by_alias.offset());
    log.add(format!(
        "{} {key} {} {trace} {place} {offset}",
        order.id,
        number.unwrap().0
    ));
}

#[test]
fn parameters_come_in_any_order() {
    let given = record(r#"{"id":1}"#).key("42").header("trace", "t");
    let ended = handle(def::<on_parameters>(), [given]);
    assert_eq!(ended.log, ["1 42 42 t 3 100"]);
}

#[test]
fn a_missing_key_rejects_the_record() {
    let ended = handle(def::<on_parameters>(), orders([1]));
    let (records, failure) = ended.failure.unwrap();
    assert_eq!((records, failure.kind()), (1, FailureKind::Rejected));
    assert!(failure.message().contains("has no key"), "{failure:?}");
}

#[derive(Deserialize, JsonSchema)]
struct Line<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[consumes]
fn on_borrowed(line: Line<'_>, State(log): State<Log>) {
    log.add(format!(
        "{} {}",
        line.text,
        matches!(line.text, Cow::Borrowed(_))
    ));
}

#[consumes]
async fn on_slice(bytes: &[u8], State(log): State<Log>) {
    log.add(format!("{bytes:?}"));
}

#[consumes]
async fn on_bytes(bytes: Bytes, State(log): State<Log>) {
    log.add(format!("{bytes:?}"));
}

#[test]
fn payloads_borrow_from_the_record() {
    let ended = handle(def::<on_borrowed>(), [record(r#"{"text":"abc"}"#)]);
    assert_eq!(ended.log, ["abc true"]);
    assert_eq!(handle(def::<on_slice>(), [record([1, 2])]).log, ["[1, 2]"]);
    assert_eq!(handle(def::<on_bytes>(), [record("ab")]).log, [r#"b"ab""#]);
    assert_eq!(on_slice::DEF.content_type, "application/octet-stream");
    assert_eq!(on_borrowed::DEF.content_type, "application/json");
}

#[consumes]
async fn on_text(text: &str, State(log): State<Log>) {
    log.add(text.to_owned());
}

#[test]
fn a_borrowed_string_with_an_escape_is_a_rejection_that_says_what_to_take() {
    let given = [record(r#""ab""#), record(r#""a\nb""#)];
    let ended = handle(def::<on_text>(), given);
    assert_eq!(ended.log, ["ab"]);
    let failure = ended.failure.unwrap().1;
    assert!(
        failure.message().contains("take `String` or `Cow<str>`"),
        "{failure:?}"
    );
}

#[consumes]
async fn on_nullable(order: Option<Order>, State(log): State<Log>) {
    log.add(order.map_or("none".into(), |order| order.id.to_string()));
}

#[test]
fn a_tombstone_is_none_and_without_option_a_rejection() {
    let given = || orders([1]).chain([tombstone()]);
    assert_eq!(handle(def::<on_nullable>(), given()).log, ["1", "none"]);
    let ended = handle(def::<on_async>(), given());
    assert_eq!(ended.handled, 1);
    assert!(ended.failure.unwrap().1.message().contains("tombstone"));
}

type Orders = Vec<Order>;

#[consumes(batch)]
async fn on_batch(orders: Orders, metas: Vec<EventMetadata>, State(log): State<Log>) {
    let ids: Vec<_> = orders.iter().map(|order| order.id).collect();
    log.add(format!("{ids:?} at {}", metas.last().unwrap().offset()));
}

#[test]
fn a_vec_is_a_batch_also_through_an_alias() {
    let ended = handle(def::<on_batch>(), orders([1, 2, 3]));
    assert!(def::<on_batch>().batch && def::<on_batch_that_fails>().batch);
    assert_eq!(ended.log, ["[1, 2, 3] at 102"]);
    assert_eq!((ended.handled, ended.settled), (3, Some(3)));
}

#[consumes(topic = "orders")]
async fn on_nullable_batch(
    orders: Vec<Option<Order>>,
    metas: Vec<EventMetadata>,
    State(log): State<Log>,
) {
    let ids = orders.iter().map(|order| order.as_ref().map(|o| o.id));
    log.add(format!("{:?} at {}", ids.collect::<Vec<_>>(), metas.len()));
}

#[test]
fn a_batch_of_options_takes_tombstones() {
    let def = def::<on_nullable_batch>();
    assert!(def.batch && def.tombstones);
    let given = orders([1]).chain([tombstone()]).chain(orders([2]));
    let ended = handle(def, given);
    assert_eq!(ended.log, ["[Some(1), None, Some(2)] at 3"]);
    assert_eq!((ended.handled, ended.settled), (3, Some(3)));
    // The payload `null` is JSON, and no tombstone.
    let ended = handle(def, orders([1]).chain([record("null")]));
    assert_eq!((ended.handled, ended.log.len()), (1, 1));
}

#[test]
fn a_batch_ends_before_a_record_that_does_not_decode() {
    let given = orders([1, 2]).chain([record("no")]).chain(orders([4]));
    let ended = handle(def::<on_batch>(), given);
    assert_eq!(ended.log, ["[1, 2] at 101"]);
    let (records, failure) = ended.failure.unwrap();
    assert_eq!(
        (ended.handled, records, failure.kind()),
        (2, 1, FailureKind::Rejected)
    );
    assert_eq!(ended.settled, Some(2));
}

#[test]
fn in_single_mode_a_batch_is_handed_over_one_by_one() {
    let ended = handle_singly(def::<on_batch>(), orders([1, 2]));
    assert_eq!(ended.log, ["[1] at 100", "[2] at 101"]);
}

#[consumes]
async fn on_batch_that_fails(orders: Vec<Order>) -> Result<(), BatchFailure> {
    match orders.iter().position(|order| order.id == 13) {
        Some(at) => Err(BatchFailure::at(at, OrderError(13))),
        None => Ok(()),
    }
}

#[consumes]
async fn on_batch_that_fails_as_a_whole(orders: Vec<Order>) -> Result<(), OrderError> {
    Err(OrderError(orders[0].id))
}

#[test]
fn a_batch_failure_settles_what_stands_before_it() {
    let ended = handle(def::<on_batch_that_fails>(), orders([1, 2, 13, 4]));
    assert_eq!((ended.handled, ended.settled), (2, Some(2)));
    assert_eq!(ended.failure.unwrap().0, 1);
    let ended = handle(def::<on_batch_that_fails>(), orders([13, 2, 3]));
    assert_eq!((ended.handled, ended.settled), (0, Some(0)));
    assert_eq!(ended.failure.unwrap().0, 1, "the first alone");
    let ended = handle(def::<on_batch_that_fails_as_a_whole>(), orders([1, 2, 3]));
    assert_eq!((ended.handled, ended.settled), (0, Some(0)));
    assert_eq!(ended.failure.unwrap().0, 3);
}

type Outcome<T> = Result<T, OrderError>;

#[consumes]
async fn on_failing(order: Order, State(log): State<Log>) -> Outcome<()> {
    log.add(order.id.to_string());
    if order.id == 2 {
        Err(OrderError(2))
    } else {
        Ok(())
    }
}

#[test]
fn an_error_ends_the_run_at_its_record_and_is_kept() {
    let ended = handle(def::<on_failing>(), orders([0, 1, 2, 3]));
    assert_eq!(ended.log, ["0", "1", "2"]);
    assert_eq!((ended.handled, ended.settled), (2, Some(2)));
    let (records, failure) = ended.failure.unwrap();
    assert_eq!(
        (records, failure.kind()),
        (1, FailureKind::Retry { after: None })
    );
    assert_eq!(
        failure.error().unwrap().downcast_ref(),
        Some(&OrderError(2))
    );
}

fn is_final(error: &OrderError) -> bool {
    error.0 == 1
}

#[consumes(reject_if = is_final, retry_if = |error| error.0 == 2)]
async fn on_judged(order: Order) -> Result<(), OrderError> {
    Err(OrderError(order.id))
}

#[consumes]
async fn on_failure_returned(order: Order) -> Result<(), Failure> {
    Err(Failure::reject(order.id))
}

#[consumes]
async fn on_text_error(_order: Order) -> Result<(), &'static str> {
    Err("no")
}

#[test]
fn judges_and_failures_say_what_follows() {
    let kind = |def, id| handle(def, orders([id])).failure.unwrap().1.kind();
    assert_eq!(kind(def::<on_judged>(), 1), FailureKind::Rejected);
    assert_eq!(
        kind(def::<on_judged>(), 2),
        FailureKind::Transient { after: None }
    );
    assert_eq!(
        kind(def::<on_judged>(), 3),
        FailureKind::Retry { after: None }
    );
    assert_eq!(kind(def::<on_failure_returned>(), 1), FailureKind::Rejected);
    assert_eq!(
        kind(def::<on_text_error>(), 1),
        FailureKind::Retry { after: None }
    );
}

#[derive(Debug, JsonSchema, PartialEq)]
struct Degrees(i32);

fn from_bytes(bytes: &[u8]) -> Result<Degrees, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    text.parse()
        .map(Degrees)
        .map_err(|e| format!("{text}: {e}"))
}

fn from_record(record: &RawRecord<'_>) -> Result<Degrees, String> {
    let Degrees(n) = from_bytes(record.payload().unwrap_or_default())?;
    Ok(Degrees(if record.headers().get("unit") == Some(b"F") {
        (n - 32) * 5 / 9
    } else {
        n
    }))
}

#[consumes(decoder = from_bytes)]
async fn on_decoded(degrees: Degrees, State(log): State<Log>) {
    log.add(degrees.0.to_string());
}

#[consumes(decoder = from_record)]
async fn on_decoded_by_record(degrees: Vec<Degrees>, State(log): State<Log>) {
    log.add(format!("{degrees:?}"));
}

#[test]
fn a_decoder_takes_bytes_or_the_record() {
    let ended = handle(def::<on_decoded>(), [record("7"), record("x")]);
    assert_eq!(ended.log, ["7"]);
    let (_, failure) = ended.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::Rejected);
    assert_eq!(failure.message(), "x: invalid digit found in string");
    let given = [record("212").header("unit", "F"), record("7")];
    let ended = handle(def::<on_decoded_by_record>(), given);
    assert_eq!(ended.log, ["[Degrees(100), Degrees(7)]"]);
}

#[derive(Debug)]
struct Customer(u32);

fn customer(key: &[u8]) -> Result<Customer, String> {
    let text = std::str::from_utf8(key).map_err(|e| e.to_string())?;
    let digits = text.strip_prefix("customer-").ok_or("not a customer")?;
    digits.parse().map(Customer).map_err(|e| format!("{e}"))
}

#[consumes(key_decoder = customer)]
async fn on_customers(
    _order: Order,
    State(log): State<Log>,
    key: Option<Key<Customer>>,
    meta: &EventMetadata,
) {
    log.add(format!("{:?} {}", key.map(|key| key.0.0), meta.offset()));
}

#[test]
fn a_key_decoder_makes_keys_and_leaves_other_parameters_alone() {
    let given = |key| record(r#"{"id":1}"#).key(key);
    let ended = handle(
        def::<on_customers>(),
        [given("customer-7"), record(r#"{"id":1}"#), given("x")],
    );
    assert_eq!(ended.log, ["Some(7) 100", "None 101"]);
    assert_eq!(ended.failure.unwrap().1.message(), "not a customer");
    let mut states = Vec::new();
    (on_customers::DEF.requires)(&mut |id, _| states.push(id));
    assert_eq!(states, [std::any::TypeId::of::<Log>()]);
}

#[consumes]
async fn on_panic(order: Order) {
    assert!(order.id != 2, "two is too much");
}

#[test]
fn a_panic_names_its_record() {
    let ended = handle(def::<on_panic>(), orders([0, 1, 2, 3]));
    let (at, text) = ended.panic.unwrap();
    assert_eq!((at, &*text), (2, "two is too much"));
    assert_eq!(ended.settled, Some(2));
}

#[consumes(enable_auto_commit = false)]
async fn on_ack(order: Order, ack: Ack) {
    match order.id {
        0 => ack.ack().unwrap(),
        // The record waits for as long as the process lives.
        1 => std::mem::forget(ack),
        _ => ack.fail("not stored").unwrap(),
    }
}

#[test]
fn an_ack_settles_instead_of_the_return() {
    let settles = [
        on_ack::DEF.settles,
        on_async::DEF.settles,
        on_customers::DEF.settles,
    ];
    assert_eq!(settles, [true, false, false]);
    assert_eq!(handle(def::<on_ack>(), orders([0, 0])).settled, Some(2));
    assert_eq!(handle(def::<on_ack>(), orders([0, 2])).settled, Some(1));
    assert_eq!(handle(def::<on_ack>(), orders([0, 1])).settled, None);
}

struct Tenant(String);

impl<'r, S: PerRecord> FromContext<'r, S> for Tenant {
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        let headers = cx.record().headers();
        let tenant = headers
            .get("tenant")
            .ok_or_else(|| Rejection::new("no `tenant` header"))?;
        Ok(Tenant(String::from_utf8_lossy(tenant).into_owned()))
    }
}

#[consumes]
async fn on_tenants(_order: Order, tenant: Tenant, State(log): State<Log>) {
    log.add(tenant.0);
}

#[test]
fn own_extractors_work() {
    let ended = handle(
        def::<on_tenants>(),
        [
            record(r#"{"id":1}"#).header("tenant", "a"),
            record(r#"{"id":2}"#),
        ],
    );
    assert_eq!(ended.log, ["a"]);
    assert_eq!(ended.failure.unwrap().1.message(), "no `tenant` header");
}
