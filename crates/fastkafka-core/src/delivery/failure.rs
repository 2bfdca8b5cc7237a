//! The failure of a handler.

use crate::delivery::error::ProduceError;
use crate::function::catch::drop_quietly;
use crate::one_line::one_line;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The consequence that a failure may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Another attempt, after the back-off of the handler or after `after`.
    Retry {
        /// Wait this long instead of the handler's back-off.
        after: Option<Duration>,
    },
    /// No attempt can help: straight to the handler's `on_failure` or `dead_letter`.
    Rejected,
    /// Not the record's fault: try again without limit.
    Transient {
        /// Wait this long instead of the handler's back-off.
        after: Option<Duration>,
    },
}

/// The reason why a handler did not accept a record, and the consequence it may have.
///
/// A handler's own error becomes [`Failure::retry`] by itself. Return `Failure` where the kind
/// depends on what happened:
///
/// ```
/// # use fastkafka_core::Failure;
/// fn charge(status: u16) -> Result<(), Failure> {
///     match status {
///         200 => Ok(()),
///         422 => Err(Failure::reject("the card is not valid")),
///         429 => Err(Failure::retry_after("slow down", std::time::Duration::from_secs(5))),
///         503 => Err(Failure::transient("the bank is down")),
///         other => Err(Failure::retry(format_args!("status {other}"))),
///     }
/// }
/// # assert!(charge(200).is_ok());
/// ```
//
// Neither `Display` nor `Error`: `Result<(), E>` for any `E: Display` would overlap with it.
pub struct Failure {
    kind: FailureKind,
    message: String,
    source: Option<Source>,
}

/// An error of the user's, which may panic when it is dropped: at work is then a thread that serves others.
struct Source(Option<Box<dyn Error + Send + Sync>>);

impl Drop for Source {
    fn drop(&mut self) {
        drop_quietly(self.0.take());
    }
}

impl Failure {
    /// A failed attempt: retried with the handler's back-off while attempts are left.
    pub fn retry(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Retry { after: None }, &message)
    }

    /// A failed attempt, retried after `wait`.
    pub fn retry_after(message: impl fmt::Display, wait: Duration) -> Self {
        Self::new(FailureKind::Retry { after: Some(wait) }, &message)
    }

    /// No attempt can help: straight to `on_failure` or the dead letter.
    pub fn reject(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Rejected, &message)
    }

    /// Not the record's fault (a database that is down): retried without limit, and readiness says so.
    pub fn transient(message: impl fmt::Display) -> Self {
        Self::new(FailureKind::Transient { after: None }, &message)
    }

    fn new(kind: FailureKind, message: &dyn fmt::Display) -> Self {
        Self {
            kind,
            message: one_line(message),
            source: None,
        }
    }

    /// A failed attempt that keeps the error it came from.
    pub fn from_error(error: impl Error + Send + Sync + 'static) -> Self {
        Self {
            kind: FailureKind::Retry { after: None },
            message: one_line(chain(&error)),
            source: Some(Source(Some(Box::new(error)))),
        }
    }

    /// The same failure with another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }

    /// The consequence that it may have.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The message, with the causes of the error it came from: one line of at most 1,024 bytes, whatever
    /// was quoted in it ([`one_line`]).
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The produce error that it came from, if it came from one.
    pub(crate) fn into_produce_error(self) -> ProduceError {
        let error = self
            .error()
            .and_then(|error| error.downcast_ref::<ProduceError>())
            .cloned();
        error.unwrap_or_else(|| ProduceError::Lost(self.message().to_owned()))
    }

    /// The error it came from, if the handler returned one.
    pub fn error(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_ref()?.0.as_deref()
    }
}

/// `a: b: c`, leaving out causes that the text above already ends with.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// A batch handler's failure that names the first record it could not handle.
///
/// The records before it are done; it and the ones after it are not. `index` counts in the `Vec`
/// the handler was given.
///
/// ```
/// # use fastkafka_core::BatchFailure;
/// fn insert(rows: &[u32]) -> Result<(), BatchFailure> {
///     for (i, row) in rows.iter().enumerate() {
///         if *row == 13 {
///             return Err(BatchFailure::at(i, "thirteen is not a row"));
///         }
///     }
///     Ok(())
/// }
/// assert_eq!(insert(&[1, 13]).unwrap_err().index(), 1);
/// ```
#[derive(Debug)]
pub struct BatchFailure {
    index: usize,
    failure: Failure,
}

impl BatchFailure {
    /// The record at `index` failed with `error`: a `Failure`, or anything that displays.
    pub fn at(index: usize, error: impl IntoFailure) -> Self {
        Self {
            index,
            failure: error.into_failure(),
        }
    }

    /// The record's index in the batch.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The reason.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    pub(crate) fn into_parts(self) -> (usize, Failure) {
        (self.index, self.failure)
    }
}

/// The reason of a failure: a [`Failure`], or anything that implements `Display`.
pub trait IntoFailure {
    /// Turns the reason into a failure.
    fn into_failure(self) -> Failure;
}

impl IntoFailure for Failure {
    fn into_failure(self) -> Failure {
        self
    }
}

impl<E: fmt::Display> IntoFailure for E {
    fn into_failure(self) -> Failure {
        Failure::retry(self)
    }
}

/// A record does not fit the parameters of its handler. Never retried.
#[derive(Debug)]
pub struct Rejection(String);

impl Rejection {
    /// A rejection with this reason, in one line of at most 1,024 bytes ([`one_line`]).
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(one_line(reason))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Rejection {}

/// Rejected when no repetition can help ([`ProduceError::is_permanent`]), transient when it is not the
/// record's fault ([`ProduceError::is_transient`]).
impl From<ProduceError> for Failure {
    fn from(error: ProduceError) -> Self {
        let kind = if error.is_permanent() {
            FailureKind::Rejected
        } else if error.is_transient() {
            FailureKind::Transient { after: None }
        } else {
            FailureKind::Retry { after: None }
        };
        Self::from_error(error).with_kind(kind)
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::from_error(rejection).with_kind(FailureKind::Rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_causes_and_itself() {
        let inner = "x".parse::<u8>().unwrap_err();
        let outer = std::io::Error::other(inner);
        let failure = Failure::from_error(outer);
        assert_eq!(failure.message(), "invalid digit found in string");
        assert!(failure.error().is_some());
        assert_eq!(failure.kind(), FailureKind::Retry { after: None });
    }

    #[test]
    fn what_can_never_be_sent_is_rejected() {
        let refused = |permanent| ProduceError::NotDelivered {
            topic: "t".into(),
            reason: "no".into(),
            permanent,
        };
        assert_eq!(Failure::from(refused(true)).kind(), FailureKind::Rejected);
        assert_eq!(
            Failure::from(refused(false)).kind(),
            FailureKind::Retry { after: None }
        );
        let (topic, reason) = ("t".to_owned(), "10 MB".to_owned());
        let large = ProduceError::TooLarge { topic, reason };
        assert_eq!(Failure::from(large).kind(), FailureKind::Rejected);
    }

    #[test]
    fn the_end_of_a_client_or_a_login_is_not_the_records_fault() {
        let ended = ProduceError::ClientEnded {
            topic: "t".into(),
            reason: "fatal".into(),
        };
        let away = ProduceError::Unavailable {
            topic: "t".into(),
            reason: "the login is refused".into(),
        };
        for error in [ended, away] {
            let kind = Failure::from(error).kind();
            assert_eq!(kind, FailureKind::Transient { after: None });
        }
    }
}
