//! A task of its own for one record, or one batch: what order by key and no order are made of.

use super::units::Unit;
use crate::call::Source;
use crate::dead_letter;
use crate::job::{Burial, Job};
use crate::locks::{Gate, OrderLocks};
use crate::mailbox::Mail;
use crate::owner::Shared;
use crate::tasks::Tasks;
use fastkafka_engine::Part;
use std::sync::Arc;

/// What a task is made of.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) source: Arc<Source>,
    pub(crate) job: Job,
    /// Its key, if it has one.
    pub(crate) unit: Option<Arc<Unit>>,
    /// What its records spawn.
    pub(crate) spawned: Arc<Tasks>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) locks: OrderLocks,
}

/// A task ends with mail: if not, it panicked where nothing can catch that.
struct Alarm {
    shared: Arc<Shared>,
    part: Part,
    mail: bool,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if !self.mail {
            self.shared.mailbox.push(Mail::Died { part: self.part });
        }
    }
}

impl Alarm {
    fn new(source: &Source) -> Self {
        Self {
            shared: source.shared.clone(),
            part: source.part,
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
        let alarm = Alarm::new(&self.source);
        let Self {
            source,
            job,
            unit,
            spawned,
            gate,
            locks,
        } = self;
        gate.pass().await;
        drop(gate);
        if let Some(unit) = &unit {
            locks.wait(source.place, &unit.bytes, &job.halt).await;
        }
        let (part, run) = (source.part, job.run);
        // What earlier attempts spawned must be over before it begins again; by key also what those of
        // later records did.
        end(&unit, &spawned, &job, 0).await;
        if job.halt.released() {
            alarm.end(Mail::Handled { part, run });
            job.scope.finish(0, 0);
            return;
        }
        let (ended, _) = source.handle(&job, &spawned, Vec::new()).await;
        let handled = ended.handled;
        match ended.failure {
            None => {
                // Whoever gave the partition away has not seen what was spawned since.
                if job.halt.released() {
                    end(&unit, &spawned, &job, 0).await;
                }
                alarm.end(Mail::Handled { part, run });
                job.scope.finish(handled, 0);
            }
            Some((records, failure)) => {
                let (at, next) = (job.offset(handled), job.offset(handled + records));
                end(&unit, &spawned, &job, handled).await;
                source.warn(&job, handled, &failure);
                // Before the scope closes: the engine then knows why the run ends early.
                alarm.end(Mail::Failed {
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
async fn end(unit: &Option<Arc<Unit>>, spawned: &Tasks, job: &Job, index: usize) {
    let first = job.offset(index);
    let next = if unit.is_some() { i64::MAX } else { job.next };
    spawned.end_within(first, next).await;
}

/// Writes a dead letter. It ends with `Disposed`.
pub(crate) async fn bury(source: Arc<Source>, burial: Burial) {
    let alarm = Alarm::new(&source);
    let (part, run) = (source.part, burial.run);
    let outcome = dead_letter::write(&source, &burial).await;
    alarm.end(Mail::Disposed { part, run, outcome });
}
