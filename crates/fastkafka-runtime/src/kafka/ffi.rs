//! All unsafe code of the runtime: fetching in batches, queues, produce calls.
//!
//! `rdkafka` copies and wraps one record at a time; batches, queues that wake their reader, cached
//! topic handles and headers on demand are only in librdkafka's C interface.

use fastkafka_core::{Bytes, DeliveryToken, Fetched, Header, Record, Timestamp, TimestampType};
use rdkafka::bindings as rd;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::util::IntoOpaque;
use std::any::Any;
use std::ffi::{CStr, CString, c_void};
use std::fmt;
use std::ops::Range;
use std::ptr;
use std::slice;
use std::sync::{Arc, OnceLock};
use std::thread::Thread;

type Client = *mut rd::rd_kafka_t;

/// What belongs to a client keeps it alive: librdkafka's handles must not outlive it.
type KeepClient = Arc<dyn Any + Send + Sync>;

/// A header as librdkafka holds it: the name copied (it need not be UTF-8), the value in place.
struct RawHeader {
    name: Box<str>,
    value: *const c_void,
    size: usize,
}

/// Fetched messages of one partition, in offset order; given back to librdkafka together.
pub(crate) struct Messages {
    messages: Box<[*mut rd::rd_kafka_message_t]>,
    headers: OnceLock<Vec<Vec<RawHeader>>>,
    _client: KeepClient,
}

// SAFETY: a fetched message belongs to the application, which may read and destroy it on any thread.
unsafe impl Send for Messages {}
// SAFETY: `&self` reads plain fields. Parsing headers writes to the messages, to parts that nothing
// else reads, and happens once, under the `OnceLock`.
unsafe impl Sync for Messages {}

impl Messages {
    fn message(&self, at: usize) -> &rd::rd_kafka_message_t {
        // SAFETY: valid and owned by `self` until it is dropped.
        unsafe { &*self.messages[at] }
    }

    /// The offset of the last one.
    pub(crate) fn last(&self) -> i64 {
        self.message(self.messages.len() - 1).offset
    }

    fn record(&self, at: usize) -> Record<'_> {
        let m = self.message(at);
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: a valid message and a valid place for the type.
        let millis = unsafe { rd::rd_kafka_message_timestamp(m, &mut kind) };
        let kind = match kind {
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_CREATE_TIME => {
                TimestampType::CreateTime
            }
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => {
                TimestampType::LogAppendTime
            }
            rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => {
                TimestampType::NotAvailable
            }
        };
        Record {
            payload: self.bytes(m.payload, m.len),
            key: self.bytes(m.key, m.key_len),
            offset: m.offset,
            timestamp: Timestamp::new(millis, kind),
        }
    }

    /// Only for pointers into these messages; null is a null payload, key or header value.
    fn bytes(&self, at: *const c_void, len: usize) -> Option<&[u8]> {
        // SAFETY: librdkafka keeps `len` bytes there, unchanged, until the message is destroyed,
        // which is not before `self` is dropped.
        (!at.is_null()).then(|| unsafe { slice::from_raw_parts(at.cast(), len) })
    }

    fn parse_headers(message: *mut rd::rd_kafka_message_t) -> Vec<RawHeader> {
        let mut parsed = Vec::new();
        let mut list = ptr::null_mut();
        // SAFETY: a valid message. The list, its names and values belong to it and live as long.
        unsafe {
            if rd::rd_kafka_message_headers(message, &mut list) != NO_ERROR {
                return parsed; // It has none.
            }
            for i in 0..rd::rd_kafka_header_cnt(list) {
                let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
                if rd::rd_kafka_header_get_all(list, i, &mut name, &mut value, &mut size)
                    == NO_ERROR
                {
                    let name = CStr::from_ptr(name).to_string_lossy().into();
                    parsed.push(RawHeader { name, value, size });
                }
            }
        }
        parsed
    }
}

const NO_ERROR: rd::rd_kafka_resp_err_t = rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

impl Fetched for Messages {
    fn len(&self) -> usize {
        self.messages.len()
    }

    fn offset(&self, at: usize) -> i64 {
        self.message(at).offset
    }

    fn records<'r>(&'r self, range: Range<usize>, into: &mut Vec<Record<'r>>) {
        into.extend(range.map(|at| self.record(at)));
    }

    fn headers(&self, at: usize) -> Vec<Header<'_>> {
        let all = self.headers.get_or_init(|| {
            let messages = self.messages.iter();
            messages.map(|m| Self::parse_headers(*m)).collect()
        });
        let header = |h: &'_ RawHeader| self.bytes(h.value, h.size);
        all[at].iter().map(|h| (&*h.name, header(h))).collect()
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("first", &self.offset(0))
            .field("len", &self.messages.len())
            .finish_non_exhaustive()
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        for &message in &self.messages {
            // SAFETY: owned, and destroyed once.
            unsafe { rd::rd_kafka_message_destroy(message) }
        }
    }
}

/// What stands in a queue in the place of a record.
#[derive(Debug)]
pub(crate) struct FetchError {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) text: String,
    /// The position it is about; negative when there is none.
    pub(crate) offset: i64,
}

/// A piece of what a fetch found: consecutive records of one partition, or one error.
pub(crate) struct Piece<'a> {
    /// Empty when an error belongs to no topic.
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) content: Result<Messages, FetchError>,
}

/// A private queue; its owner is unparked when it is no longer empty.
pub(crate) struct Queue {
    queue: *mut rd::rd_kafka_queue_t,
    client: Client,
    scratch: Vec<*mut rd::rd_kafka_message_t>,
    _owner: Box<Thread>,
    keep: KeepClient,
}

// SAFETY: librdkafka's queues may be used from any thread; the scratch vector is empty between calls.
unsafe impl Send for Queue {}

unsafe extern "C" fn wake(_: Client, owner: *mut c_void) {
    // SAFETY: `Queue` keeps the thread handle, and disables this callback before it frees it.
    unsafe { (*owner.cast::<Thread>()).unpark() }
}

impl Queue {
    pub(crate) fn new<C>(consumer: &Arc<BaseConsumer<C>>, owner: Thread) -> Self
    where
        C: ConsumerContext + 'static,
    {
        let client = consumer.client().native_ptr();
        let owner = Box::new(owner);
        // SAFETY: a valid client; the thread handle outlives the registration, see `drop`.
        let queue = unsafe {
            let queue = rd::rd_kafka_queue_new(client);
            let opaque = ptr::from_ref(&*owner).cast_mut().cast();
            rd::rd_kafka_queue_cb_event_enable(queue, Some(wake), opaque);
            queue
        };
        Self {
            queue,
            client,
            scratch: Vec::new(),
            _owner: owner,
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
                String::new()
            } else {
                // SAFETY: the handle lives while a message refers to it.
                let name = unsafe { CStr::from_ptr(rd::rd_kafka_topic_name(handle)) };
                name.to_string_lossy().into_owned()
            };
            let messages = Messages {
                messages: group.into(),
                headers: OnceLock::new(),
                _client: self.keep.clone(),
            };
            let content = if err == NO_ERROR {
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
                content,
            });
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
pub(crate) struct Events {
    queue: *mut rd::rd_kafka_queue_t,
    _client: KeepClient,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for Events {}

impl Events {
    /// # Panics
    /// If the consumer has no group.
    pub(crate) fn of<C: ConsumerContext + 'static>(consumer: &Arc<BaseConsumer<C>>) -> Self {
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

impl Drop for Events {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) }
    }
}

/// A topic handle of a producer, looked up once.
pub(crate) struct Topic {
    topic: *mut rd::rd_kafka_topic_t,
    client: Client,
    _client: KeepClient,
}

// SAFETY: librdkafka's clients and topic handles may be used from any thread.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

/// What is sent; all borrowed, librdkafka copies.
pub(crate) struct Sent<'a> {
    pub(crate) partition: Option<i32>,
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) headers: &'a [(String, Option<Bytes>)],
    pub(crate) timestamp: Option<i64>,
}

impl Topic {
    /// `None` when librdkafka refuses the name.
    pub(crate) fn new<C>(producer: &Arc<BaseProducer<C>>, name: &str) -> Option<Self>
    where
        C: ProducerContext + 'static,
    {
        let name = CString::new(name).ok()?;
        let client = producer.client().native_ptr();
        // SAFETY: a valid client; a null configuration is the client's default one.
        let topic = unsafe { rd::rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()) };
        (!topic.is_null()).then(|| Self {
            topic,
            client,
            _client: producer.clone(),
        })
    }

    /// Copies a record into the send queue. The token comes back with the report, or, cancelled,
    /// when the record is not taken.
    pub(crate) fn produce(
        &self,
        sent: &Sent<'_>,
        token: DeliveryToken,
    ) -> Result<(), RDKafkaErrorCode> {
        let opaque = token.into_raw();
        let parts = |bytes: Option<&[u8]>| {
            bytes.map_or((ptr::null_mut(), 0), |b| {
                (b.as_ptr().cast_mut().cast::<c_void>(), b.len())
            })
        };
        let (payload, payload_len) = parts(sent.payload);
        let (key, key_len) = parts(sent.key);
        let partition = sent.partition.unwrap_or(PARTITION_BY_KEY);
        let code = if sent.headers.is_empty() && sent.timestamp.is_none() {
            // SAFETY: a valid handle and valid slices, which are copied before this returns. The
            // error is this thread's last one.
            unsafe {
                match rd::rd_kafka_produce(
                    self.topic,
                    partition,
                    rd::RD_KAFKA_MSG_F_COPY,
                    payload,
                    payload_len,
                    key,
                    key_len,
                    opaque,
                ) {
                    0 => NO_ERROR,
                    _ => rd::rd_kafka_last_error(),
                }
            }
        } else {
            use rd::rd_kafka_vtype_t::*;
            let headers = header_list(sent.headers);
            // SAFETY: as above; each value has the type that its tag announces. The list of headers
            // is ours until the call succeeds, then librdkafka's.
            unsafe {
                let code = rd::rd_kafka_producev(
                    self.client,
                    RD_KAFKA_VTYPE_RKT,
                    self.topic,
                    RD_KAFKA_VTYPE_PARTITION,
                    partition,
                    RD_KAFKA_VTYPE_MSGFLAGS,
                    rd::RD_KAFKA_MSG_F_COPY,
                    RD_KAFKA_VTYPE_VALUE,
                    payload,
                    payload_len,
                    RD_KAFKA_VTYPE_KEY,
                    key,
                    key_len,
                    RD_KAFKA_VTYPE_OPAQUE,
                    opaque,
                    RD_KAFKA_VTYPE_TIMESTAMP,
                    sent.timestamp.unwrap_or(0), // 0: now
                    RD_KAFKA_VTYPE_HEADERS,
                    headers,
                    RD_KAFKA_VTYPE_END,
                );
                if code != NO_ERROR {
                    rd::rd_kafka_headers_destroy(headers);
                }
                code
            }
        };
        if code == NO_ERROR {
            return Ok(());
        }
        // SAFETY: librdkafka does not keep the pointer of a record that it did not take.
        unsafe { DeliveryToken::from_raw(opaque) }.cancel();
        Err(code.into())
    }
}

/// `RD_KAFKA_PARTITION_UA`, which the bindings lack.
const PARTITION_BY_KEY: i32 = -1;

fn header_list(headers: &[(String, Option<Bytes>)]) -> *mut rd::rd_kafka_headers_t {
    // SAFETY: a new list; names and values are copied. A slice is never longer than `isize::MAX`.
    unsafe {
        let list = rd::rd_kafka_headers_new(headers.len());
        for (name, value) in headers {
            let (at, size) = value
                .as_ref()
                .map_or((ptr::null(), 0), |v| (v.as_ptr(), v.len()));
            rd::rd_kafka_header_add(
                list,
                name.as_ptr().cast(),
                name.len().cast_signed(),
                at.cast(),
                size.cast_signed(),
            );
        }
        list
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: our reference.
        unsafe { rd::rd_kafka_topic_destroy(self.topic) }
    }
}

/// Sends what waits for company, and waits for reports, which another thread serves. True when
/// nothing is left.
pub(crate) fn flush<C: ProducerContext>(producer: &BaseProducer<C>, millis: i32) -> bool {
    // SAFETY: a valid client.
    unsafe { rd::rd_kafka_flush(producer.client().native_ptr(), millis) == NO_ERROR }
}

/// A new group of a mock cluster starts without waiting for more members.
pub(crate) fn start_groups_at_once<C: ProducerContext>(producer: &BaseProducer<C>) {
    // SAFETY: a valid client; its mock cluster, if it has one, lives as long as it does.
    unsafe {
        let cluster = rd::rd_kafka_handle_mock_cluster(producer.client().native_ptr());
        if !cluster.is_null() {
            rd::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        }
    }
}

/// The token's pointer is what librdkafka carries; rdkafka hands each back once, with its report.
pub(crate) struct Opaque(pub(crate) DeliveryToken);

impl IntoOpaque for Opaque {
    fn into_ptr(self) -> *mut c_void {
        self.0.into_raw()
    }

    unsafe fn from_ptr(token: *mut c_void) -> Self {
        // SAFETY: what `produce` was given, and once, by the contract of the trait.
        Self(unsafe { DeliveryToken::from_raw(token) })
    }
}

/// The metadata of a commit; other clients may have written bytes that are no text.
pub(crate) fn metadata(list: &rdkafka::TopicPartitionList) -> Vec<String> {
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

fn c_string(name: &str) -> CString {
    CString::new(name).expect("a topic's name has no NUL: librdkafka gave it to us")
}
