//! What the client of a group has to say, kept until its owner asks.
//!
//! A rebalance is only noted here: the owner answers when it has drained, and the broker waits.

use crate::error::client_error;
use crate::log;
use crate::names::ClusterNames;
use crate::tokens::Current;
use fastkafka_runtime::platform::{Notice, PartitionRef};
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{ClientContext, TopicPartitionList};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What callbacks and the helper thread have to say, until the owner's next poll.
#[derive(Default)]
pub(crate) struct Heard {
    notices: Mutex<Vec<Notice>>,
    names: ClusterNames,
    /// The client is being destroyed.
    closed: AtomicBool,
}

impl Heard {
    pub(crate) fn new(names: ClusterNames) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    pub(crate) fn add(&self, notice: Notice) {
        self.notices().push(notice);
    }

    pub(crate) fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut self.notices())
    }

    /// From here on nobody listens: rebalances are answered at once.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn notices(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Context {
    pub(crate) heard: Arc<Heard>,
    pub(crate) token: Option<Arc<Current>>,
}

pub(crate) type Group = BaseConsumer<Context>;

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let token = self.token.as_ref().ok_or("no provider of tokens")?;
        Ok(token.token()?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
        self.heard.add(Notice::Error(client_error(code, reason)));
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, group: &Group, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.heard.closed.load(Ordering::Acquire) {
            // The owner is gone, and librdkafka takes this for any answer while it closes.
            let _ = group.unassign();
            return;
        }
        let places = places(list, &self.heard.names);
        self.heard.add(match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Notice::Assign(places),
            _ => Notice::Revoke {
                places,
                lost: false, // Asked when the owner hears of it.
            },
        });
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        let elements = offsets.elements();
        let refused = elements.iter().find_map(|element| {
            let error = element.error().err()?;
            Some(format!(
                "{}[{}]: {error}",
                element.topic(),
                element.partition()
            ))
        });
        let result = match (result, refused) {
            // There was nothing to commit.
            (Err(e), _) if e.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => return,
            (_, Some(refused)) => Err(refused),
            (Err(e), None) => Err(e.to_string()),
            (Ok(()), None) => Ok(()),
        };
        self.heard.add(Notice::Committed(result));
    }
}

fn places(list: &TopicPartitionList, names: &ClusterNames) -> Vec<PartitionRef> {
    let elements = list.elements();
    let place = elements
        .iter()
        .map(|e| names.place(e.topic(), e.partition()));
    place.collect()
}
