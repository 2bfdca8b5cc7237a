//! An app beside a server: the order of their ends, and the time for each.

use super::App;
use crate::error::RunError;
use std::fmt::Display;
use std::pin::pin;
use tokio::time::timeout;

impl App {
    /// Starts, polls the server, and stops when asked to, or when one of the two ends by itself. The
    /// server ends first: a request in hand may send records, and wait for the answer of a handler.
    pub(crate) async fn run_beside<E: Display>(
        &self,
        server: impl Future<Output = Result<(), E>>,
    ) -> Result<(), RunError> {
        match self.start().await {
            // Stopped on request; the server was never polled.
            Err(RunError::Stopped) => return Ok(()),
            started => started?,
        }
        let runtime = self.inner.life.runtime.get().expect("just started");
        let mut server = pin!(server);
        let mut served = None;
        let ended = tokio::select! {
            reason = runtime.failed() => Err(RunError::Ended(reason)),
            () = self.stopping() => Ok(()),
            over = &mut server => {
                served = Some(over);
                Ok(())
            }
        };
        let deadline = self.deadline();
        self.shut_down();
        // The handlers have the other half, so that a request that hangs costs no record.
        let half = self.inner.shutdown_timeout / 2;
        if served.is_none() {
            served = timeout(half, server).await.ok();
        }
        let stopped = self.stop_by(deadline).await;
        let served = match served {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(RunError::Ended(format!("its server failed: {error}"))),
            None => Err(RunError::Stop(format!(
                "its server did not end within {half:?}, half of `shutdown_timeout`: a request is in hand, or \
                 what it streams does not end with `App::stopping`"
            ))),
        };
        both(both(ended, served), stopped)
    }
}

/// The first error decides the variant; the text of the second is appended.
fn both(first: Result<(), RunError>, second: Result<(), RunError>) -> Result<(), RunError> {
    match (first, second) {
        (Ok(()), other) | (other, Ok(())) => other,
        (Err(RunError::Ended(what)), Err(RunError::Ended(more) | RunError::Stop(more))) => {
            Err(RunError::Ended(joined(what, &more)))
        }
        (Err(RunError::Stop(what)), Err(RunError::Ended(more) | RunError::Stop(more))) => {
            Err(RunError::Stop(joined(what, &more)))
        }
        (Err(first), Err(_)) => Err(first),
    }
}

/// Both texts in one: the stop repeats the reason of the end, which is told once.
fn joined(what: String, more: &str) -> String {
    let more: Vec<_> = more
        .split("; ")
        .filter(|more| !what.contains(more))
        .collect();
    if more.is_empty() {
        what
    } else {
        format!("{what}; {}", more.join("; "))
    }
}
