//! The health of producers: one for each client of librdkafka that writes.

use super::code::ProblemCode;
use super::problem::Problem;
use super::subject::Subject;
use std::time::Duration;

/// The health of a client that writes: for producers with equal settings on a cluster, or for its dead
/// letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ProducerHealth {
    /// The name of its cluster; empty for the app's own, unless that has one.
    pub cluster: String,
    /// The functions whose records it writes. Dead letters are of no function.
    pub functions: Vec<&'static str>,
    /// It writes the dead letters of its cluster.
    pub dead_letters: bool,
    /// What is wrong.
    #[serde(skip)]
    pub(crate) open: Vec<Problem>,
}

impl ProducerHealth {
    /// Of a client with which nothing is wrong.
    #[doc(hidden)]
    pub fn new(cluster: &str, functions: Vec<&'static str>, dead_letters: bool) -> Self {
        Self {
            cluster: cluster.to_owned(),
            functions,
            dead_letters,
            open: Vec::new(),
        }
    }

    /// Something is wrong.
    #[doc(hidden)]
    pub fn has_problems(&self) -> bool {
        !self.open.is_empty()
    }

    /// Something is wrong since then, with a partition of a topic or with all. What may pass by itself has to
    /// last for a while to be a problem.
    #[doc(hidden)]
    pub fn add(
        &mut self,
        code: ProblemCode,
        place: Option<(&str, i32)>,
        since: Duration,
        times: u32,
        error: &str,
    ) {
        let functions = self.functions.join(", ");
        let subject = Subject {
            cluster: &self.cluster,
            topic: place.map(|(topic, _)| topic),
            partition: place.map(|(_, partition)| partition),
            producer: Some(if self.dead_letters { "" } else { &functions }),
            ..Subject::default()
        };
        let problem = Problem::new(code, &subject, since, error);
        self.open
            .extend(problem.map(|problem| problem.times(times)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut health: ProducerHealth, since: u64) -> Vec<String> {
        let (code, since) = (ProblemCode::NoBroker, Duration::from_secs(since));
        health.add(code, None, since, 1, "connection refused");
        health.open.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_names_the_functions_and_the_cluster() {
        let of = |functions: &[&'static str]| {
            ProducerHealth::new("payments", functions.to_vec(), functions.is_empty())
        };
        let one =
            "producer `to_a` on `payments`: no broker is reached for 31 s: connection refused";
        assert_eq!(lines(of(&["to_a"]), 31), [one]);
        let two = "producer `to_a`, `to_b` on `payments`: no broker is reached for 31 s: connection refused";
        assert_eq!(lines(of(&["to_a", "to_b"]), 31), [two]);
        let none = "producer of dead letters on `payments`: no broker is reached for 31 s: connection refused";
        assert_eq!(lines(of(&[]), 31), [none]);
        assert!(lines(of(&["to_a"]), 29).is_empty(), "it may pass by itself");
        let mut late = of(&["to_a"]);
        let (code, since) = (ProblemCode::OutputsWait, Duration::from_secs(61));
        late.add(code, Some(("a", 3)), since, 4, "timed out");
        let line = "a[3] on `payments`: records are not acknowledged for 61 s, `to_a`: timed out (4 times)";
        assert_eq!(late.open[0].to_string(), line);
    }
}
