//! A problem of a running app, as data and as a line.

use super::code::ProblemCode;
use super::subject::Subject;
use super::time::{seconds, unix_time};
use std::fmt;
use std::time::{Duration, SystemTime};

/// Something that the app should do and does not, or has not done for half a minute.
///
/// Each problem goes when there is evidence that it is over, and not sooner: [`Problem::ends`] says which.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of problem.
    pub code: ProblemCode,
    /// The name of the cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The id of the group, where it is a consumer's.
    pub group: Option<String>,
    /// The topic, where it concerns one.
    pub topic: Option<String>,
    /// The partition, where it concerns one.
    pub partition: Option<i32>,
    /// The offset of the record, where it concerns one.
    pub offset: Option<i64>,
    /// The handler, the producers or the background task, where it concerns one.
    pub function: Option<String>,
    /// For how long, on a clock that nobody sets.
    #[serde(serialize_with = "seconds")]
    pub since: Duration,
    /// The time of day when it began.
    #[serde(serialize_with = "unix_time")]
    pub began: SystemTime,
    /// How often it has come: more than once where it comes and goes.
    pub times: u32,
    /// The last error.
    pub error: String,
    /// True when the app is not ready because of it.
    pub blocks: bool,
    line: String,
}

impl Problem {
    /// `None` as long as a problem of this kind may pass by itself.
    pub(crate) fn new(
        code: ProblemCode,
        subject: &Subject<'_>,
        since: Duration,
        error: &str,
    ) -> Option<Self> {
        let lasts = since >= code.patience();
        lasts.then(|| Self::at_once(code, subject, since, error))
    }

    /// Where it will not pass by itself, whatever others of its kind do.
    pub(crate) fn at_once(
        code: ProblemCode,
        subject: &Subject<'_>,
        since: Duration,
        error: &str,
    ) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut line = format!("{}: {}", subject.named(), code.words());
        if since.as_secs() > 0 {
            line += &format!(" for {} s", since.as_secs());
        }
        let function = subject.function.or(subject.producer);
        let function = function.filter(|name| !name.is_empty());
        if let (Some(_), Some(function)) = (subject.topic, function) {
            line += &format!(", `{function}`");
        }
        if !error.is_empty() {
            line += &format!(": {error}");
        }
        Self {
            code,
            cluster: subject.cluster.to_owned(),
            group: owned(subject.group),
            topic: owned(subject.topic),
            partition: subject.partition,
            offset: subject.offset,
            function: owned(subject.function.or(subject.producer)),
            since,
            began: SystemTime::now()
                .checked_sub(since)
                .unwrap_or(SystemTime::UNIX_EPOCH),
            times: 1,
            error: error.to_owned(),
            blocks: true,
            line,
        }
    }

    /// Says it in other words.
    #[must_use]
    pub(crate) fn in_words(mut self, line: String) -> Self {
        self.line = line;
        self
    }

    /// It came and went so often.
    #[must_use]
    pub(crate) fn times(mut self, times: u32) -> Self {
        if times > 1 {
            self.times = times;
            self.line += &format!(" ({times} times)");
        }
        self
    }

    /// The evidence with which it goes.
    pub fn ends(&self) -> &'static str {
        self.code.ends()
    }
}

/// One line.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// For tests that compare lines.
impl PartialEq<&str> for Problem {
    fn eq(&self, line: &&str) -> bool {
        self.line == *line
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_a_problem_after_half_a_minute() {
        let subject = Subject {
            cluster: "payments",
            topic: Some("orders"),
            partition: Some(3),
            ..Subject::default()
        };
        let problem = |code, seconds| {
            let since = Duration::from_secs(seconds);
            Problem::new(code, &subject, since, "not authorised")
        };
        assert_eq!(problem(ProblemCode::CommitRefused, 29), None);
        let refused = problem(ProblemCode::CommitRefused, 30).unwrap();
        assert_eq!(
            refused.times(5),
            "orders[3] on `payments`: commits are refused for 30 s: not authorised (5 times)"
        );
        let deleted = problem(ProblemCode::TopicRefused, 0).unwrap();
        assert_eq!(
            deleted,
            "orders[3] on `payments`: cannot be read: not authorised"
        );
    }
}
