//! Errors of a producer's call.

/// The reason why a `#[produces]` call did not send.
///
/// A producer returns `Result<_, E>` with `E: From<ProduceError>`.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProduceError {
    /// No app runs that has the producer. That of a handler may have ended without it.
    #[error(
        "producer `{producer}` cannot send, for its app is not running: it has ended, or was not started; call it between `start` and `stop`"
    )]
    NoApp {
        /// The producer.
        producer: &'static str,
    },
    /// Several apps run that have the producer.
    #[error(
        "producer `{producer}` was called outside a handler while {running} apps with it are running; enter one with `app.enter()`"
    )]
    AmbiguousApp {
        /// The producer.
        producer: &'static str,
        /// The number of apps.
        running: usize,
    },
    /// The app has not been started.
    #[error("producer `{producer}` was called before its app was started")]
    NotConnected {
        /// The producer.
        producer: &'static str,
    },
    /// A sync producer was called where nothing waits for its report. Nothing was sent.
    #[error(
        "producer `{producer}` is sync and was called outside a handler, where nothing waits for its delivery; make it an `async fn` or call it inside `delivery_scope(async {{ .. }})`"
    )]
    NoScope {
        /// The producer.
        producer: &'static str,
    },
    /// The send queue is full. Only sync producers meet it; async ones wait.
    #[error(
        "producer `{producer}`: the send queue is full; make it an `async fn`, which waits for room"
    )]
    QueueFull {
        /// The producer.
        producer: &'static str,
    },
    /// A producer with `acks = 0` was called where the delivery is waited for. Nothing was sent.
    #[error(
        "producer `{producer}` has `acks = 0`, so nothing can wait for its records; call it outside handlers and delivery scopes, or remove `acks`"
    )]
    Unacknowledged {
        /// The producer.
        producer: &'static str,
    },
    /// The value could not be written.
    #[error("producer `{producer}` cannot encode its record: {reason}")]
    Encode {
        /// The producer.
        producer: &'static str,
        /// The reason.
        reason: String,
    },
    /// The client refused the record, or the broker did not acknowledge it.
    #[error("a record for topic `{topic}` was not delivered: {reason}")]
    NotDelivered {
        /// The topic.
        topic: String,
        /// The reason, in librdkafka's words.
        reason: String,
        /// No repetition can help: not authorised, unknown topic.
        permanent: bool,
    },
    /// The client, or the topic, does not take a record of this size.
    #[error("a record for topic `{topic}` was not delivered: it is too large: {reason}")]
    TooLarge {
        /// The topic.
        topic: String,
        /// The reason, in librdkafka's words.
        reason: String,
    },
    /// The client of the producer has ended, with the app or by an error of its own. In the latter case another
    /// takes its place.
    #[error(
        "a record for topic `{topic}` was not delivered: the client of its producer has ended: {reason}"
    )]
    ClientEnded {
        /// The topic.
        topic: String,
        /// The reason, in librdkafka's words.
        reason: String,
    },
    /// The cluster, the login or the client is at fault and not the record: it may be sent when that is over.
    #[error("a record for topic `{topic}` was not delivered, which is not its fault: {reason}")]
    Unavailable {
        /// The topic.
        topic: String,
        /// The reason, in librdkafka's words.
        reason: String,
    },
    /// A [`delivery_scope`](crate::delivery_scope) lost a record.
    #[error("{0}")]
    Lost(String),
}

impl ProduceError {
    /// Sending the same again cannot succeed.
    pub fn is_permanent(&self) -> bool {
        matches!(
            self,
            Self::Encode { .. }
                | Self::Unacknowledged { .. }
                | Self::TooLarge { .. }
                | Self::NotDelivered {
                    permanent: true,
                    ..
                }
        )
    }

    /// It is not the record's fault, and passes by itself: a handler that returns it has not used up an
    /// attempt.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::ClientEnded { .. } | Self::Unavailable { .. })
    }
}
