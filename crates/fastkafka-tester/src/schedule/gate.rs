//! The gate of a task: it goes on when its turn has come.

use super::steps::Steps;
use super::turns::Kind;
use fastkafka_core::{AppTask, TaskGate};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

pub(crate) struct Gate {
    turn: Arc<Turn>,
    /// Made once: tokio compares wakers.
    waker: Waker,
}

/// A task among those of a run.
struct Turn {
    steps: Steps,
    id: u64,
}

impl Gate {
    /// `None` where no steps are made.
    pub(crate) fn before(
        steps: &Steps,
        process: u32,
        task: AppTask<'_>,
    ) -> Option<Box<dyn TaskGate>> {
        if !steps.are_made() {
            return None;
        }
        let kind = match task {
            AppTask::Consumer(_) => Kind::Consumer,
            AppTask::Blocking(_) => Kind::Blocking,
            _ => Kind::Other,
        };
        let id = steps.add(task.to_string(), process, kind);
        let turn = Arc::new(Turn {
            steps: steps.clone(),
            id,
        });
        let waker = Waker::from(turn.clone());
        Some(Box::new(Self { turn, waker }))
    }
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.steps.wake(self.id);
    }
}

impl TaskGate for Gate {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        work: &mut dyn FnMut(&mut Context<'_>) -> Poll<()>,
    ) -> Poll<()> {
        /// The turn is over, also after a panic.
        struct Over<'t>(&'t Turn);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.steps.end_poll(self.0.id);
            }
        }
        if !self.turn.steps.begin_poll(self.turn.id, cx.waker()) {
            return Poll::Pending;
        }
        let _over = Over(&self.turn);
        work(&mut Context::from_waker(&self.waker))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.turn.steps.remove(self.turn.id);
    }
}
