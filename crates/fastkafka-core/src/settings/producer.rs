//! The settings of a producer.

use super::table::settings_of_a_client;
use super::{Acks, Brokers, CompressionType, Partitioner, Properties, Text};

settings_of_a_client! {
    /// Everything `#[produces(..)]` can set.
    ProducerSettings {
        /// The time that a record waits for others to share a request; default 5.
        [client] linger_ms: u64 = "5",
        /// The time that a record may take from enqueue to acknowledgement; default 60,000.
        [client] delivery_timeout_ms: u64 = "60000",
        /// The largest record, in bytes; default 1,000,000.
        [client] max_request_size: u32 = "1000000",
        /// The client's name, for the broker's logs and quotas; default the app's.
        [client] client_id: Text = "the app's client id",
        /// `request.timeout.ms`: how long the broker may wait for its replicas; default 30,000.
        [client] request_timeout_ms: u64 = "30000",
        /// `retry.backoff.ms`: the first wait before a failed request is repeated; default 100.
        [client] retry_backoff_ms: u64 = "100",
        /// `connections.max.idle.ms`: after so long without traffic a connection is closed; default 0, never.
        [client] connections_max_idle_ms: u64 = "0",
        /// `topic.metadata.refresh.interval.ms`: how often new partitions are looked for; default 300,000.
        [client] metadata_max_age_ms: u64 = "300000",
        /// The replicas that must have a record before it counts as delivered; default [`Acks::All`].
        [client] acks: Acks = "all",
        /// `enable.idempotence`: repeated requests write a record once and in order; default true, false with
        /// `acks` 0 or 1.
        [client] enable_idempotence: bool = "true",
        /// `compression.type`; default [`CompressionType::None`].
        [client] compression_type: CompressionType = "none",
        /// `batch.size`: most bytes of one batch; default 1,000,000.
        [client] max_batch_size: u32 = "1000000",
        /// The choice of a record's partition; default [`Partitioner::Murmur2Random`].
        [client] partitioner: Partitioner = "murmur2_random",
        /// Properties of librdkafka that have no key; default none.
        [client] config: Properties = "none",
        /// The cluster, where it is not the app's own: a function that makes [`Brokers`]. Not with
        /// `bootstrap_servers`.
        [client] brokers: Brokers = "the app's own",
    }
}
