//! Produce calls over cached topic handles.

use super::handle::{Client, KeepClient, NO_ERROR};
use fastkafka_core::{Bytes, DeliveryToken};
use rdkafka::bindings as rd;
use rdkafka::producer::{BaseProducer, Partitioner, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::util::IntoOpaque;
use std::ffi::{CString, c_void};
use std::ptr;
use std::sync::Arc;

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

/// A record to send; all borrowed, librdkafka copies.
pub(crate) struct Sent<'a> {
    pub(crate) partition: Option<i32>,
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) headers: &'a [(String, Option<Bytes>)],
    pub(crate) timestamp: Option<i64>,
}

impl Topic {
    /// `None` when librdkafka refuses the name.
    pub(crate) fn new<C, P>(producer: &Arc<BaseProducer<C, P>>, name: &str) -> Option<Self>
    where
        C: ProducerContext<P> + 'static,
        P: Partitioner + Send + Sync + 'static,
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

    /// Copies a record into the send queue. The token comes back with the report, or at once when the record
    /// is not taken.
    pub(crate) fn produce(
        &self,
        sent: &Sent<'_>,
        token: DeliveryToken,
    ) -> Result<(), (RDKafkaErrorCode, DeliveryToken)> {
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
        let token = unsafe { DeliveryToken::from_raw(opaque) };
        Err((code.into(), token))
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

/// Sends what waits for company, and waits for reports, which another thread serves.
pub(crate) fn flush<C, P>(producer: &BaseProducer<C, P>, millis: i32)
where
    C: ProducerContext<P>,
    P: Partitioner,
{
    // SAFETY: a valid client. Its only error is that the time is over.
    unsafe { rd::rd_kafka_flush(producer.client().native_ptr(), millis) };
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
