//! The ids of topics, which rdkafka does not wrap.

use super::handle::{Client, KeepClient, NO_ERROR};
use super::queue::wake;
use crate::offsets::topic_id::TopicId;
use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

/// The ids of topics, by their names.
type Ids = BTreeMap<String, TopicId>;

/// Asks for the ids of topics, and has the answers; its owner is unparked when one comes.
pub(crate) struct TopicIds {
    queue: *mut rd::rd_kafka_queue_t,
    client: Client,
    _driver: Box<Thread>,
    _keep: KeepClient,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for TopicIds {}

impl TopicIds {
    pub(crate) fn new<C>(consumer: &Arc<BaseConsumer<C>>, driver: Thread) -> Self
    where
        C: ConsumerContext + 'static,
    {
        let client = consumer.client().native_ptr();
        let driver = Box::new(driver);
        // SAFETY: a valid client; the thread handle outlives the registration, see `drop`.
        let queue = unsafe {
            let queue = rd::rd_kafka_queue_new(client);
            let opaque = ptr::from_ref(&*driver).cast_mut().cast();
            rd::rd_kafka_queue_cb_event_enable(queue, Some(wake), opaque);
            queue
        };
        Self {
            queue,
            client,
            _driver: driver,
            _keep: consumer.clone(),
        }
    }

    /// Begins to ask for the ids of these topics. An answer with this number comes within this time, and may be an
    /// error.
    pub(crate) fn ask(&self, number: usize, topics: &[&str], within: Duration) {
        let owned: Vec<_> = topics
            .iter()
            .map(|topic| CString::new(*topic).expect("a topic's name has no NUL"))
            .collect();
        let mut names: Vec<_> = owned.iter().map(|name| name.as_ptr()).collect();
        let millis = c_int::try_from(within.as_millis()).unwrap_or(c_int::MAX);
        let mut reason = [0 as c_char; 128];
        // SAFETY: client and queue are valid, and the names outlive the call, which copies them.
        // Collection and options are ours and destroyed once; the request has copied what it needs.
        unsafe {
            let topics =
                rd::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
            let options = rd::rd_kafka_AdminOptions_new(
                self.client,
                rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
            );
            // Out of its range, librdkafka's own stays.
            rd::rd_kafka_AdminOptions_set_request_timeout(
                options,
                millis,
                reason.as_mut_ptr(),
                reason.len(),
            );
            // A number in the place of a pointer: librdkafka only carries it.
            let carried = ptr::without_provenance_mut(number);
            rd::rd_kafka_AdminOptions_set_opaque(options, carried);
            rd::rd_kafka_DescribeTopics(self.client, topics, options, self.queue);
            rd::rd_kafka_AdminOptions_destroy(options);
            rd::rd_kafka_TopicCollection_destroy(topics);
        }
    }

    /// The next answer, if one has come, with the number of its question: the ids as far as the broker has them.
    pub(crate) fn answer(&self) -> Option<(usize, Result<Ids, String>)> {
        // SAFETY: a valid queue. What comes by it are answers to `ask`, each ours to destroy once.
        unsafe {
            let event = rd::rd_kafka_queue_poll(self.queue, 0);
            if event.is_null() {
                return None;
            }
            let number = rd::rd_kafka_event_opaque(event).addr();
            let ids = ids(event);
            rd::rd_kafka_event_destroy(event);
            Some((number, ids))
        }
    }
}

impl Drop for TopicIds {
    fn drop(&mut self) {
        // SAFETY: our reference. Disabled first, so that the thread handle may go; answers that still come
        // are dropped with the queue.
        unsafe {
            rd::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            rd::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// # Safety
/// The event is valid.
unsafe fn ids(event: *mut rd::rd_kafka_event_t) -> Result<Ids, String> {
    let mut ids = BTreeMap::new();
    // SAFETY: a valid event; the descriptions, their names and ids belong to it and live as long.
    unsafe {
        if rd::rd_kafka_event_error(event) != NO_ERROR {
            let why = CStr::from_ptr(rd::rd_kafka_event_error_string(event));
            return Err(why.to_string_lossy().into_owned());
        }
        let result = rd::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err("the answer is not about topics".to_owned());
        }
        let mut n = 0;
        let topics = rd::rd_kafka_DescribeTopics_result_topics(result, &mut n);
        for at in 0..n {
            let topic = *topics.add(at);
            // One that is not there has an error, and no id that counts.
            let error = rd::rd_kafka_TopicDescription_error(topic);
            if !error.is_null() && rd::rd_kafka_error_code(error) != NO_ERROR {
                continue;
            }
            let name = CStr::from_ptr(rd::rd_kafka_TopicDescription_name(topic));
            let id = rd::rd_kafka_TopicDescription_topic_id(topic);
            let high = rd::rd_kafka_Uuid_most_significant_bits(id).cast_unsigned();
            let low = rd::rd_kafka_Uuid_least_significant_bits(id).cast_unsigned();
            if let Some(id) = TopicId::new(u128::from(high) << 64 | u128::from(low)) {
                ids.insert(name.to_string_lossy().into_owned(), id);
            }
        }
    }
    Ok(ids)
}
