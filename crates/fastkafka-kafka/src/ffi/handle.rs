//! The handle of a client.

use rdkafka::bindings as rd;
use std::any::Any;
use std::sync::Arc;

pub(super) type Client = *mut rd::rd_kafka_t;

/// Keeps a client alive for what belongs to it: librdkafka's handles must not outlive it.
pub(super) type KeepClient = Arc<dyn Any + Send + Sync>;

pub(super) const NO_ERROR: rd::rd_kafka_resp_err_t =
    rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
