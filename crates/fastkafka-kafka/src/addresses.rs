//! The configured addresses, for a client that has lost all others.
//!
//! librdkafka drops each broker that an answer about the cluster leaves out, those that were configured as well.
//! A cluster whose only broker is fenced, as one that was frozen is for an instant when it goes on, answers with
//! topics and no broker. Then the client has nobody to ask. It would begin again with the configured addresses, and
//! the end of the same answer takes that back if the last connection has ended by then: it asks nobody for ever
//! (decision 48).

use crate::ffi;
use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use std::ffi::CString;

/// The configured addresses of a client.
pub(crate) struct Addresses(CString);

impl Addresses {
    /// Those of this configuration.
    pub(crate) fn new(config: &ClientConfig) -> Self {
        let all = config.get("bootstrap.servers").unwrap_or_default();
        // No client is made with a zero byte in them.
        Self(CString::new(all).unwrap_or_default())
    }

    /// Tells the client those that it does not know. It begins to connect when it has a question.
    pub(crate) fn begin_again<C: ClientContext>(&self, client: &Client<C>) {
        ffi::add_brokers(client.native_ptr(), &self.0);
    }
}
