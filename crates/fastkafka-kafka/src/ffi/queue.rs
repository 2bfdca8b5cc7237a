//! The queue that batches are fetched from, and the one that events come through.

use super::handle::{Client, KeepClient, NO_ERROR};
use super::messages::Messages;
use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::types::RDKafkaErrorCode;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::sync::Arc;
use std::thread::Thread;

/// An error that stands in a queue in the place of a record.
#[derive(Debug)]
pub(crate) struct FetchError {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) text: String,
    /// The position it is about; negative when there is none.
    pub(crate) offset: i64,
}

/// A piece of what a fetch found: consecutive records of one partition and leader, or one error.
pub(crate) struct Piece<'a> {
    /// Empty when an error belongs to no topic.
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    /// Of the leader that wrote the records.
    pub(crate) leader_epoch: Option<i32>,
    pub(crate) content: Result<Messages, FetchError>,
}

/// A private queue; its owner is unparked when it is no longer empty.
pub(crate) struct Queue {
    queue: *mut rd::rd_kafka_queue_t,
    client: Client,
    scratch: Vec<*mut rd::rd_kafka_message_t>,
    _driver: Box<Thread>,
    keep: KeepClient,
}

// SAFETY: librdkafka's queues may be used from any thread; the scratch vector is empty between calls.
unsafe impl Send for Queue {}

pub(super) unsafe extern "C" fn wake(_: Client, driver: *mut c_void) {
    // SAFETY: the queue's owner keeps the thread handle, and disables this callback before it frees it.
    unsafe { (*driver.cast::<Thread>()).unpark() }
}

impl Queue {
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
            scratch: Vec::new(),
            _driver: driver,
            keep: consumer.clone(),
        }
    }

    /// Sends a partition's messages here instead of to the consumer's own queue. What already waits
    /// in the partition's queue comes too.
    pub(crate) fn take_partition(&self, topic: &str, partition: i32) {
        let topic = c_string(topic);
        // SAFETY: client and queue are valid; the partition's handle is given back after use.
        unsafe {
            let own = rd::rd_kafka_queue_get_partition(self.client, topic.as_ptr(), partition);
            if !own.is_null() {
                rd::rd_kafka_queue_forward(own, self.queue);
                rd::rd_kafka_queue_destroy(own);
            }
        }
    }

    /// Takes at most `max` entries, never waiting, split where the partition changes. Returns how
    /// many there were.
    pub(crate) fn fetch(&mut self, max: usize, mut each: impl FnMut(Piece<'_>)) -> usize {
        self.scratch.reserve(max);
        // SAFETY: room for `max` pointers; librdkafka fills in the first `n`, which are then ours.
        // librdkafka would wait for a *full* batch if the time-out were not zero.
        unsafe {
            let n = rd::rd_kafka_consume_batch_queue(
                self.queue,
                0,
                self.scratch.as_mut_ptr(),
                max.min(self.scratch.capacity()),
            );
            self.scratch.set_len(usize::try_from(n).unwrap_or(0));
        }
        let kind = |m: *mut rd::rd_kafka_message_t| {
            // SAFETY: a valid message.
            let m = unsafe { &*m };
            (m.rkt, m.partition, m.err)
        };
        // A topic has one handle per client, and the records of a fetch response come in a block.
        let same = |a: &_, b: &_| kind(*a) == kind(*b) && kind(*a).2 == NO_ERROR;
        let n = self.scratch.len();
        let taken = std::mem::take(&mut self.scratch);
        for group in taken.chunk_by(same) {
            let (handle, partition, err) = kind(group[0]);
            let name = if handle.is_null() {
                Cow::Borrowed("")
            } else {
                // SAFETY: the handle lives while a message refers to it.
                let name = unsafe { CStr::from_ptr(rd::rd_kafka_topic_name(handle)) };
                name.to_string_lossy()
            };
            // One leader has written nearly every block: the ends tell.
            // SAFETY: valid messages.
            let epoch = |m: *mut _| unsafe { rd::rd_kafka_message_leader_epoch(m) };
            let one = epoch(group[0]) == epoch(group[group.len() - 1]);
            let by_leader = |a: &_, b: &_| one || epoch(*a) == epoch(*b);
            for group in group.chunk_by(by_leader) {
                // SAFETY: librdkafka gave them to us just now, and each is in one group.
                let messages = unsafe { Messages::new(group, self.keep.clone()) };
                let mut epoch = None;
                let content = if err == NO_ERROR {
                    epoch = messages.leader_epoch();
                    Ok(messages)
                } else {
                    // An error message carries its text as payload.
                    let m = messages.message(0);
                    let text = messages.bytes(m.payload, m.len).unwrap_or_default();
                    Err(FetchError {
                        code: err.into(),
                        text: String::from_utf8_lossy(text).into_owned(),
                        offset: m.offset,
                    })
                };
                each(Piece {
                    topic: &name,
                    partition,
                    leader_epoch: epoch,
                    content,
                });
            }
        }
        self.scratch = taken;
        self.scratch.clear();
        n
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: our reference. Disabled first, so that the thread handle may go.
        unsafe { rd::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut()) }
        // A client cannot be destroyed while messages wait in a queue.
        while self.fetch(1024, |_| ()) > 0 {}
        // SAFETY: as above.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) }
    }
}

/// The length of a group's event queue: `BaseConsumer::poll(0)` says `None` when it served an event
/// as well as when there was none.
pub(crate) struct EventQueue {
    queue: *mut rd::rd_kafka_queue_t,
    _client: KeepClient,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for EventQueue {}

impl EventQueue {
    /// # Panics
    /// If the consumer has no group.
    pub(crate) fn new<C: ConsumerContext + 'static>(consumer: &Arc<BaseConsumer<C>>) -> Self {
        // SAFETY: a valid client.
        let queue = unsafe { rd::rd_kafka_queue_get_consumer(consumer.client().native_ptr()) };
        assert!(!queue.is_null(), "only a group has a queue of events");
        Self {
            queue,
            _client: consumer.clone(),
        }
    }

    pub(crate) fn waiting(&self) -> bool {
        // SAFETY: a counted reference.
        unsafe { rd::rd_kafka_queue_length(self.queue) > 0 }
    }
}

impl Drop for EventQueue {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) }
    }
}

fn c_string(name: &str) -> CString {
    CString::new(name).expect("a topic's name has no NUL: librdkafka gave it to us")
}
