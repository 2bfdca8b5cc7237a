//! The thread that asks for what no fetch tells: the ends of logs that nothing is read of.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Between two rounds. A partition of which no fetch has told an end for so long is asked about.
const ROUND: Duration = Duration::from_secs(5);

/// Asks until it is dropped.
#[derive(Debug)]
pub(super) struct Asking {
    /// Until it is to end.
    goes_on: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Asking {
    pub(super) fn begin(ask: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (goes_on, ends) = channel();
        let thread = thread::Builder::new().name("fk-lag".to_owned());
        let thread = thread.spawn(move || {
            while ends.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                ask();
            }
        })?;
        Ok(Self {
            goes_on: Some(goes_on),
            thread: Some(thread),
        })
    }

    /// No other round begins. One that is under way has its answers within seconds.
    pub(super) fn end(&mut self) {
        self.goes_on = None;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.end();
        if let Some(thread) = self.thread.take() {
            // If it has panicked, that was said.
            let _ = thread.join();
        }
    }
}
