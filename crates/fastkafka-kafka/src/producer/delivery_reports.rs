//! The reports of a producer's client: the fate of each record, and the client's own errors.

use crate::client_context::{Context, ErrorHandler};
use crate::error::{is_of_others, is_permanent};
use crate::ffi::Opaque;
use crate::lock::lock;
use crate::names::ClusterNames;
use crate::producer::in_flight::InFlight;
use crate::producer::partitioner::Function;
use crate::producer::watch::Watch;
use fastkafka_core::{Delivery, DeliveryToken, Failure, ProduceError};
use fastkafka_runtime::platform::ClientError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::producer::{BaseProducer, DeliveryResult, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often the log says again that no broker is reached.
const REMIND: Duration = Duration::from_secs(60);

pub(crate) struct Reports {
    /// Shared by the clients of an app.
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) names: ClusterNames,
    /// When the log last said that no broker is reached, which librdkafka says many times a second.
    pub(crate) unreachable: Mutex<Option<Instant>>,
    pub(crate) partitioner: Option<Function>,
    pub(crate) follower: Box<dyn Follower>,
}

/// Whoever follows the records of a client on their way.
pub(crate) trait Follower: Send + Sync {
    /// The broker has written one, which the token keeps open.
    fn written(&self, message: &BorrowedMessage<'_>, names: &ClusterNames, token: &DeliveryToken);

    /// One of so many bytes is lost. `None` when it is still on its way: another report of it comes then.
    fn lost(
        &self,
        message: &BorrowedMessage<'_>,
        names: &ClusterNames,
        why: (RDKafkaErrorCode, usize),
        token: DeliveryToken,
    ) -> Option<DeliveryToken>;
}

pub(crate) type Producer = BaseProducer<Context<Reports>, Function>;

impl ErrorHandler for Reports {
    fn handle(&self, error: ClientError) {
        self.watch.error(&error);
        if !error.is_unreachable() || self.is_time_to_remind() {
            tracing::warn!("producer{}: {error}", self.names);
        }
    }
}

impl Reports {
    fn is_time_to_remind(&self) -> bool {
        let mut last = lock(&self.unreachable);
        let due = last.is_none_or(|last| last.elapsed() >= REMIND);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

impl ProducerContext<Function> for Context<Reports> {
    type DeliveryOpaque = Opaque;

    fn get_custom_partitioner(&self) -> Option<&Function> {
        self.events.partitioner.as_ref()
    }

    fn delivery(&self, result: &DeliveryResult<'_>, Opaque(token): Opaque) {
        let (Ok(message) | Err((_, message))) = result;
        let bytes = length(message);
        match result {
            Ok(message) => {
                let place = || {
                    (
                        self.events.names.topic(message.topic()),
                        message.partition(),
                    )
                };
                self.events.watch.acknowledged(place);
                self.events
                    .follower
                    .written(message, &self.events.names, &token);
                token.ack(|| {
                    let topic = self.events.names.topic(message.topic());
                    Delivery::new(topic, message.partition(), message.offset())
                });
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code();
                let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
                let topic = self.events.names.topic(message.topic());
                let names = &self.events.names;
                let why = (code, bytes);
                let Some(token) = self.events.follower.lost(message, names, why, token) else {
                    return;
                };
                self.events.watch.lost();
                if code == RDKafkaErrorCode::MessageTimedOut {
                    let watch = &self.events.watch;
                    watch.late(topic, message.partition(), &code.to_string());
                }
                let error = match code {
                    // It has waited for the login in vain.
                    RDKafkaErrorCode::MessageTimedOut if self.events.watch.is_login_refused() => {
                        unavailable(topic, code)
                    }
                    code => not_delivered(topic, code),
                };
                token.fail(Failure::from(error));
            }
        }
        // Last: who waits for "nothing on its way" also waits for what the token set off.
        self.events.in_flight.leave(bytes);
    }
}

/// What a record counts as while it is on its way.
fn length(message: &BorrowedMessage<'_>) -> usize {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let headers = headers.map(|header| (header.key.len(), header.value.map_or(0, <[u8]>::len)));
    let headers: usize = headers.map(|(name, value)| name + value).sum();
    message.payload_len() + message.key_len() + headers
}

pub(crate) fn not_delivered(topic: &str, code: RDKafkaErrorCode) -> ProduceError {
    let (topic, reason) = (topic.to_owned(), code.to_string());
    match code {
        // Given up with its client, or sent through one that has ended.
        RDKafkaErrorCode::Fatal
        | RDKafkaErrorCode::PurgeQueue
        | RDKafkaErrorCode::PurgeInflight => ProduceError::ClientEnded { topic, reason },
        RDKafkaErrorCode::MessageSizeTooLarge
        | RDKafkaErrorCode::MessageBatchTooLarge
        | RDKafkaErrorCode::InvalidMessageSize => ProduceError::TooLarge { topic, reason },
        code if is_of_others(code) => unavailable(&topic, code),
        code => ProduceError::NotDelivered {
            topic,
            reason,
            permanent: is_permanent(code),
        },
    }
}

/// Of a record that is not at fault.
fn unavailable(topic: &str, code: RDKafkaErrorCode) -> ProduceError {
    ProduceError::Unavailable {
        topic: topic.to_owned(),
        reason: code.to_string(),
    }
}
