//! Why records of a partition have failed, and why their dead letters are not written.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    /// The last failure of a record, by offset.
    failures: BTreeMap<i64, String>,
    /// Why its dead letter is not written, since that failure.
    letters: BTreeMap<i64, String>,
}

impl Errors {
    /// An attempt of the record failed.
    pub(crate) fn failed(&mut self, at: i64, why: String) {
        self.failures.insert(at, why);
        self.letters.remove(&at);
    }

    /// Its dead letter is not written.
    pub(crate) fn no_letter(&mut self, at: i64, why: String) {
        self.letters.insert(at, why);
    }

    /// The failure of the handler: what its dead letter says.
    pub(crate) fn of_handler(&self, at: i64) -> &str {
        self.failures.get(&at).map_or("", String::as_str)
    }

    /// Why the record does not go on: what health says.
    pub(crate) fn of_record(&self, at: i64) -> String {
        let failure = self.of_handler(at);
        match self.letters.get(&at) {
            Some(why) if failure.is_empty() => why.clone(),
            Some(why) => format!("{failure}; {why}"),
            None => failure.to_owned(),
        }
    }

    pub(crate) fn forget(&mut self, at: i64) {
        self.failures.remove(&at);
        self.letters.remove(&at);
    }

    pub(crate) fn forget_below(&mut self, watermark: i64) {
        for errors in [&mut self.failures, &mut self.letters] {
            if errors
                .first_key_value()
                .is_some_and(|(at, _)| *at < watermark)
            {
                *errors = errors.split_off(&watermark);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.failures.clear();
        self.letters.clear();
    }
}
