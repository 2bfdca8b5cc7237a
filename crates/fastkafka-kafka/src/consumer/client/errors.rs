//! The errors that librdkafka puts in the place of records.

use crate::consumer::raw::FetchError;
use crate::error::client_error;
use crate::ffi;
use crate::offsets::broker::OffsetAndEpoch;
use rdkafka::types::RDKafkaErrorCode;

pub(super) fn fetch_error(topic: &str, partition: i32, error: ffi::FetchError) -> FetchError {
    use RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange};
    let ffi::FetchError { code, text, offset } = error;
    if is_truncation(code, &text) {
        return FetchError::Truncated {
            position: truncated_from(&text),
            end: truncated_at(&text),
        };
    }
    if is_unreadable(code) {
        return FetchError::Unreadable { why: text };
    }
    if matches!(code, AutoOffsetReset | OffsetOutOfRange) {
        return FetchError::OutOfRange {
            position: (offset >= 0).then_some(offset),
        };
    }
    let text = match topic {
        "" => text,
        topic => format!("{topic}[{partition}]: {text}"),
    };
    FetchError::Other(client_error(code, text))
}

/// A batch could not be read.
///
/// librdkafka does not always stay at it. After a wrong checksum (`check_crcs`) it skips to a place of the
/// answer that it has miscounted, and takes what stands there for the next batch, with the offset that it
/// seems to have. A batch of a version that it does not know it leaves out.
fn is_unreadable(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        BadCompression, BadMessage, InvalidMessage, MessageSizeTooLarge, NotImplemented,
        UnsupportedCompressionType,
    };
    matches!(
        code,
        BadCompression
            | BadMessage
            | InvalidMessage
            | MessageSizeTooLarge
            | NotImplemented
            | UnsupportedCompressionType
    )
}

/// librdkafka has asked the leader where the epoch of the position ends, and that is before the position
/// (KIP-320). As `auto.offset.reset` is `error`, it says so with the code for that and its own text.
fn is_truncation(code: RDKafkaErrorCode, text: &str) -> bool {
    match code {
        RDKafkaErrorCode::LogTruncation => true,
        RDKafkaErrorCode::AutoOffsetReset => text.contains("log truncation detected"),
        _ => false,
    }
}

/// Where the log was cut, by the text of a truncation: nothing else says it.
fn truncated_at(text: &str) -> Option<i64> {
    number_after(text, "broker end offset is ")
}

/// The position that the leader was asked about, by the same text.
fn truncated_from(text: &str) -> Option<OffsetAndEpoch> {
    // The words of `rd_kafka_fetch_pos2str`, of which this position is the first.
    let offset = number_after(text, " offset ")?;
    let epoch = number_after(text, "(leader epoch ");
    let epoch = epoch.and_then(|epoch| i32::try_from(epoch).ok());
    Some(OffsetAndEpoch::new(offset, epoch))
}

/// Not one below zero, which stands for none.
fn number_after(text: &str, words: &str) -> Option<i64> {
    let (_, rest) = text.split_once(words)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncation_names_its_position_and_where_the_log_was_cut_in_its_text_alone() {
        let error = |text: &str| ffi::FetchError {
            code: RDKafkaErrorCode::AutoOffsetReset,
            text: text.to_owned(),
            offset: -1001,
        };
        // By `rd_kafka_offset_validate`'s answer, librdkafka 2.12.1.
        let cases = [
            (
                "Partition log truncation detected at offset 10 (leader epoch 3): broker end offset is 4 (offset leader \
                 epoch 2). Reset to INVALID.: Local: Partition log truncation detected (broker 1)",
                OffsetAndEpoch::new(10, Some(3)),
                Some(4),
            ),
            (
                "No epoch found less or equal to offset 7 (leader epoch 0): broker end offset is -1 (offset leader epoch \
                 -1). Reset using configured policy.: Local: Partition log truncation detected (broker 1)",
                OffsetAndEpoch::new(7, Some(0)),
                None,
            ),
        ];
        for (text, position, end) in cases {
            let expected = FetchError::Truncated {
                position: Some(position),
                end,
            };
            assert_eq!(fetch_error("orders", 0, error(text)), expected);
        }
        let out_of_range = ffi::FetchError {
            offset: 10,
            ..error(
                "fetch failed due to requested offset not available on the broker: Broker: Offset out of range",
            )
        };
        let expected = FetchError::OutOfRange { position: Some(10) };
        assert_eq!(fetch_error("orders", 0, out_of_range), expected);
    }
}
