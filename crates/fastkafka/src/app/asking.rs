//! The thread that asks for what no fetch tells: the ends of logs that nothing is read of.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Between two rounds of an app. A partition of which no fetch has told an end for so long is asked about.
pub(super) const ROUND: Duration = Duration::from_secs(5);

/// Asks until it is dropped.
#[derive(Debug)]
pub(super) struct Asking {
    goes_on: Arc<AtomicBool>,
    /// Wakes the thread when it goes.
    ends: Option<Sender<()>>,
    /// Goes with the thread.
    over: Option<oneshot::Receiver<Infallible>>,
}

impl Asking {
    /// `ask` makes a round, and looks between two questions whether it goes on.
    pub(super) fn begin(
        round: Duration,
        ask: impl Fn(&(dyn Fn() -> bool + Sync)) + Send + 'static,
    ) -> io::Result<Self> {
        let (ends, ended) = channel();
        let (over, is_over) = oneshot::channel();
        let goes_on = Arc::new(AtomicBool::new(true));
        let go_on = goes_on.clone();
        let thread = thread::Builder::new().name("fk-lag".to_owned());
        // Nobody joins it: a question that is under way may take longer than a stop.
        thread.spawn(move || {
            while ended.recv_timeout(round) == Err(RecvTimeoutError::Timeout) {
                ask(&|| go_on.load(Ordering::Relaxed));
            }
            drop(over);
        })?;
        Ok(Self {
            goes_on,
            ends: Some(ends),
            over: Some(is_over),
        })
    }

    /// No other question is asked.
    pub(super) fn end(&mut self) {
        self.goes_on.store(false, Ordering::Relaxed);
        self.ends = None;
    }

    /// Ends it, and waits for the question that is under way, if that is answered in time.
    pub(super) async fn close(mut self, deadline: Instant) {
        self.end();
        if let Some(over) = self.over.take()
            && timeout_at(deadline, over).await.is_err()
        {
            tracing::debug!("a question for the ends of logs is not answered yet");
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[tokio::test(start_paused = true)]
    async fn an_end_waits_for_a_question_and_no_longer_than_it_may() {
        for answered in [true, false] {
            let (asked, is_asked) = channel();
            let (answer, is_answered) = sync_channel::<()>(1);
            let mut asking = Asking::begin(Duration::ZERO, move |goes_on| {
                assert!(goes_on());
                asked.send(()).unwrap();
                let _ = is_answered.recv();
                assert!(!goes_on());
            })
            .unwrap();
            is_asked.recv().unwrap();
            asking.end();
            if answered {
                answer.send(()).unwrap();
                // The thread ends by itself, in no virtual time.
                asking.over.take().unwrap().await.unwrap_err();
            }
            let deadline = Instant::now() + ROUND;
            asking.close(deadline).await;
            assert_eq!(Instant::now() >= deadline, !answered);
        }
    }
}
