//! A task of its own for one record, or one batch: what order by key and no order are made of.

use super::key_ids::KeyId;
use crate::handling::call::HandlerContext;
use crate::handling::dead_letter;
use crate::handling::job::{DeadLetterJob, Job};
use crate::handling::locks::{Gate, OrderLocks};
use crate::handling::spawned::Tasks;
use crate::mail::Mail;
use crate::shared::Shared;
use fastkafka_engine::PartIndex;
use std::sync::Arc;

/// What a task is made of.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) context: Arc<HandlerContext>,
    pub(crate) job: Job,
    /// Its key, if it has one.
    pub(crate) unit: Option<Arc<KeyId>>,
    /// What its records spawn.
    pub(crate) spawned: Arc<Tasks>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) locks: OrderLocks,
}

/// A task ends with mail: if not, it panicked where nothing can catch that.
struct PanicGuard {
    shared: Arc<Shared>,
    part: PartIndex,
    mail: bool,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if !self.mail {
            self.shared.mailbox.push(Mail::Panicked { part: self.part });
        }
    }
}

impl PanicGuard {
    fn new(context: &HandlerContext) -> Self {
        Self {
            shared: context.shared.clone(),
            part: context.part,
            mail: false,
        }
    }

    fn end(mut self, mail: Mail) {
        self.mail = true;
        self.shared.mailbox.push(mail);
    }
}

impl Task {
    /// Handles the record. It ends with one `Handled` or `Failed`.
    pub(crate) async fn run(self) {
        let guard = PanicGuard::new(&self.context);
        let Self {
            context,
            job,
            unit,
            spawned,
            gate,
            locks,
        } = self;
        gate.pass().await;
        drop(gate);
        if let Some(unit) = &unit {
            locks.wait(context.place, &unit.bytes, &job.halt).await;
        }
        let (part, run) = (context.part, job.run);
        // What earlier attempts spawned must be over before it begins again; by key also what those of
        // later records did.
        end(&unit, &spawned, &job, 0).await;
        if job.halt.released() {
            guard.end(Mail::Handled { part, run });
            job.scope.finish(0, 0);
            return;
        }
        let (ended, _) = context.handle(&job, &spawned, Vec::new()).await;
        let handled = ended.handled;
        match ended.failure {
            None => {
                // Whoever gave the partition away has not seen what was spawned since.
                if job.halt.released() {
                    end(&unit, &spawned, &job, 0).await;
                }
                guard.end(Mail::Handled { part, run });
                job.scope.finish(handled, 0);
            }
            Some((records, failure)) => {
                let (at, next) = (job.offset(handled), job.offset(handled + records));
                end(&unit, &spawned, &job, handled).await;
                context.warn(&job, handled, &failure);
                // Before the scope closes: the engine then knows why the run ends early.
                guard.end(Mail::Failed {
                    part,
                    run,
                    at,
                    next,
                    failure,
                });
                job.scope.finish(handled, records);
            }
        }
    }
}

/// Ends what was spawned by the job's records from `index` on, and by what comes after them by key.
async fn end(unit: &Option<Arc<KeyId>>, spawned: &Tasks, job: &Job, index: usize) {
    let first = job.offset(index);
    let next = if unit.is_some() { i64::MAX } else { job.next };
    spawned.end_within(first, next).await;
}

/// Writes a dead letter. It ends with `DeadLetterDone`.
pub(crate) async fn dead_letter(context: Arc<HandlerContext>, letter: DeadLetterJob) {
    let guard = PanicGuard::new(&context);
    let (part, run) = (context.part, letter.run);
    let outcome = dead_letter::write(&context, &letter).await;
    guard.end(Mail::DeadLetterDone { part, run, outcome });
}
