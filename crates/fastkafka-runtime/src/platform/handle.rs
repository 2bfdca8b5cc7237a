//! A consumer that is served: by a thread, or by a task.

use std::sync::Arc;
use tokio::sync::{Notify, oneshot};

/// A consumer that is served.
#[derive(Debug)]
pub enum ConsumerHandle {
    /// By a thread.
    Thread {
        /// The thread, until it is joined.
        thread: Option<std::thread::JoinHandle<Result<(), String>>>,
        /// Dropped when it ends.
        ends: oneshot::Receiver<()>,
    },
    /// By a task.
    Task {
        /// The task.
        task: tokio::task::JoinHandle<Result<(), String>>,
        /// Ends it at once, as a crash would.
        kill: Arc<Notify>,
    },
}

impl ConsumerHandle {
    /// Waits until it has ended; who drops the future may wait again. It needs no thread of tokio's pool, which
    /// users' code may have filled, and no task, which would go with its tokio runtime.
    pub(crate) async fn ended(&mut self) -> Result<(), String> {
        match self {
            Self::Thread { thread, ends } => {
                let _ = ends.await;
                let panicked = |_| Err("the thread of a consumer panicked".to_owned());
                // It is over but for its last steps.
                let thread = thread.take();
                thread.map_or(Ok(()), |thread| thread.join().unwrap_or_else(panicked))
            }
            Self::Task { task, .. } => task.await.map_err(|error| error.to_string()).flatten(),
        }
    }
}
