//! A task for one record, or one batch: what order by key and no order are made of.

use super::key_ids::KeyId;
use crate::handling::call::HandlerContext;
use crate::handling::dead_letter;
use crate::handling::job::{DeadLetterJob, Job};
use crate::handling::locks::{Gate, OrderLocks};
use crate::handling::spawned::Spawned;
use crate::mail::Mail;
use crate::shared::Shared;
use fastkafka_engine::PartIndex;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) context: Arc<HandlerContext>,
    pub(crate) job: Job,
    pub(crate) key: Option<Arc<KeyId>>,
    /// The tasks that the records of its key spawn, or all records without a key.
    pub(crate) spawned: Arc<Spawned>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) locks: OrderLocks,
}

/// A task ends with mail. If it has sent none, it was dropped, or it panicked where nothing can catch that.
struct MailGuard {
    shared: Arc<Shared>,
    part: PartIndex,
    is_sent: bool,
}

impl Drop for MailGuard {
    fn drop(&mut self) {
        if !self.is_sent && std::thread::panicking() {
            self.shared.mailbox.push(Mail::Panicked { part: self.part });
        }
    }
}

impl MailGuard {
    fn new(context: &HandlerContext) -> Self {
        Self {
            shared: context.shared.clone(),
            part: context.part,
            is_sent: false,
        }
    }

    fn end(mut self, mail: Mail) {
        self.is_sent = true;
        self.shared.mailbox.push(mail);
    }
}

impl Task {
    /// Handles the run. It ends with one `Handled` or `Failed`.
    pub(crate) async fn run(self) {
        let guard = MailGuard::new(&self.context);
        let Self {
            context,
            job,
            key,
            spawned,
            gate,
            locks,
        } = self;
        // The partition's former owner in this process must have given it back, and a task of the same
        // key that is still at work there must have ended.
        gate.pass().await;
        drop(gate);
        if let Some(key) = &key {
            locks.wait(context.place, &key.bytes, &job.stop).await;
        }
        let (part, run) = (context.part, job.run);
        let spawned_by = SpawnedBy {
            by_key: key.is_some(),
            spawned: &spawned,
            job: &job,
        };
        // The tasks that an earlier attempt spawned must be over before the record begins again.
        spawned_by.end_from(0).await;
        if job.stop.released() {
            guard.end(Mail::Handled { part, run });
            job.scope.finish(0, 0);
            return;
        }
        let (ended, _) = context.handle(&job, &spawned, Vec::new()).await;
        let handled = ended.handled;
        match ended.failure {
            None => {
                // When the partition was given back meanwhile, nobody has seen what was spawned since.
                if job.stop.released() {
                    spawned_by.end_from(0).await;
                }
                guard.end(Mail::Handled { part, run });
                job.scope.finish(handled, 0);
            }
            Some((records, failure)) => {
                let (at, next) = (job.offset(handled), job.offset(handled + records));
                spawned_by.end_from(handled).await;
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

/// The tasks that the records of a job have spawned, among those of other records.
struct SpawnedBy<'t> {
    by_key: bool,
    spawned: &'t Spawned,
    job: &'t Job,
}

impl SpawnedBy<'_> {
    /// Ends what the records from `index` on have spawned. By key also what later records of the key
    /// have: they are handled again after these.
    async fn end_from(&self, index: usize) {
        let next = if self.by_key { i64::MAX } else { self.job.next };
        let first = self.job.offset(index);
        self.spawned.end_within(first, next).await;
    }
}

/// Writes a dead letter. It ends with `DeadLetterDone`.
pub(crate) async fn dead_letter(context: Arc<HandlerContext>, job: DeadLetterJob) {
    let guard = MailGuard::new(&context);
    guard.end(dead_letter::write(&context, &job).await);
}
