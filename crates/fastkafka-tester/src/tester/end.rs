//! The end of a test, where everything that is wrong has to come out.

use super::{Backend, Tester};
use crate::watching::transcript::Event;

impl Tester {
    /// Lets handlers panic without failing the test. A handler that panics is a failed attempt of its
    /// record, as in production; by default it fails the test as well. So does a background task that
    /// panics and is restarted; one that is not restarted ends its app and fails the test in any case.
    pub fn allow_panics(&self) {
        self.watcher.allow_panics();
    }

    /// Stops the apps as a shutdown would: records in hand are finished, stop hooks run.
    ///
    /// # Panics
    /// With everything that did not end well.
    #[track_caller]
    pub fn stop(self) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let mut problems = Vec::new();
            for process in self.processes.borrow().iter() {
                self.note(Event::Stops {
                    process: process.number,
                });
            }
            for app in self.apps() {
                problems.extend(app.stop().await.err().map(|error| error.to_string()));
            }
            if let Backend::Memory(clusters) = &self.backend {
                for cluster in clusters.all() {
                    problems.append(&mut cluster.state().complaints);
                }
            }
            for problem in self.take_failures() {
                // A background task that failed is also the reason why its app did.
                if !problems.iter().any(|known| known.contains(&problem)) {
                    problems.push(problem);
                }
            }
            assert!(problems.is_empty(), "{at}: {}", problems.join("\n"));
        }
    }

    /// The failures of handlers, and the expectations of mocks that are not met. Once.
    fn take_failures(&self) -> Vec<String> {
        let failure = self.watcher.take_failure();
        failure.into_iter().chain(self.watcher.verify()).collect()
    }
}

/// A test that ends without [`Tester::stop`] fails for the same reasons, unless it fails already.
impl Drop for Tester {
    fn drop(&mut self) {
        for app in self.apps() {
            app.parts().allow_drop();
        }
        self.watcher.threads().end_test();
        if !std::thread::panicking() {
            let problems = self.take_failures();
            assert!(problems.is_empty(), "{}", problems.join("\n"));
        }
    }
}
