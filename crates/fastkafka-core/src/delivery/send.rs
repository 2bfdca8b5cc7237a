//! The way of a producer's records to the sink.

use super::ambient::{Ambient, excuse, give_up, in_scope, target};
use super::error::ProduceError;
use super::failure::{Failure, Rejection};
use super::sink::{OutRecord, unwritable};
use super::slot::{Collecting, DeliveryScope, DeliveryToken};
use crate::function::probe::emit::{Emit, Outgoing};
use crate::function::producer::Producer;
use std::any::TypeId;
use std::cell::RefCell;
use std::task::Poll;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Sends one record, the first of its call or one of the rest. It is charged to `own`, or to the record in hand.
fn send<P: Producer>(
    own: Option<&Collecting>,
    out: Outgoing<'_, P::Payload, P::Key>,
    rest: &mut bool,
) -> Result<(), ProduceError> {
    let sent = BUFFER.with(|buffer| match buffer.try_borrow_mut() {
        Ok(mut buffer) => encode_and_enqueue::<P>(own, &out, *rest, &mut buffer),
        // The `Serialize` of a payload calls a producer: the buffer is in use.
        Err(_) => encode_and_enqueue::<P>(own, &out, *rest, &mut Vec::new()),
    });
    match &sent {
        Err(error) if error.is_permanent() => give_up(),
        Err(error) if error.is_transient() => excuse(),
        _ => {}
    }
    *rest = true;
    sent
}

fn encode_and_enqueue<P: Producer>(
    own: Option<&Collecting>,
    out: &Outgoing<'_, P::Payload, P::Key>,
    rest: bool,
    buffer: &mut Vec<u8>,
) -> Result<(), ProduceError> {
    let not_encoded = |rejection: Rejection| ProduceError::Encode {
        producer: P::DEF.name,
        reason: rejection.to_string(),
    };
    if let Some(why) = unwritable(out.partition, out.timestamp) {
        return Err(not_encoded(Rejection::new(why)));
    }
    buffer.clear();
    if let Some(message) = out.message {
        P::encode(message, buffer).map_err(not_encoded)?;
    }
    let key = out
        .key
        .map(P::encode_key)
        .transpose()
        .map_err(not_encoded)?;
    target(TypeId::of::<P::App>(), P::DEF.name, |app, ambient| {
        if app.is_disconnected() {
            return Err(ProduceError::NoApp {
                producer: P::DEF.name,
            });
        }
        let sink = app.sink().ok_or(ProduceError::NotConnected {
            producer: P::DEF.name,
        })?;
        if own.is_none() && sink.is_unacknowledged(const { &P::DEF }) {
            return Err(ProduceError::Unacknowledged {
                producer: P::DEF.name,
            });
        }
        let record = OutRecord {
            producer: Some(const { &P::DEF }),
            cluster: None,
            topic: out.topic.unwrap_or(P::DEF.topic),
            partition: out.partition,
            payload: out.message.is_some().then_some(&**buffer),
            key: key.as_deref(),
            headers: out.headers,
            timestamp: out.timestamp,
            rest,
        };
        let token = token::<P>(own, ambient)?;
        let sent = sink.enqueue(record, token);
        if let Some(interceptor) = app.interceptor() {
            interceptor.produced(const { &P::DEF }, &record, sent.as_ref().err());
        }
        sent
    })
}

fn token<P: Producer>(
    own: Option<&Collecting>,
    ambient: &Ambient,
) -> Result<DeliveryToken, ProduceError> {
    match own {
        Some(scope) => Ok(scope.token(0)),
        None => ambient.token().ok_or(ProduceError::NoScope {
            producer: P::DEF.name,
        }),
    }
}

/// The end of a sync producer: sends what the function returned.
///
/// # Errors
/// When a record was not taken; outside any scope, [`ProduceError::NoScope`].
#[inline]
pub fn emit<P: Producer>(returned: Option<&P::Returned>) -> Result<(), ProduceError> {
    match returned {
        Some(value) => {
            let mut rest = false;
            value.each(&mut |out| send::<P>(None, out, &mut rest))
        }
        // The function failed: there is nothing to send.
        None => Ok(()),
    }
}

/// Waits while the send queue is full: one atomic load when it is not.
#[inline]
pub async fn room<P: Producer>() {
    std::future::poll_fn(|cx| {
        let polled = target(TypeId::of::<P::App>(), P::DEF.name, |app, _| {
            let sink = app.sink().filter(|_| !app.is_disconnected());
            Ok(sink.map_or(Poll::Ready(()), |sink| sink.poll_room(cx)))
        });
        // Without an app there is nothing to wait for; `emit_open` says so.
        polled.unwrap_or(Poll::Ready(()))
    })
    .await;
}

/// The reports that an async call outside any scope waits for.
#[derive(Debug)]
#[must_use = "the records are not known to be delivered"]
pub struct Waiting(Option<Collecting>);

impl Waiting {
    /// Inside a scope at once; outside it when the reports have come.
    ///
    /// # Errors
    /// When a record was not acknowledged.
    #[inline]
    pub async fn reports(self) -> Result<(), ProduceError> {
        match self.0 {
            Some(scope) => scope
                .reports()
                .await
                .map(drop)
                .map_err(Failure::into_produce_error),
            None => Ok(()),
        }
    }
}

/// The end of an async producer: sends what the function returned. Inside a scope charged to the
/// record at hand, outside to a scope of its own.
///
/// # Errors
/// When a record was not taken.
#[inline]
pub fn emit_open<P: Producer>(returned: Option<&P::Returned>) -> Result<Waiting, ProduceError> {
    let Some(value) = returned else {
        return Ok(Waiting(None));
    };
    let own = (!in_scope()).then(DeliveryScope::collecting);
    let mut rest = false;
    value.each(&mut |out| send::<P>(own.as_ref(), out, &mut rest))?;
    Ok(Waiting(own))
}
