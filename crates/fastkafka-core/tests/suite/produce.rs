//! The records that a call of a producer sends.

use crate::support::{Sent, block_on, connected};
use fastkafka::*;
use fastkafka_macros::produces;

/// A payload.
#[derive(Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
}

/// Each test has an app type of its own: calls outside handlers look for the one that runs.
macro_rules! apps {
    ($($app:ident),*) => { $(struct $app;)* };
}
apps!(
    One,
    Events,
    Several,
    Raw,
    Encoded,
    Outside,
    Failing,
    Unacknowledged,
    Unwritable,
    Stopped
);

fn sent(producer: &str, topic: &str, payload: &str) -> Sent {
    Sent {
        producer: producer.into(),
        topic: topic.into(),
        payload: Some(payload.into()),
        ..Sent::default()
    }
}

#[produces(app = One)]
async fn to_orders(Order { id }: Order, by: &u64) -> Result<Order, ProduceError> {
    Ok(Order { id: id + by })
}

#[test]
fn a_call_sends_and_returns_what_the_body_returned() {
    let (_app, outbox) = connected::<One>();
    let returned = block_on(to_orders(Order { id: 1 }, &2));
    assert_eq!(returned.unwrap(), Order { id: 3 });
    assert_eq!(outbox.take(), [sent("to_orders", "orders", r#"{"id":3}"#)]);
}

#[produces(app = Events, topic = "events")]
async fn to_events(id: u64) -> Result<KafkaEvent<Order>, ProduceError> {
    Ok(KafkaEvent::new(Order { id }).key(id).header("trace", "t"))
}

#[produces(app = Events, topic = "events")]
async fn to_gone(id: u64) -> Result<KafkaEvent<Order>, ProduceError> {
    Ok(KafkaEvent::tombstone(id))
}

#[test]
fn an_event_has_key_and_headers_and_may_be_a_tombstone() {
    let (_app, outbox) = connected::<Events>();
    block_on(to_events(7)).unwrap();
    block_on(to_gone(7)).unwrap();
    let event = Sent {
        key: Some("7".into()),
        headers: vec![("trace".into(), Some("t".into()))],
        ..sent("to_events", "events", r#"{"id":7}"#)
    };
    let gone = Sent {
        payload: None,
        key: Some("7".into()),
        ..sent("to_gone", "events", "")
    };
    assert_eq!(outbox.take(), [event, gone]);
}

type Produced<T> = Result<T, ProduceError>;

#[produces(app = Several)]
async fn to_many(n: u64) -> Produced<Vec<Order>> {
    Ok((0..n).map(|id| Order { id }).collect())
}

#[produces(app = Several)]
async fn to_maybe(id: Option<u64>) -> Produced<Option<KafkaEvent<Order>>> {
    Ok(id.map(|id| KafkaEvent::new(Order { id })))
}

#[test]
fn a_vec_sends_several_and_an_option_one_or_none() {
    let (_app, outbox) = connected::<Several>();
    block_on(to_many(3)).unwrap();
    assert_eq!(outbox.take().len(), 3);
    block_on(to_maybe(None)).unwrap();
    assert_eq!(outbox.take(), []);
    block_on(to_maybe(Some(1))).unwrap();
    assert_eq!(outbox.take(), [sent("to_maybe", "maybe", r#"{"id":1}"#)]);
}

#[produces(app = Raw)]
async fn to_bytes() -> Produced<Bytes> {
    Ok(Bytes::from_static(b"raw"))
}

#[produces(app = Raw, encoder = "bytes")]
async fn to_text() -> Produced<String> {
    Ok("text".into())
}

#[produces(app = Raw)]
async fn to_json() -> Produced<String> {
    Ok("text".into())
}

#[test]
fn bytes_are_sent_as_they_are() {
    let (_app, outbox) = connected::<Raw>();
    block_on(to_bytes()).unwrap();
    block_on(to_text()).unwrap();
    block_on(to_json()).unwrap();
    let payloads: Vec<_> = outbox
        .take()
        .into_iter()
        .map(|sent| sent.payload.unwrap())
        .collect();
    assert_eq!(payloads, ["raw", "text", r#""text""#]);
    assert_eq!(to_bytes::DEF.content_type, "application/octet-stream");
    assert_eq!(to_json::DEF.content_type, "application/json");
}

#[derive(schemars::JsonSchema)]
struct Degrees(i32);
struct Room(&'static str);

fn as_text(degrees: &Degrees) -> Result<Vec<u8>, String> {
    if degrees.0 < -273 {
        return Err("too cold".into());
    }
    Ok(degrees.0.to_string().into_bytes())
}

fn room(key: &Room) -> Result<Vec<u8>, String> {
    Ok(format!("room-{}", key.0).into_bytes())
}

#[produces(app = Encoded, encoder = as_text, key_encoder = room)]
async fn to_degrees(degrees: i32) -> Produced<KafkaEvent<Degrees, Room>> {
    Ok(KafkaEvent::new(Degrees(degrees)).with_key(Room("a")))
}

#[test]
fn encoders_write_payload_and_key() {
    let (_app, outbox) = connected::<Encoded>();
    block_on(to_degrees(7)).map(drop).unwrap();
    let expected = Sent {
        key: Some("room-a".into()),
        ..sent("to_degrees", "degrees", "7")
    };
    assert_eq!(outbox.take(), [expected]);
    let error = block_on(to_degrees(-300)).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "producer `to_degrees` cannot encode its record: too cold"
    );
    assert!(outbox.take().is_empty());
}

#[produces(app = Outside)]
fn to_sync(id: u64) -> Produced<Order> {
    Ok(Order { id })
}

#[test]
fn a_sync_producer_needs_a_scope() {
    let (_app, outbox) = connected::<Outside>();
    assert!(matches!(
        to_sync(1),
        Err(ProduceError::NoScope {
            producer: "to_sync"
        })
    ));
    assert!(outbox.take().is_empty());
    let (_, deliveries) = block_on(delivery_scope(async { to_sync(1) })).unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(outbox.take(), [sent("to_sync", "sync", r#"{"id":1}"#)]);
}

#[derive(Debug)]
enum OwnError {
    Own,
    Produce(ProduceError),
}

impl From<ProduceError> for OwnError {
    fn from(error: ProduceError) -> Self {
        Self::Produce(error)
    }
}

#[produces(app = Failing)]
async fn to_failing(id: u64) -> Result<Order, OwnError> {
    if id == 0 {
        return Err(OwnError::Own);
    }
    Ok(Order { id })
}

#[test]
fn an_own_error_sends_nothing_and_a_lost_record_is_one() {
    assert!(matches!(
        block_on(to_failing(1)),
        Err(OwnError::Produce(ProduceError::NoApp { .. }))
    ));
    let (_app, outbox) = connected::<Failing>();
    assert!(matches!(block_on(to_failing(0)), Err(OwnError::Own)));
    assert!(outbox.take().is_empty());
    block_on(to_failing(1)).unwrap();
    assert_eq!(outbox.take().len(), 1);
}

#[produces(app = Unacknowledged)]
async fn to_nobody() -> Produced<Order> {
    Ok(Order { id: 1 })
}

#[test]
fn a_record_that_nobody_acknowledges_is_sent_only_where_nothing_waits_for_it() {
    let (_app, outbox) = connected::<Unacknowledged>();
    outbox.acknowledges_nothing();
    block_on(to_nobody()).unwrap();
    assert_eq!(outbox.take().len(), 1);
    let error = block_on(delivery_scope(to_nobody())).unwrap_err();
    assert!(error.is_permanent());
    assert_eq!(
        error.to_string(),
        "producer `to_nobody` has `acks = 0`, so nothing can wait for its records; \
         call it outside handlers and delivery scopes, or remove `acks`"
    );
    assert_eq!(outbox.take().len(), 0);
}

#[produces(app = Unwritable, topic = "events")]
async fn to_unwritable(timestamp: i64, partition: i32) -> Produced<KafkaEvent<Order>> {
    let event = KafkaEvent::new(Order { id: 1 });
    Ok(event.timestamp(timestamp).partition(partition))
}

/// librdkafka would write the present, and to any partition.
#[test]
fn what_clients_would_write_otherwise_is_refused() {
    let (_app, outbox) = connected::<Unwritable>();
    for (timestamp, partition, why) in [
        (0, 0, "timestamp 0 cannot be written"),
        (-1, 0, "timestamp -1 cannot be written"),
        (1, -1, "partition -1 does not exist"),
    ] {
        let error = block_on(to_unwritable(timestamp, partition)).unwrap_err();
        assert!(error.is_permanent(), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert!(outbox.take().is_empty());
    block_on(to_unwritable(1, 0)).unwrap();
    assert_eq!(outbox.take().len(), 1);
}

#[produces(app = Stopped)]
async fn to_stopped() -> Produced<Order> {
    Ok(Order { id: 1 })
}

#[test]
fn h3_an_app_that_stops_takes_no_record_of_who_has_entered_it() {
    let (app, outbox) = connected::<Stopped>();
    let _entered = enter(app.clone());
    block_on(to_stopped()).unwrap();
    assert_eq!(outbox.take().len(), 1);
    app.disconnect();
    let refused = block_on(to_stopped());
    assert!(
        matches!(refused, Err(ProduceError::NoApp { .. })),
        "{refused:?}"
    );
    assert!(outbox.take().is_empty());
}
