//! Dead letters: the record as it was, with headers that say why it is there.
//!
//! What the broker finds too large is written with less of it, and says where the rest lies.

use crate::handling::call::HandlerContext;
use crate::handling::handler::Handler;
use crate::handling::job::{DeadLetterJob, Job, Letter};
use crate::mail::Mail;
use crate::tasks;
use bytes::Bytes;
use fastkafka_core::{
    AppTask, Collecting, DEAD_LETTER_HEADERS, DEAD_LETTER_LEFT_OUT, DEAD_LETTER_PREFIX,
    DeliveryScope, DeliveryToken, Failure, FailureKind, Fetched, Header, Letters, OutRecord,
    ProduceError, Record, RecordEnd,
};
use fastkafka_engine::DeadLetterOutcome;
use std::sync::Arc;
use std::task::{Context, Waker};

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

/// The dead letters of a run: each is sent as an output of its record. Where that cannot be done, or where the
/// letter is lost, the record has failed, and the engine has its letter [written](write).
#[derive(Debug)]
pub(crate) struct RunLetters<'r> {
    pub(crate) context: &'r Arc<HandlerContext>,
    pub(crate) job: &'r Job,
}

impl RunLetters<'_> {
    /// Nothing waits here: that would be within the time limit of the handler.
    fn has_room(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let sink = self.context.app.sink();
        sink.is_some_and(|sink| sink.poll_room(&mut cx).is_ready())
    }

    fn attempt(&self, at: usize) -> u32 {
        if at == 0 { self.job.attempt } else { 1 }
    }
}

impl Letters for RunLetters<'_> {
    fn is_last(&self, at: usize, failure: &Failure) -> bool {
        let handler = &self.context.handler;
        let last = match failure.kind() {
            FailureKind::Rejected => true,
            FailureKind::Retry { .. } => {
                let most = handler.policy.attempts;
                most.is_some_and(|most| self.attempt(at) >= most)
            }
            FailureKind::Transient { .. } => false,
        };
        handler.dead_letter.is_some() && last
    }

    fn send(&self, at: usize, failure: Failure, token: DeliveryToken) -> Result<(), Failure> {
        let letter = Letter {
            index: self.job.range.start + at,
            offset: self.job.offset(at),
            attempts: self.attempt(at),
            error: failure.message().to_owned(),
        };
        let sent = self.has_room().then(|| {
            let block = &*self.job.block;
            enqueue(self.context, &letter, block, Extent::Whole)
        });
        let Some(Ok(sent)) = sent else {
            token.cancel();
            return Err(failure);
        };
        self.context.meters.given_up(failure.kind());
        tell_end(self.context, letter.offset);
        let context = self.context.clone();
        // Kept as long as the record may be handled again. The letter keeps nothing: a report may come long after
        // the stop's deadline, and records keep their client open.
        let block = Arc::downgrade(&self.job.block);
        let (app, offset) = (self.context.app.clone(), letter.offset);
        let work = async move {
            let again = |extent| match block.upgrade() {
                Some(block) => enqueue(&context, &letter, &*block, extent),
                None => Err(Refused::not_now("its record was given back")),
            };
            match conclude(&context, &letter, Ok(sent), again).await {
                (DeadLetterOutcome::Written, _) => token.cancel(),
                _ => {
                    context.meters.letter_lost(offset);
                    token.fail(Failure::reject(&letter.error));
                }
            }
        };
        let task = AppTask::Letter(self.context.place, offset);
        tasks::spawn(&app, &tokio::runtime::Handle::current(), task, work);
        Ok(())
    }
}

/// Publishes the record and waits for the report. [S7] The answer is mail for the driver.
pub(crate) async fn write(context: &Arc<HandlerContext>, job: &DeadLetterJob) -> Mail {
    let again = |extent| enqueue(context, &job.letter, &*job.block, extent);
    let sent = again(Extent::Whole);
    let (outcome, why) = conclude(context, &job.letter, sent, again).await;
    if outcome == DeadLetterOutcome::Written {
        tell_end(context, job.letter.offset);
    }
    Mail::DeadLetterDone {
        part: context.part,
        run: job.run,
        at: job.letter.offset,
        outcome,
        why,
    }
}

fn tell_end(context: &HandlerContext, offset: i64) {
    if let Some(interceptor) = context.app.interceptor() {
        let (handler, place) = (context.handler.def, context.place);
        interceptor.ended(handler, place, offset, RecordEnd::DeadLettered);
    }
}

/// Why a dead letter is not written.
struct Refused {
    outcome: DeadLetterOutcome,
    text: String,
    is_too_large: bool,
}

impl Refused {
    fn not_now(text: &str) -> Self {
        Self {
            outcome: DeadLetterOutcome::Transient,
            text: text.to_owned(),
            is_too_large: false,
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let error = failure.error();
        let error = error.and_then(|error| error.downcast_ref::<ProduceError>());
        Self {
            outcome: match failure.kind() {
                FailureKind::Rejected => DeadLetterOutcome::Permanent,
                _ => DeadLetterOutcome::Transient,
            },
            text: failure.message().to_owned(),
            is_too_large: matches!(error, Some(ProduceError::TooLarge { .. })),
        }
    }
}

/// Waits for the report of a letter, and writes less of one that is too large with `again`.
async fn conclude(
    context: &Arc<HandlerContext>,
    letter: &Letter,
    mut sent: Result<Collecting, Refused>,
    again: impl Fn(Extent) -> Result<Collecting, Refused>,
) -> (DeadLetterOutcome, Option<String>) {
    let (handler, place, offset) = (context.handler.def.name, &context.place, letter.offset);
    let topic = context.handler.dead_letter.as_deref().unwrap_or_default();
    let mut extent = Extent::Whole;
    loop {
        let reported = match sent {
            Ok(scope) => scope.reports().await.map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        let Err(refused) = reported else {
            context.meters.letter_written(offset);
            if context.letter_lines.take(|| tell_more(context)) {
                let without = extent.left_out();
                let without = without.map_or(String::new(), |what| format!(" without {what}"));
                tracing::warn!(
                    handler, %place, offset, attempts = letter.attempts,
                    "record written to dead-letter topic `{topic}`{without}: {}", letter.error
                );
            }
            return (DeadLetterOutcome::Written, None);
        };
        if refused.is_too_large
            && let Some(less) = extent.less()
        {
            extent = less;
            sent = again(extent);
            continue;
        }
        let what = match refused.outcome {
            DeadLetterOutcome::Permanent => "it stops here",
            _ => "trying again",
        };
        tracing::error!(
            handler, %place, offset,
            "dead letter for topic `{topic}` not written, {what}: {}", refused.text
        );
        let why = format!(
            "its dead letter for topic `{topic}` is not written: {}",
            refused.text
        );
        return (refused.outcome, Some(why));
    }
}

/// Says how many more letters of a second were written than have a line. It may do that after the app has stopped, so
/// it keeps nothing of it.
fn tell_more(context: &HandlerContext) -> impl FnOnce(u32) + Send + use<> {
    let (handler, place) = (context.handler.def.name, context.place);
    let topic = context.handler.dead_letter.clone().unwrap_or_default();
    move |more| {
        tracing::warn!(
            handler, %place,
            "{more} more records written to dead-letter topic `{topic}` within a second"
        );
    }
}

/// Hands a letter to the client; its report comes to the scope.
fn enqueue(
    context: &HandlerContext,
    letter: &Letter,
    block: &dyn Fetched,
    extent: Extent,
) -> Result<Collecting, Refused> {
    let Some(topic) = &context.handler.dead_letter else {
        let outcome = DeadLetterOutcome::Permanent;
        let refused = Refused::not_now("the handler has none");
        return Err(Refused { outcome, ..refused });
    };
    let Some(sink) = context.app.sink() else {
        return Err(Refused::not_now("the app is not connected"));
    };
    let original = block.headers(letter.index);
    let mut records = Vec::with_capacity(1);
    block.records(letter.index..letter.index + 1, &mut records);
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
    headers.extend(reasons(context, letter, record.timestamp.millis()));
    if let Some(what) = extent.left_out() {
        let values = [what.to_owned(), size(&record, &original).to_string()];
        headers.extend(ours(&DEAD_LETTER_LEFT_OUT, values));
    }
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
        rest: false,
    };
    match sink.enqueue(out, scope.token(0)) {
        Ok(()) => Ok(scope),
        Err(error) => Err(Failure::from(error).into()),
    }
}

fn reasons(
    context: &HandlerContext,
    letter: &Letter,
    timestamp: Option<i64>,
) -> impl Iterator<Item = (String, Option<Bytes>)> {
    let values: [String; DEAD_LETTER_HEADERS.len()] = [
        context.place.topic.clone(),
        context.place.partition.to_string(),
        letter.offset.to_string(),
        timestamp.map_or_else(String::new, |millis| millis.to_string()),
        context.handler.group.clone(),
        context.handler.def.path(),
        letter.error.clone(),
        letter.attempts.to_string(),
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
    named.map(|((name, _), value)| ([DEAD_LETTER_PREFIX, name].concat(), Some(cut(value))))
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
