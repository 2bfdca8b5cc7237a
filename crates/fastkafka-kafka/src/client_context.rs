//! The part of a client's context that is the same for all: log lines, errors, and tokens.

use crate::error::{client_error, fatal};
use crate::tokens::CurrentToken;
use fastkafka_runtime::platform::ClientError;
use rdkafka::ClientContext;
use rdkafka::client::{Client, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use std::error::Error;
use std::sync::Arc;

/// Takes the errors of a client that belong to no single request.
pub(crate) trait ErrorHandler: Send + Sync {
    fn handle(&self, error: ClientError);

    /// Takes statistics. True where the user wants them as well.
    fn statistics(&self, _: &[u8]) -> bool {
        true
    }
}

/// A client's context: `events` is told of everything else.
pub(crate) struct Context<E> {
    pub(crate) events: E,
    pub(crate) token: Option<Arc<CurrentToken>>,
}

impl<E: ErrorHandler> ClientContext for Context<E> {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let token = self.token.as_ref().ok_or("no provider of tokens")?;
        Ok(token.token()?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        if self.events.statistics(statistics) {
            // Where they go without us.
            Logged.stats_raw(statistics);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
        self.events.handle(client_error(code, reason));
    }
}

/// Why librdkafka has given a client up, once it has. The event of such an error has the code of its cause,
/// so no event tells.
pub(crate) fn ended<C: ClientContext>(client: &Client<C>) -> Option<ClientError> {
    let (code, reason) = client.fatal_error()?;
    Some(fatal(format!("{code}: {reason}")))
}

/// The context of a client that has nothing to say but log lines.
pub(crate) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(target: "librdkafka", "{error}: {reason}");
    }
}

impl rdkafka::consumer::ConsumerContext for Logged {}

/// librdkafka's log lines go where the app's go.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel::*;
    match level {
        Emerg | Alert | Critical | Error => {
            tracing::error!(target: "librdkafka", "{facility}: {message}");
        }
        Warning => tracing::warn!(target: "librdkafka", "{facility}: {message}"),
        Notice | Info => tracing::info!(target: "librdkafka", "{facility}: {message}"),
        Debug => tracing::debug!(target: "librdkafka", "{facility}: {message}"),
    }
}
