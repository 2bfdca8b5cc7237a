//! The connections of a listener: a bounded number. Whoever is silent holds none against those who ask.

use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// So many at once.
pub(crate) const MOST: usize = 100;

/// Held by a connection, and by an answer on it that goes on.
pub(crate) type Busy = Arc<()>;

#[derive(Debug, Default)]
pub(crate) struct Connections(VecDeque<(AbortHandle, Busy)>);

impl Connections {
    /// Ends one if there are too many: the oldest that answers nothing, else the oldest.
    pub(crate) fn make_room(&mut self) {
        self.0.retain(|(connection, _)| !connection.is_finished());
        if self.0.len() < MOST {
            return;
        }
        // This list has one, and the connection.
        let is_idle = |(_, busy): &(AbortHandle, Busy)| Arc::strong_count(busy) <= 2;
        let at = self.0.iter().position(is_idle).unwrap_or(0);
        if let Some((connection, _)) = self.0.remove(at) {
            connection.abort();
        }
    }

    pub(crate) fn add(&mut self, connection: AbortHandle, busy: Busy) {
        self.0.push_back((connection, busy));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test]
    async fn of_too_many_the_oldest_that_answers_nothing_ends() {
        let mut connections = Connections::default();
        let (mut tasks, mut at_work) = (Vec::new(), Vec::new());
        for n in 0..MOST + 2 {
            let busy = Busy::default();
            // The first of all streams.
            if n == 0 {
                at_work.push(busy.clone());
            }
            connections.make_room();
            let held = busy.clone();
            let task = tokio::spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            connections.add(task.abort_handle(), busy);
            tasks.push(task);
        }
        for ended in [1, 2] {
            let task = tasks.remove(1);
            assert!(task.await.unwrap_err().is_cancelled(), "{ended}");
        }
        assert!(!tasks.iter().any(tokio::task::JoinHandle::is_finished));
        assert_eq!(connections.0.len(), MOST);
    }
}
