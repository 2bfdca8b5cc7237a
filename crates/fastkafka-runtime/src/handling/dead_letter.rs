//! Dead letters: the record as it was, with headers that say why it is there.
//!
//! What the broker finds too large is written with less of it, and says where the rest lies.

use crate::handling::call::HandlerContext;
use crate::handling::handler::Handler;
use crate::handling::job::DeadLetterJob;
use crate::mail::Mail;
use bytes::Bytes;
use fastkafka_core::{
    DEAD_LETTER_HEADERS, DEAD_LETTER_LEFT_OUT, DEAD_LETTER_PREFIX, DeliveryScope, Failure,
    FailureKind, Header, OutRecord, ProduceError, Record, RecordEnd,
};
use fastkafka_engine::DeadLetterOutcome;

/// Longest value of one of our headers, in bytes.
const LONGEST: usize = 1_024;

/// How much of the record a dead letter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Empty in the place of the payload. Not a tombstone, which would delete what is known under its key.
    WithoutPayload,
    /// Nothing of the record but our headers.
    Notice,
}

impl Extent {
    fn left_out(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::WithoutPayload => Some("payload"),
            Self::Notice => Some("payload, key, headers"),
        }
    }

    fn less(self) -> Option<Self> {
        match self {
            Self::Whole => Some(Self::WithoutPayload),
            Self::WithoutPayload => Some(Self::Notice),
            Self::Notice => None,
        }
    }
}

/// Publishes the record and waits for the report. [S7] The answer is mail for the driver.
pub(crate) async fn write(context: &HandlerContext, job: &DeadLetterJob) -> Mail {
    let (outcome, why) = attempt(context, job).await;
    Mail::DeadLetterDone {
        part: context.part,
        run: job.run,
        at: job.offset,
        outcome,
        why,
    }
}

async fn attempt(
    context: &HandlerContext,
    job: &DeadLetterJob,
) -> (DeadLetterOutcome, Option<String>) {
    let Some(topic) = &context.handler.dead_letter else {
        return (DeadLetterOutcome::Permanent, None);
    };
    let (handler, place) = (context.handler.def.name, &context.place);
    let offset = job.offset;
    let mut extent = Extent::Whole;
    loop {
        let (outcome, reason) = match publish(context, job, topic, extent).await {
            Ok(()) => {
                let without = extent.left_out();
                let without = without.map_or(String::new(), |what| format!(" without {what}"));
                tracing::warn!(
                    handler, %place, offset, attempts = job.attempts,
                    "record written to dead-letter topic `{topic}`{without}: {}", job.error
                );
                if let Some(interceptor) = context.app.interceptor() {
                    let (handler, place) = (context.handler.def, context.place);
                    interceptor.ended(handler, place, offset, RecordEnd::DeadLettered);
                }
                return (DeadLetterOutcome::Written, None);
            }
            Err(refused) => refused,
        };
        if reason.is_too_large
            && let Some(less) = extent.less()
        {
            extent = less;
            continue;
        }
        let what = match outcome {
            DeadLetterOutcome::Permanent => "it stops here",
            _ => "trying again",
        };
        tracing::error!(
            handler, %place, offset,
            "dead letter for topic `{topic}` not written, {what}: {}", reason.text
        );
        let why = format!(
            "its dead letter for topic `{topic}` is not written: {}",
            reason.text
        );
        return (outcome, Some(why));
    }
}

/// Why a dead letter is not written.
struct Reason {
    text: String,
    is_too_large: bool,
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self {
            text,
            is_too_large: false,
        }
    }
}

async fn publish(
    context: &HandlerContext,
    job: &DeadLetterJob,
    topic: &str,
    extent: Extent,
) -> Result<(), (DeadLetterOutcome, Reason)> {
    let original = job.block.headers(job.index);
    let mut records = Vec::with_capacity(1);
    job.block.records(job.index..job.index + 1, &mut records);
    let record = records[0];
    let whole = extent == Extent::Whole;
    let carried = match extent {
        Extent::Notice => Vec::new(),
        _ => said_by_others(&original, &context.handler),
    };
    let carried = carried.into_iter();
    let mut headers: Vec<_> = carried
        .map(|(name, value)| (name.to_owned(), value.map(Bytes::copy_from_slice)))
        .collect();
    headers.extend(reasons(context, job, record.timestamp.millis()));
    if let Some(what) = extent.left_out() {
        let values = [what.to_owned(), size(&record, &original).to_string()];
        headers.extend(ours(&DEAD_LETTER_LEFT_OUT, values));
    }
    let sink = context.app.sink().ok_or_else(|| {
        let why = "the app is not connected".to_owned();
        (DeadLetterOutcome::Transient, why.into())
    })?;
    let scope = DeliveryScope::collecting();
    let out = OutRecord {
        producer: None,
        cluster: Some(&context.handler.cluster),
        topic,
        partition: None,
        payload: record.payload.map(|all| if whole { all } else { &[] }),
        key: record.key.filter(|_| extent != Extent::Notice),
        headers: &headers,
        timestamp: None,
    };
    let failure = match sink.enqueue(out, scope.token(0)) {
        Ok(()) => match scope.reports().await {
            Ok(_) => return Ok(()),
            Err(failure) => failure,
        },
        Err(error) => Failure::from(error),
    };
    Err(refused(&failure))
}

fn reasons(
    context: &HandlerContext,
    job: &DeadLetterJob,
    timestamp: Option<i64>,
) -> impl Iterator<Item = (String, Option<Bytes>)> {
    let values: [String; DEAD_LETTER_HEADERS.len()] = [
        context.place.topic.clone(),
        context.place.partition.to_string(),
        job.offset.to_string(),
        timestamp.map_or_else(String::new, |millis| millis.to_string()),
        context.handler.group.clone(),
        context.handler.def.path(),
        job.error.clone(),
        job.attempts.to_string(),
    ];
    ours(&DEAD_LETTER_HEADERS, values)
}

/// The headers of a record that may have been a dead letter before, and was written back. What this group and
/// handler said of it then makes place for what they say now, or each round would add to it. All else stays:
/// anybody may write a header with a name of ours.
fn said_by_others<'h>(headers: &[Header<'h>], handler: &Handler) -> Vec<Header<'h>> {
    let mut kept = Vec::with_capacity(headers.len());
    let mut rest = headers;
    while let Some((first, others)) = rest.split_first() {
        rest = if let Some(behind) = said_before(rest, handler) {
            behind
        } else {
            kept.push(*first);
            others
        };
    }
    kept
}

/// What stands behind our headers of a former dead letter, if they stand first.
fn said_before<'s, 'h>(headers: &'s [Header<'h>], handler: &Handler) -> Option<&'s [Header<'h>]> {
    let is = |(name, _): &Header<'h>, ours: &(&str, &str)| {
        name.strip_prefix(DEAD_LETTER_PREFIX) == Some(ours.0)
    };
    let (said, behind) = headers.split_at_checked(DEAD_LETTER_HEADERS.len())?;
    let said_by = |what: &str, who: String| {
        let mut said = said.iter().zip(&DEAD_LETTER_HEADERS);
        said.any(|((_, value), (name, _))| *name == what && *value == Some(&cut(who.clone())[..]))
    };
    let ours = said
        .iter()
        .zip(&DEAD_LETTER_HEADERS)
        .all(|(h, ours)| is(h, ours))
        && said_by("group", handler.group.clone())
        && said_by("handler", handler.def.path());
    let is_less = |header: &Header<'h>| DEAD_LETTER_LEFT_OUT.iter().any(|ours| is(header, ours));
    let less = behind.iter().take(DEAD_LETTER_LEFT_OUT.len());
    let less = less.take_while(|header| is_less(header)).count();
    ours.then(|| &behind[less..])
}

/// Our headers with these values.
fn ours<const N: usize>(
    headers: &'static [(&'static str, &'static str); N],
    values: [String; N],
) -> impl Iterator<Item = (String, Option<Bytes>)> {
    let named = headers.iter().zip(values);
    named.map(|((name, _), value)| (format!("{DEAD_LETTER_PREFIX}{name}"), Some(cut(value))))
}

/// The bytes of a record.
fn size(record: &Record<'_>, headers: &[Header<'_>]) -> usize {
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    let headers = headers.iter();
    let headers: usize = headers
        .map(|(name, value)| name.len() + length(*value))
        .sum();
    length(record.payload) + length(record.key) + headers
}

/// At most [`LONGEST`] bytes, at a character's boundary.
fn cut(mut text: String) -> Bytes {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
    }
    text.into()
}

fn refused(failure: &Failure) -> (DeadLetterOutcome, Reason) {
    let outcome = match failure.kind() {
        FailureKind::Rejected => DeadLetterOutcome::Permanent,
        _ => DeadLetterOutcome::Transient,
    };
    let error = failure.error();
    let error = error.and_then(|error| error.downcast_ref::<ProduceError>());
    let reason = Reason {
        text: failure.message().to_owned(),
        is_too_large: matches!(error, Some(ProduceError::TooLarge { .. })),
    };
    (outcome, reason)
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
