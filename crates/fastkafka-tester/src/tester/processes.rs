//! Processes of the apps that come, go and crash.
//!
//! Nothing here settles: a test may crash a process twice, or in the middle of a call, and look at the
//! state in between.

use super::{Process, Tester};
use crate::watching::transcript::Event;
use fastkafka::App;
use fastkafka::error::RunError;

impl Tester {
    /// Starts another process of the same apps. It has a state of its own, and gets its share of the
    /// partitions. The call returns when the process has started. The other processes may still be giving
    /// up partitions, and records are not waited for: [`Tester::settle`] does that, or the next record
    /// that is sent.
    ///
    /// # Errors
    /// Why it did not start.
    ///
    /// # Panics
    /// When the tester was given apps instead of the function that makes them, see
    /// [`Tester::start_with`].
    pub async fn add_member(&self) -> Result<(), RunError> {
        let _held = self.steps().hold();
        let apps = self.new_apps("add_member");
        self.launch(apps).await
    }

    /// Stops the youngest process as a shutdown would: it finishes the records in hand and commits.
    ///
    /// # Errors
    /// The problems of its stop.
    ///
    /// # Panics
    /// When only one is left.
    pub async fn remove_member(&self) -> Result<(), RunError> {
        assert!(
            self.processes.borrow().len() > 1,
            "the only process cannot be removed; `stop()` ends it"
        );
        let _held = self.steps().hold();
        let process = self.processes.borrow_mut().pop().expect("just counted");
        self.note(Event::Stops {
            process: process.number,
        });
        for app in &process.apps {
            app.stop().await?;
        }
        Ok(())
    }

    /// Crashes the oldest process, and starts another one in its place. Nothing of the old process is
    /// drained or committed, its state is gone, and no stop hook runs. Its group learns of the crash at
    /// once, and records that were not committed are handled again. The call returns when the new process
    /// has started. It does not wait for records, so that the next fault may meet them: [`Tester::settle`]
    /// does that, or the next record that is sent.
    ///
    /// In memory an offset is committed as soon as its record is settled, and not every few seconds. So a
    /// record is repeated only if the crash comes while it is in hand, or under [`Tester::lose_commits`].
    ///
    /// A `blocking` handler runs on a thread, which cannot be stopped. It is waited for: ten seconds by
    /// the machine's clock, or the time of [`settle_within`](crate::TesterBuilder::settle_within).
    ///
    /// # Errors
    /// Why the new process did not start, or which calls of `blocking` handlers did not return.
    ///
    /// # Panics
    /// When the tester was given apps instead of the function that makes them, see
    /// [`Tester::start_with`].
    pub async fn crash_and_restart(&self) -> Result<(), RunError> {
        let oldest = self.processes.borrow().first().map(|oldest| oldest.number);
        self.crash(oldest.unwrap_or_default()).await
    }

    /// The same of the process with this number; nothing happens if it is not there any more.
    pub(crate) async fn crash(&self, number: u32) -> Result<(), RunError> {
        let held = self.steps().hold();
        let is_it = |process: &Process| process.number == number;
        let at = self.processes.borrow().iter().position(is_it);
        let Some(at) = at else { return Ok(()) };
        let apps = self.new_apps("crash_and_restart");
        let process = self.processes.borrow_mut().remove(at);
        self.steps().crashed(number);
        self.note(Event::Crashes { process: number });
        let threads = self.watcher.threads();
        for app in &process.apps {
            tokio::select! {
                biased;
                () = async { app.parts().kill().await } => {}
                () = threads.given_up() => return Err(self.blocked_by_threads()),
            }
        }
        drop(process);
        let _starting = self.steps().starting();
        drop(held);
        self.launch(apps).await
    }

    fn blocked_by_threads(&self) -> RunError {
        RunError::Stop(format!(
            "the process cannot crash, as nothing ends the threads of `blocking` handlers:\n{}",
            self.watcher.running().join("\n")
        ))
    }

    /// The apps of another process, for the method `call`.
    fn new_apps(&self, call: &str) -> Vec<App> {
        match &self.make {
            Some(make) => make(),
            None => panic!(
                "`{call}` starts a process, which needs the function that makes the apps: write `Tester::start_with(app)` in place of `Tester::start(app())`"
            ),
        }
    }
}
