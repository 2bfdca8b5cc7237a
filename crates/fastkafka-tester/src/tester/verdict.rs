//! What fails a test at its end, in its own thread.

use crate::tester::Tester;

impl Tester {
    /// A handler that panics is a failed attempt of its record, as in production, and no more: by
    /// default it fails the test. So does a background task that panics and is restarted; one that is not
    /// ends its app and fails the test in any case.
    pub fn allow_panics(&self) {
        self.watcher().allow_panics();
    }

    /// What handlers and mocks have left to say, once.
    pub(crate) fn verdict(&self) -> Vec<String> {
        let failure = self.watcher().take_failure();
        failure.into_iter().chain(self.watcher().verify()).collect()
    }
}

/// A test that ends without [`Tester::stop`] is judged all the same. One that fails already is not.
impl Drop for Tester {
    fn drop(&mut self) {
        self.watcher().threads().end_test();
        if !std::thread::panicking() {
            let problems = self.verdict();
            assert!(problems.is_empty(), "{}", problems.join("\n"));
        }
    }
}
