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

    /// The same without the error, which may quote what a record has.
    #[must_use]
    pub fn without_error(&self) -> Self {
        let function = self.function.as_deref();
        let is_task = self.code == ProblemCode::TaskFails;
        let subject = Subject {
            cluster: &self.cluster,
            group: self.group.as_deref(),
            topic: self.topic.as_deref(),
            partition: self.partition,
            offset: self.offset,
            function: function.filter(|_| is_task || self.group.is_some()),
            producer: function,
        };
        let mut without = Self::at_once(self.code, &subject, self.since, "");
        if self.code == ProblemCode::AppEnded {
            without.line = format!("the app {}", self.code.words());
        }
        (without.began, without.blocks) = (self.began, self.blocks);
        without.times(self.times)
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
    fn without_its_error_a_problem_still_says_what_and_where_it_is() {
        let said = |code, subject: &Subject<'_>| {
            let since = Duration::from_secs(31);
            let problem = Problem::at_once(code, subject, since, "secret: 4711").times(4);
            let without = problem.without_error();
            assert_eq!(without.error, "");
            assert_eq!((without.code, without.since), (code, since));
            without.to_string()
        };
        let record = Subject {
            group: Some("shop"),
            topic: Some("orders"),
            partition: Some(3),
            offset: Some(41),
            function: Some("on_orders"),
            ..Subject::default()
        };
        assert_eq!(
            said(ProblemCode::RecordStopped, &record),
            "orders[3] offset 41: stands still for 31 s, `on_orders` (4 times)"
        );
        let task = Subject {
            function: Some("shop::watch"),
            ..Subject::default()
        };
        let line = "background task `shop::watch`: fails for 31 s (4 times)";
        assert_eq!(said(ProblemCode::TaskFails, &task), line);
        let producer = Subject {
            producer: Some("to_a"),
            ..Subject::default()
        };
        let line = "producer `to_a`: no broker is reached for 31 s (4 times)";
        assert_eq!(said(ProblemCode::NoBroker, &producer), line);
        let line = "the app has ended (4 times)";
        assert_eq!(said(ProblemCode::AppEnded, &Subject::default()), line);
    }

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
