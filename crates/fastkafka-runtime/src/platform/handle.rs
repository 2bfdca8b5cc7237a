//! A consumer that is served: by a thread, or by a task.

use std::sync::Arc;
use tokio::sync::Notify;

/// A consumer that is served.
#[derive(Debug)]
pub enum ConsumerHandle {
    /// By a thread.
    Thread(std::thread::JoinHandle<Result<(), String>>),
    /// By a task.
    Task {
        /// The task.
        task: tokio::task::JoinHandle<Result<(), String>>,
        /// Ends it at once, as a crash would.
        kill: Arc<Notify>,
    },
}

impl ConsumerHandle {
    /// A thread as a task that joins it.
    pub(crate) fn joined(self) -> Self {
        match self {
            Self::Thread(thread) => Self::Task {
                task: tokio::task::spawn_blocking(move || {
                    let panicked = |_| Err("the thread of a consumer panicked".to_owned());
                    thread.join().unwrap_or_else(panicked)
                }),
                kill: Arc::default(),
            },
            task @ Self::Task { .. } => task,
        }
    }
}
