//! The names of librdkafka's errors.

use rdkafka::bindings as rd;
use rdkafka::types::RDKafkaErrorCode;
use std::ffi::CStr;
use std::{ptr, slice};

/// Every error that librdkafka knows: its code, its name, its text.
pub(crate) fn all_errors() -> impl Iterator<Item = (RDKafkaErrorCode, &'static str, &'static str)> {
    let (mut descriptions, mut n) = (ptr::null(), 0);
    // SAFETY: both are filled in with a table that lives as long as the process, and its length. Strings
    // in it are static, or null where there is no such code.
    let all = unsafe {
        rd::rd_kafka_get_err_descs(&mut descriptions, &mut n);
        slice::from_raw_parts(descriptions, n)
    };
    let text = |at: *const std::ffi::c_char| {
        // SAFETY: as above.
        (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_str().unwrap_or("?"))
    };
    all.iter().filter_map(move |described| {
        let name = text(described.name)?;
        let description = text(described.desc)?;
        Some((described.code.into(), name, description))
    })
}

/// librdkafka's name of an error, such as `TOPIC_AUTHORIZATION_FAILED`.
pub(crate) fn error_name(code: RDKafkaErrorCode) -> &'static str {
    all_errors()
        .find(|(known, ..)| *known == code)
        .map_or("UNKNOWN", |(_, name, _)| name)
}
