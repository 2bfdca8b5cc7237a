//! The seam between the runtime and its clients: Kafka, or whatever a test puts in its place.
//!
//! A [`Platform`] makes the clients and says what serves a driver: Kafka a thread per consumer
//! ([`NewConsumer::serve_in_thread`]), a cluster in memory a task on the test's own clock
//! ([`NewConsumer::serve_in_task`]). The clients are a [`GroupConsumer`] and [`Producers`]; everything
//! between them is the same. For the crates of this workspace, not for users.

mod handle;
mod new_consumer;

use fastkafka_core::{Plan, RecordSink};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

pub use self::handle::ConsumerHandle;
pub use self::new_consumer::NewConsumer;
pub use crate::client_error::{ClientError, Lasting, Scope};
pub use crate::health::{ProblemCode, ProducerHealth};
pub use crate::mailbox::Wake;
pub use crate::side_by_side::side_by_side;
pub use crate::state::OutputState;
pub use crate::transport::{
    Absent, GroupConsumer, Notice, Offsets, PartitionRef, Silent, StartError, Starts,
};

/// The producers of an app.
pub trait Producers: RecordSink + fmt::Debug {
    /// Records handed over and not reported.
    fn in_flight(&self) -> usize;

    /// True when there is room for more. Otherwise what [`Producers::on_room`] was given is called when
    /// there is.
    fn has_room(&self) -> bool;

    /// `wake` is called when there is room again.
    fn on_room(&self, wake: Wake);

    /// Their bytes.
    fn in_flight_bytes(&self) -> u64 {
        0
    }

    /// What became of those that are reported, for each client.
    fn outputs(&self) -> Vec<OutputState> {
        Vec::new()
    }

    /// How its clients are.
    fn health(&self) -> Vec<ProducerHealth> {
        Vec::new()
    }

    /// Hurries what is on its way, from this call on. The future waits for all reports; it needs no thread of the
    /// tokio runtime, whose pool users' code may have filled.
    ///
    /// # Errors
    /// The number of records without a report by the deadline.
    fn drain(&self, deadline: Instant) -> Pin<Box<dyn Future<Output = Result<(), usize>> + Send>>;

    /// Takes nothing more, from this call on. The future ends when nothing is left of the clients.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// Makes the clients of an app, and lets its consumers be served.
pub trait Platform: fmt::Debug + Send + Sync {
    /// Makes the producers of an app. `most` bounds the records handed over and not reported.
    ///
    /// # Errors
    /// Why they cannot be made.
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String>;

    /// Makes a consumer and lets it be served.
    ///
    /// # Errors
    /// Why it cannot be made.
    fn serve(&self, wanted: NewConsumer) -> Result<ConsumerHandle, String>;

    /// The offsets after the last records of partitions of a group, as far as brokers answer within seconds. It waits for
    /// them.
    fn ends(
        &self,
        _cluster: &str,
        _group: &str,
        _places: &[PartitionRef],
    ) -> Vec<(PartitionRef, i64)> {
        Vec::new()
    }

    /// All of its clients have ended: so does what goes on in the background for them.
    fn close(&self) {}
}
