//! The tasks of an app. Each begins here, so that a test may decide which of them goes on next.

use fastkafka_core::{AppContext, AppTask, TaskGate};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Spawns a task of the app. Where no test puts a gate before it this is tokio's `spawn`.
pub(crate) fn spawn<F>(
    app: &AppContext,
    tokio: &Handle,
    task: AppTask<'_>,
    work: F,
) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let gate = app
        .interceptor()
        .and_then(|interceptor| interceptor.gate(task));
    match gate {
        None => tokio.spawn(work),
        Some(gate) => tokio.spawn(Gated {
            work: Box::pin(work),
            gate,
        }),
    }
}

/// A task behind its gate. The work is dropped first, so that what it wakes meanwhile finds the gate.
struct Gated<F> {
    work: Pin<Box<F>>,
    gate: Box<dyn TaskGate>,
}

impl<F: Future> Future for Gated<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { work, gate } = &mut *self;
        let mut output = None;
        let polled = gate.poll(cx, &mut |cx| {
            work.as_mut().poll(cx).map(|ready| output = Some(ready))
        });
        match (polled, output) {
            (Poll::Ready(()), Some(output)) => Poll::Ready(output),
            _ => Poll::Pending,
        }
    }
}
