//! All unsafe code of the crate: fetching in batches, queues, produce calls, and what a signal does.
//!
//! `rdkafka` copies and wraps one record at a time; batches, queues that wake their reader, cached
//! topic handles and headers on demand are only in librdkafka's C interface.

mod errors;
mod handle;
mod leader_epochs;
mod messages;
mod produce;
mod queue;
#[cfg(unix)]
mod signals;
mod topic_ids;

#[cfg(test)]
pub(super) use errors::all_errors;
pub(super) use errors::error_name;
pub(super) use leader_epochs::{leader_epochs, set_leader_epochs};
pub(super) use produce::{Opaque, Sent, Topic, flush};
pub(super) use queue::{EventQueue, FetchError, Piece, Queue};
#[cfg(unix)]
pub use signals::hangup_ends_the_process;
pub(super) use topic_ids::TopicIds;

use handle::{Client, NO_ERROR};

use rdkafka::bindings as rd;
use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Partitioner, Producer, ProducerContext};
use std::ffi::{CStr, CString, c_char};
use std::slice;
use std::time::Duration;

/// A new group of a mock cluster starts without waiting for more members.
pub(super) fn start_groups_at_once<C: ProducerContext>(producer: &BaseProducer<C>) {
    // SAFETY: a valid client; its mock cluster, if it has one, lives as long as it does.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
        if !cluster.is_null() {
            rd::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        }
    }
}

/// True when the client has an id in its classic group: from the join until it sends its leave.
pub(super) fn is_member<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> bool {
    let client = consumer.client().native_ptr();
    // SAFETY: a valid client; the id is null or a string of librdkafka's that is ours to free.
    unsafe {
        let id = rd::rd_kafka_memberid(client);
        let member = !id.is_null() && *id != 0;
        rd::rd_kafka_mem_free(client, id.cast());
        member
    }
}

/// The end of a log as the client knows it from its last fetch, without asking.
pub(super) fn known_end<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: a valid client, a C string, and places for two numbers.
    let code = unsafe {
        let client = consumer.client().native_ptr();
        rd::rd_kafka_get_watermark_offsets(client, topic.as_ptr(), partition, &mut low, &mut high)
    };
    (code == NO_ERROR && high >= 0).then_some(high)
}

/// True when the broker has given the client a generation, or an epoch, of its group.
pub(super) fn is_joined<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> bool {
    let client = consumer.client().native_ptr();
    // SAFETY: a valid client; what it returns is null or ours to free.
    unsafe {
        let group = rd::rd_kafka_consumer_group_metadata(client);
        if group.is_null() {
            return false;
        }
        let generation = rd::rd_kafka_consumer_group_metadata_generation_id(group);
        rd::rd_kafka_consumer_group_metadata_destroy(group);
        generation > 0
    }
}

/// Gives a client the token to log in with.
pub(super) fn set_token(client: Client, token: &OAuthToken) -> Result<(), String> {
    let nul = |_| "the token holds a zero byte".to_owned();
    let text = CString::new(&*token.token).map_err(nul)?;
    let principal = CString::new(&*token.principal_name).map_err(nul)?;
    let mut reason = [0 as c_char; 512];
    // SAFETY: a valid client; the strings are copied, and the reason ends with a zero within its length.
    unsafe {
        let code = rd::rd_kafka_oauthbearer_set_token(
            client,
            text.as_ptr(),
            token.lifetime_ms,
            principal.as_ptr(),
            std::ptr::null_mut(),
            0,
            reason.as_mut_ptr(),
            reason.len(),
        );
        if code == NO_ERROR {
            return Ok(());
        }
        let reason = CStr::from_ptr(reason.as_ptr()).to_string_lossy();
        Err(format!("the token is not taken: {reason}"))
    }
}

/// Adds the brokers at these addresses to those that a client knows.
pub(super) fn add_brokers(client: Client, addresses: &CStr) {
    // SAFETY: a valid client, and a string that is copied. It may be called from any thread.
    unsafe { rd::rd_kafka_brokers_add(client, addresses.as_ptr()) };
}

/// True when a broker answers within this time. Asks about nothing that the client does not know already: a
/// question of a producer about a topic may create it.
pub(super) fn is_reached<C, P>(producer: &BaseProducer<C, P>, within: Duration) -> bool
where
    C: ProducerContext<P>,
    P: Partitioner,
{
    let millis = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    let mut metadata = std::ptr::null();
    // SAFETY: a valid client; no topic means those that it knows, and the answer is ours to destroy.
    unsafe {
        let client = producer.client().native_ptr();
        let code = rd::rd_kafka_metadata(client, 0, std::ptr::null_mut(), &mut metadata, millis);
        if code == NO_ERROR {
            rd::rd_kafka_metadata_destroy(metadata);
        }
        code == NO_ERROR
    }
}

/// A mock cluster answers the next request of a kind with an error.
#[cfg(test)]
pub(super) fn refuse_next<C: ProducerContext>(
    producer: &BaseProducer<C>,
    api_key: i16,
    code: rd::rd_kafka_resp_err_t,
) {
    // SAFETY: a valid client with a mock cluster; the one error is copied.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
        rd::rd_kafka_mock_push_request_errors_array(cluster, api_key, 1, &code);
    }
}

/// Lets librdkafka give a client up.
#[cfg(test)]
pub(super) fn give_up(client: Client, code: rd::rd_kafka_resp_err_t) {
    // SAFETY: a valid client, and a string that is copied.
    let set = unsafe { rd::rd_kafka_test_fatal_error(client, code, c"for a test".as_ptr()) };
    assert_eq!(set, NO_ERROR, "it was given up before");
}

/// The number of requests of a kind that a mock cluster has kept.
#[cfg(test)]
pub(super) fn requests<C: ProducerContext>(producer: &BaseProducer<C>, api_key: i16) -> usize {
    // SAFETY: a valid client with a mock cluster; the list of requests is ours to destroy.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
        let mut n = 0;
        let requests = rd::rd_kafka_mock_get_requests(cluster, &mut n);
        let kept = (0..n)
            .filter(|i| rd::rd_kafka_mock_request_api_key(*requests.add(*i)) == api_key)
            .count();
        rd::rd_kafka_mock_request_destroy_array(requests, n);
        kept
    }
}

/// A mock cluster keeps the requests it gets.
#[cfg(test)]
pub(super) fn keep_requests<C: ProducerContext>(producer: &BaseProducer<C>) {
    // SAFETY: a valid client with a mock cluster.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
        rd::rd_kafka_mock_start_request_tracking(cluster);
    }
}

/// The metadata of a commit; other clients may have written bytes that are no text.
pub(super) fn metadata(list: &rdkafka::TopicPartitionList) -> Vec<String> {
    let text = |element: &rd::rd_kafka_topic_partition_t| {
        if element.metadata.is_null() {
            return String::new();
        }
        // SAFETY: librdkafka keeps so many bytes there while the list lives.
        let bytes =
            unsafe { slice::from_raw_parts(element.metadata.cast(), element.metadata_size) };
        String::from_utf8_lossy(bytes).into_owned()
    };
    // SAFETY: a valid list of `cnt` elements, borrowed; `elems` may be null only when it is empty.
    unsafe {
        let list = &*list.ptr();
        match usize::try_from(list.cnt) {
            Ok(n) if n > 0 => slice::from_raw_parts(list.elems, n)
                .iter()
                .map(text)
                .collect(),
            _ => Vec::new(),
        }
    }
}
