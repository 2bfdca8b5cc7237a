//! The error of a wait that ends with open records.

use std::fmt;

/// Records that do not become terminal, each with the reason as far as it is known.
///
/// ```
/// # use fastkafka_tester::Unsettled;
/// fn names_the_record(error: &Unsettled) -> bool {
///     error.problems().iter().any(|problem| problem.contains("orders[0]"))
/// }
/// # let _ = names_the_record;
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unsettled(Vec<String>);

impl Unsettled {
    pub(crate) fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }

    /// One line for each record, partition or app.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// The same text as `Display`, because `unwrap` prints this one.
impl fmt::Debug for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
