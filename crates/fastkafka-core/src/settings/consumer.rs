//! The settings of a consumer.

use super::table::settings_of_a_client;
use super::{
    Attempts, Brokers, Executor, GroupId, GroupProtocol, IsolationLevel, OffsetReset, OnFailure,
    OnTruncation, Order, Properties, Text,
};
use std::time::Duration;

settings_of_a_client! {
    /// Everything `#[consumes(..)]` can set.
    ConsumerSettings {
        /// The consumer group; default: the app's group id. [`GroupId::None`] reads without one.
        [handler] group_id: GroupId = "the app's group id",
        /// The offset at which a new group begins; default [`OffsetReset::Latest`].
        [handler] auto_offset_reset: OffsetReset = "latest",
        /// Whether the handler's return settles its record; default true. With false it takes an `Ack`.
        [handler] enable_auto_commit: bool = "true",
        /// The interval at which settled offsets are committed; default 5,000.
        [client] auto_commit_interval_ms: u64 = "5000",
        /// A member without a heartbeat for this time leaves the group; default 45,000. Not with `group_protocol = "consumer"`.
        [client] session_timeout_ms: u64 = "45000",
        /// The interval between heartbeats; default 1,000. Not with `group_protocol = "consumer"`.
        [client] heartbeat_interval_ms: u64 = "1000",
        /// The longest time between two polls; default 300,000. Handlers do not count: polling goes on beside them.
        [client] max_poll_interval_ms: u64 = "300000",
        /// The order in which records are handled; default [`Order::Partition`], [`Order::Key`] under
        /// [`Executor::Dynamic`].
        [handler] order: Order = "partition",
        /// The number of calls of the handler that run at once, over all its partitions; default 64. Only in order
        /// by key and without order.
        [handler] concurrency: u32 = "64",
        /// FastKafka's word for `order`; default none.
        [handler] executor: Executor = "",
        /// The most records of one run or batch; default 1,024, in a batch 500. Not for handlers that take one
        /// record at a time in order by key or without order: they have no runs.
        [handler] max_poll_records: u32 = "1024; in a batch 500",
        /// The time that a revoked partition may take to finish the record in hand; default 10,000.
        [client] rebalance_timeout_ms: u64 = "10000",
        /// The assignor of partitions in a classic group; default `cooperative-sticky`. Not with `group_protocol = "consumer"`.
        [client] partition_assignment_strategy: Text = "cooperative-sticky",
        /// Classic or KIP-848; default classic.
        [client] group_protocol: GroupProtocol = "classic",
        /// The number of attempts that a record has; default 10.
        [handler] attempts: Attempts = "10",
        /// The wait before the second attempt; doubles with each. Default 0.1 s.
        [handler] backoff: Duration = "100ms",
        /// The longest wait; default 30 s.
        [handler] backoff_max: Duration = "30s",
        /// The time that one call may take; default without limit. Not for sync handlers that are not `blocking`.
        [handler] handler_timeout: Duration = "none",
        /// The time without progress after which health names a record: one that its handler has had for so
        /// long, or that was handled and is still open. Default: `handler_timeout` and a second, else 30 s; for a
        /// record that is handled and open at least 30 s.
        [handler] stall_after: Duration = "handler_timeout, else 30s",
        /// The fate of a record whose attempts are used up; default [`OnFailure::Stop`]. Not with `dead_letter`.
        [handler] on_failure: OnFailure = "stop",
        /// What follows when the log of a partition was cut below the position, or its topic was made anew;
        /// default [`OnTruncation::Stop`].
        [handler] on_truncation: OnTruncation = "stop",
        /// The topic for records that used up their attempts or were rejected.
        [handler] dead_letter: Text = "none",
        /// The distance by which reading may be ahead of the committed offset, in offsets; default 100,000.
        [handler] max_uncommitted: u32 = "100000",
        /// The client's name, for the broker's logs and quotas; default the app's.
        [client] client_id: Text = "the app's client id",
        /// `socket.timeout.ms`: how long one request may take; default 60,000.
        [client] request_timeout_ms: u64 = "60000",
        /// `retry.backoff.ms`: the first wait before a failed request is repeated; default 100.
        [client] retry_backoff_ms: u64 = "100",
        /// `connections.max.idle.ms`: after so long without traffic a connection is closed; default 0, never.
        [client] connections_max_idle_ms: u64 = "0",
        /// `topic.metadata.refresh.interval.ms`: how often new partitions and topics are looked for; default 300,000.
        [client] metadata_max_age_ms: u64 = "300000",
        /// `fetch.wait.max.ms`: how long the broker may wait for `fetch_min_bytes`; default 500.
        [client] fetch_max_wait_ms: u64 = "500",
        /// `fetch.min.bytes`: bytes for which the broker waits; default 1.
        [client] fetch_min_bytes: u32 = "1",
        /// `fetch.max.bytes`: most bytes of one answer; default 52,428,800.
        [client] fetch_max_bytes: u32 = "52428800",
        /// `max.partition.fetch.bytes`: most bytes of one partition in an answer; default 1,048,576.
        [client] max_partition_fetch_bytes: u32 = "1048576",
        /// `check.crcs`: checks the checksum of what was read; default false.
        [client] check_crcs: bool = "false",
        /// `isolation.level`; default [`IsolationLevel::ReadCommitted`].
        [client] isolation_level: IsolationLevel = "read_committed",
        /// `group.instance.id`: a static member, which keeps its partitions over a restart that is shorter
        /// than the session; default none. The second worker of a process is `NAME-1`, and so on.
        [client] group_instance_id: Text = "none",
        /// Whether a `pattern` leaves out topics whose names begin with `__`, which Kafka keeps for itself;
        /// default true.
        [client] exclude_internal_topics: bool = "true",
        /// Properties of librdkafka that have no key; default none.
        [client] config: Properties = "none",
        /// The cluster, where it is not the app's own: a function that makes [`Brokers`]. Not with
        /// `bootstrap_servers`.
        [client] brokers: Brokers = "the app's own",
    }
}
