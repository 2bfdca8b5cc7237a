//! Dead letters: the record as it was, with headers that say why it is there.

use crate::call::Source;
use crate::job::Burial;
use bytes::Bytes;
use fastkafka_core::{
    DEAD_LETTER_HEADERS, DEAD_LETTER_PREFIX, DeliveryScope, Failure, FailureKind, OutRecord,
    ProduceError,
};
use fastkafka_engine::Disposal;

/// Longest value of one of our headers, in bytes.
const LONGEST: usize = 1_024;

/// Publishes the record and waits for the report. [S7]
pub(crate) async fn write(source: &Source, burial: &Burial) -> Disposal {
    let Some(topic) = &source.handler.dead_letter else {
        return Disposal::Permanent;
    };
    match publish(source, burial, topic).await {
        Ok(()) => {
            tracing::warn!(
                handler = source.handler.def.name,
                place = %source.place,
                offset = burial.fetched.offset(burial.index),
                attempts = burial.attempts,
                "record written to dead-letter topic `{topic}`: {}",
                burial.error
            );
            Disposal::Written
        }
        Err((outcome, reason)) => {
            tracing::error!(
                handler = source.handler.def.name,
                place = %source.place,
                offset = burial.fetched.offset(burial.index),
                "dead letter for topic `{topic}` not written{}: {reason}",
                if outcome == Disposal::Permanent { ", it stops here" } else { ", trying again" }
            );
            outcome
        }
    }
}

async fn publish(source: &Source, burial: &Burial, topic: &str) -> Result<(), (Disposal, String)> {
    let original = burial.fetched.headers(burial.index);
    if original
        .iter()
        .any(|(name, _)| name.starts_with(DEAD_LETTER_PREFIX))
    {
        // It came out of a dead-letter topic: a second grave would hide it for good.
        return Err((
            Disposal::Permanent,
            "the record is a dead letter itself".to_owned(),
        ));
    }
    let mut records = Vec::with_capacity(1);
    burial
        .fetched
        .records(burial.index..burial.index + 1, &mut records);
    let record = records[0];
    let mut headers: Vec<_> = original
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(Bytes::copy_from_slice)))
        .collect();
    headers.extend(reasons(source, burial, record.timestamp.millis()));
    let sink = source
        .app
        .sink()
        .ok_or_else(|| (Disposal::Transient, "the app is not connected".to_owned()))?;
    let scope = DeliveryScope::collecting();
    let out = OutRecord {
        producer: None,
        cluster: Some(&source.handler.cluster),
        topic,
        partition: None,
        payload: record.payload,
        key: record.key,
        headers: &headers,
        timestamp: None,
    };
    sink.enqueue(out, scope.token(0))
        .map_err(|error| (refused(&error), error.to_string()))?;
    scope
        .reports()
        .await
        .map(drop)
        .map_err(|failure| (lost(&failure), failure.message().to_owned()))
}

fn reasons(
    source: &Source,
    burial: &Burial,
    timestamp: Option<i64>,
) -> impl Iterator<Item = (String, Option<Bytes>)> {
    let values: [String; DEAD_LETTER_HEADERS.len()] = [
        source.place.topic.clone(),
        source.place.partition.to_string(),
        burial.fetched.offset(burial.index).to_string(),
        timestamp.map_or_else(String::new, |millis| millis.to_string()),
        source.handler.group.clone(),
        source.handler.def.path(),
        burial.error.clone(),
        burial.attempts.to_string(),
    ];
    DEAD_LETTER_HEADERS
        .iter()
        .zip(values)
        .map(|((name, _), value)| (format!("{DEAD_LETTER_PREFIX}{name}"), Some(cut(value))))
}

/// At most [`LONGEST`] bytes, at a character's boundary.
fn cut(mut text: String) -> Bytes {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    text.into()
}

fn refused(error: &ProduceError) -> Disposal {
    if error.is_permanent() {
        Disposal::Permanent
    } else {
        Disposal::Transient
    }
}

fn lost(failure: &Failure) -> Disposal {
    if failure.kind() == FailureKind::Rejected {
        Disposal::Permanent
    } else {
        Disposal::Transient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_error_is_cut_at_a_character() {
        let cut = cut("ä".repeat(600));
        assert_eq!(cut.len(), 1_024);
        assert!(std::str::from_utf8(&cut).is_ok());
        assert_eq!(super::cut("€".repeat(600)).len(), 1_023);
    }
}
