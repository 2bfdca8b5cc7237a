//! The records that a stop did not finish, for its result.

/// By key there may be many: so many are named.
const NAMED: usize = 100;

/// The records that a stop did not finish.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Unfinished {
    /// Their handlers were cut, or do not return.
    cut: Named,
    /// They were handled, and something of theirs was still open.
    unsettled: Named,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Named {
    names: Vec<String>,
    more: usize,
}

impl Named {
    fn add(&mut self, name: String) {
        if self.names.len() < NAMED {
            self.names.push(name);
        } else {
            self.more += 1;
        }
    }

    fn told(&self, what: &str) -> Option<String> {
        let names = self.names.join(", ");
        match (self.names.len(), self.more) {
            (0, _) => None,
            (_, 0) => Some(format!("{what}: {names}")),
            (_, more) => Some(format!("{what}: {names} and {more} more")),
        }
    }
}

impl Unfinished {
    pub(crate) fn cut(&mut self, name: String) {
        self.cut.add(name);
    }

    pub(crate) fn unsettled(&mut self, name: String) {
        self.unsettled.add(name);
    }

    /// The result of the stop, with what else is wrong.
    pub(crate) fn result(
        &self,
        more: impl IntoIterator<Item = Option<String>>,
    ) -> Result<(), String> {
        let named = [
            self.cut.told("handlers did not end in time"),
            self.unsettled
                .told("records were handled and not settled in time"),
        ];
        let problems: Vec<_> = named.into_iter().chain(more).flatten().collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_records_are_named_and_the_others_counted() {
        let mut unfinished = Unfinished::default();
        assert_eq!(unfinished.result([None]), Ok(()));
        for offset in 0..103 {
            unfinished.cut(format!("offset {offset}"));
        }
        unfinished.unsettled("offset 7".to_owned());
        let told = unfinished
            .result([Some("and so on".to_owned())])
            .unwrap_err();
        assert!(
            told.starts_with("handlers did not end in time: offset 0, "),
            "{told}"
        );
        let end = "offset 99 and 3 more; records were handled and not settled in time: offset 7; and so on";
        assert!(told.ends_with(end), "{told}");
    }
}
