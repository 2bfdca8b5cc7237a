//! Dead letters: the record as it was, with headers that say why it is there.

use crate::handling::call::HandlerContext;
use crate::handling::job::DeadLetterJob;
use bytes::Bytes;
use fastkafka_core::{
    DEAD_LETTER_HEADERS, DEAD_LETTER_PREFIX, DeliveryScope, Failure, FailureKind, OutRecord,
    ProduceError, RecordEnd,
};
use fastkafka_engine::DeadLetterOutcome;

/// Longest value of one of our headers, in bytes.
const LONGEST: usize = 1_024;

/// Publishes the record and waits for the report. [S7]
pub(crate) async fn write(context: &HandlerContext, job: &DeadLetterJob) -> DeadLetterOutcome {
    let Some(topic) = &context.handler.dead_letter else {
        return DeadLetterOutcome::Permanent;
    };
    match publish(context, job, topic).await {
        Ok(()) => {
            tracing::warn!(
                handler = context.handler.def.name,
                place = %context.place,
                offset = job.block.offset(job.index),
                attempts = job.attempts,
                "record written to dead-letter topic `{topic}`: {}",
                job.error
            );
            if let Some(interceptor) = context.app.interceptor() {
                let offset = job.block.offset(job.index);
                let (handler, place) = (context.handler.def, context.place);
                interceptor.ended(handler, place, offset, RecordEnd::DeadLettered);
            }
            DeadLetterOutcome::Written
        }
        Err((outcome, reason)) => {
            tracing::error!(
                handler = context.handler.def.name,
                place = %context.place,
                offset = job.block.offset(job.index),
                "dead letter for topic `{topic}` not written{}: {reason}",
                if outcome == DeadLetterOutcome::Permanent { ", it stops here" } else { ", trying again" }
            );
            outcome
        }
    }
}

async fn publish(
    context: &HandlerContext,
    job: &DeadLetterJob,
    topic: &str,
) -> Result<(), (DeadLetterOutcome, String)> {
    let original = job.block.headers(job.index);
    if original
        .iter()
        .any(|(name, _)| name.starts_with(DEAD_LETTER_PREFIX))
    {
        // It came out of a dead-letter topic: written there again it would be hidden for good.
        return Err((
            DeadLetterOutcome::Permanent,
            "the record is a dead letter itself".to_owned(),
        ));
    }
    let mut records = Vec::with_capacity(1);
    job.block.records(job.index..job.index + 1, &mut records);
    let record = records[0];
    let mut headers: Vec<_> = original
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(Bytes::copy_from_slice)))
        .collect();
    headers.extend(reasons(context, job, record.timestamp.millis()));
    let sink = context.app.sink().ok_or_else(|| {
        (
            DeadLetterOutcome::Transient,
            "the app is not connected".to_owned(),
        )
    })?;
    let scope = DeliveryScope::collecting();
    let out = OutRecord {
        producer: None,
        cluster: Some(&context.handler.cluster),
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
    context: &HandlerContext,
    job: &DeadLetterJob,
    timestamp: Option<i64>,
) -> impl Iterator<Item = (String, Option<Bytes>)> {
    let values: [String; DEAD_LETTER_HEADERS.len()] = [
        context.place.topic.clone(),
        context.place.partition.to_string(),
        job.block.offset(job.index).to_string(),
        timestamp.map_or_else(String::new, |millis| millis.to_string()),
        context.handler.group.clone(),
        context.handler.def.path(),
        job.error.clone(),
        job.attempts.to_string(),
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

fn refused(error: &ProduceError) -> DeadLetterOutcome {
    if error.is_permanent() {
        DeadLetterOutcome::Permanent
    } else {
        DeadLetterOutcome::Transient
    }
}

fn lost(failure: &Failure) -> DeadLetterOutcome {
    if failure.kind() == FailureKind::Rejected {
        DeadLetterOutcome::Permanent
    } else {
        DeadLetterOutcome::Transient
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
