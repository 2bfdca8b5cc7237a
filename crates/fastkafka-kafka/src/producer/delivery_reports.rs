//! The reports of a producer's client: the fate of each record, and the client's own errors.

use crate::client_context::{Context, ErrorHandler};
use crate::error::is_permanent;
use crate::ffi::Opaque;
use crate::lock::lock;
use crate::names::ClusterNames;
use crate::producer::in_flight::InFlight;
use crate::producer::partitioner::Function;
use fastkafka_core::{Delivery, Failure, FailureKind, ProduceError};
use fastkafka_runtime::platform::ClientError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, DeliveryResult, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How often the log says again that no broker is reached.
const REMIND: Duration = Duration::from_secs(60);

/// Shared by the clients of an app.
pub(crate) struct Shared {
    pub(crate) in_flight: InFlight,
    pub(crate) fatal: OnceLock<ClientError>,
}

pub(crate) struct Reports {
    pub(crate) shared: Arc<Shared>,
    pub(crate) names: ClusterNames,
    /// When the log last said that no broker is reached, which librdkafka says many times a second.
    pub(crate) unreachable: Mutex<Option<Instant>>,
    pub(crate) partitioner: Option<Function>,
}

pub(crate) type Producer = BaseProducer<Context<Reports>, Function>;

impl ErrorHandler for Reports {
    fn handle(&self, error: ClientError) {
        if error.is_fatal() {
            tracing::error!("a producer{} cannot go on: {error}", self.names);
            // The first one is the cause of the others.
            let _ = self.shared.fatal.set(error);
            self.shared.in_flight.wake_drivers();
        } else if !error.is_unreachable() || self.is_time_to_remind() {
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
        let bytes = message.payload_len() + message.key_len();
        match result {
            Ok(message) => {
                token.ack(|| {
                    let topic = self.events.names.topic(message.topic());
                    Delivery::new(topic, message.partition(), message.offset())
                });
            }
            Err((error, message)) => {
                let code = error.rdkafka_error_code();
                let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
                let topic = self.events.names.topic(message.topic());
                token.fail(failure(not_delivered(topic, code)));
            }
        }
        // Last: who waits for "nothing on its way" also waits for what the token set off.
        self.events.shared.in_flight.leave(bytes);
    }
}

pub(crate) fn not_delivered(topic: &str, code: RDKafkaErrorCode) -> ProduceError {
    ProduceError::NotDelivered {
        topic: topic.to_owned(),
        reason: code.to_string(),
        permanent: is_permanent(code),
    }
}

pub(crate) fn failure(error: ProduceError) -> Failure {
    let permanent = error.is_permanent();
    let failure = Failure::from_error(error);
    if permanent {
        failure.with_kind(FailureKind::Rejected)
    } else {
        failure
    }
}
