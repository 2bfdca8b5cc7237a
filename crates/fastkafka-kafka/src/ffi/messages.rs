//! Fetched messages and their headers.

use super::handle::{KeepClient, NO_ERROR};
use super::leader_epochs::known;
use fastkafka_core::{Fetched, Header, Record, Timestamp, TimestampType};
use rdkafka::bindings as rd;
use std::ffi::{CStr, c_void};
use std::fmt;
use std::ops::Range;
use std::ptr;
use std::slice;
use std::sync::OnceLock;

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
    /// # Safety
    /// The messages are of one partition, at least one, valid, and of nobody else; `client` is theirs.
    pub(super) unsafe fn new(messages: &[*mut rd::rd_kafka_message_t], client: KeepClient) -> Self {
        Self {
            messages: messages.into(),
            headers: OnceLock::new(),
            _client: client,
        }
    }

    pub(super) fn message(&self, at: usize) -> &rd::rd_kafka_message_t {
        // SAFETY: valid and owned by `self` until it is dropped.
        unsafe { &*self.messages[at] }
    }

    /// The epoch of the leader that wrote the first of them.
    pub(super) fn leader_epoch(&self) -> Option<i32> {
        // SAFETY: valid and owned by `self` until it is dropped.
        known(unsafe { rd::rd_kafka_message_leader_epoch(self.messages[0]) })
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
    pub(super) fn bytes(&self, at: *const c_void, len: usize) -> Option<&[u8]> {
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
