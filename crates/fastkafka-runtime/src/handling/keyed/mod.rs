//! A partition in order by key, or without order: each record that starts is a task of its own.

mod copied;
mod key_ids;
mod records;
mod task;

pub(crate) use self::key_ids::KeyId;
pub(crate) use self::task::Task;

use self::key_ids::KeyIds;
use self::records::KeyedRecords;
use self::task::dead_letter;
use crate::handling::call::HandlerContext;
use crate::handling::job::{DeadLetterJob, Job};
use crate::handling::locks::{Gate, OrderLocks};
use crate::handling::spawned::Tasks;
use fastkafka_core::{Fetched, Record};
use fastkafka_engine::{Key, Read, RunId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};

/// What the owner keeps of such a partition.
#[derive(Debug)]
pub(crate) struct Keyed {
    context: Arc<HandlerContext>,
    locks: OrderLocks,
    gate: Arc<Gate>,
    tokio: Handle,
    kept: KeyedRecords,
    key_ids: KeyIds,
    /// What records without a key have spawned.
    loose: Arc<Tasks>,
    /// Tasks that have not told their end, those of former assignments included.
    at_work: HashMap<RunId, AtWork>,
}

#[derive(Debug)]
struct AtWork {
    key: Option<Key>,
    handle: AbortHandle,
    /// Gone when its partition was given away: a straggler waits for it then.
    task: Option<JoinHandle<()>>,
}

impl Keyed {
    pub(crate) fn new(context: Arc<HandlerContext>, locks: OrderLocks, tokio: Handle) -> Self {
        Self {
            gate: Gate::new(locks.lock(context.place)),
            context,
            locks,
            tokio,
            kept: KeyedRecords::default(),
            key_ids: KeyIds::default(),
            loose: Tasks::new(),
            at_work: HashMap::new(),
        }
    }

    /// Takes in what was read: the engine is told of keys by number.
    pub(crate) fn keep(&mut self, fetched: &Arc<dyn Fetched>, range: Range<usize>) -> Vec<Read> {
        for key in self.kept.forget_from(fetched.offset(range.start)) {
            self.key_ids.let_go(key);
        }
        let mut records = Vec::with_capacity(range.len());
        fetched.records(range.clone(), &mut records);
        let by_key = self.context.handler.by_key;
        let read = |record: &Record<'_>| Read {
            offset: record.offset,
            key: record
                .key
                .filter(|_| by_key)
                .map(|key| self.key_ids.number(key)),
            bytes: [record.key, record.payload]
                .into_iter()
                .flatten()
                .map(|bytes| bytes.len() as u64)
                .sum(),
        };
        let reads: Vec<_> = records.iter().map(read).collect();
        self.kept.keep(fetched, range.start, &reads);
        reads
    }

    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        self.kept.find(first, next)
    }

    /// The record at `at` is needed no more.
    pub(crate) fn free(&mut self, at: i64) {
        let Some(freed) = self.kept.free(at) else {
            return;
        };
        if let Some(key) = freed.key {
            self.key_ids.let_go(key);
        }
        // Giving a block back takes time that the owner has better uses for.
        if !freed.blocks.is_empty() {
            self.tokio.spawn(async move { drop(freed.blocks) });
        }
    }

    pub(crate) fn start(&mut self, job: Job) {
        let run = job.run;
        let key = self.kept.key(job.offset(0));
        let unit = key.map(|key| self.key_ids.take(key));
        let spawned = match &unit {
            Some(unit) => unit.spawned.clone(),
            None => self.loose.clone(),
        };
        let task = Task {
            context: self.context.clone(),
            job,
            unit,
            spawned,
            gate: self.gate.clone(),
            locks: self.locks.clone(),
        };
        self.add(run, key, self.tokio.spawn(task.run()));
    }

    pub(crate) fn dead_letter(&mut self, at: i64, letter: DeadLetterJob) {
        let run = letter.run;
        let key = self.kept.key(at);
        if let Some(key) = key {
            self.key_ids.take(key);
        }
        let task = self.tokio.spawn(dead_letter(self.context.clone(), letter));
        self.add(run, key, task);
    }

    fn add(&mut self, run: RunId, key: Option<Key>, task: JoinHandle<()>) {
        let handle = task.abort_handle();
        let task = Some(task);
        self.at_work.insert(run, AtWork { key, handle, task });
    }

    /// The task has told its end, and the engine knows.
    pub(crate) fn ended(&mut self, run: RunId) {
        if let Some(AtWork { key: Some(key), .. }) = self.at_work.remove(&run) {
            self.key_ids.let_go(key);
        }
    }

    pub(crate) fn is_handling(&self) -> bool {
        !self.at_work.is_empty()
    }

    /// True when no task goes on, also none that was aborted.
    pub(crate) fn is_over(&self) -> bool {
        self.at_work.values().all(|work| work.handle.is_finished())
    }

    /// Ends the tasks: at their next await, or when the thread of a blocking handler returns.
    pub(crate) fn abort(&self) {
        if !self.context.handler.def.blocking {
            self.at_work.values().for_each(|work| work.handle.abort());
        }
    }

    /// The partition was given away: what its records spawned is aborted, and who is still at work
    /// keeps its key until it has ended.
    pub(crate) fn forget(&mut self) {
        let mut late: HashMap<Key, Vec<JoinHandle<()>>> = HashMap::new();
        for work in self.at_work.values_mut() {
            if let (Some(key), Some(task)) = (work.key, work.task.take()) {
                late.entry(key).or_default().push(task);
            }
        }
        for (key, unit) in self.key_ids.iter() {
            let tasks = late.remove(&key);
            if tasks.is_some() || !unit.spawned.is_empty() {
                let tasks = tasks.unwrap_or_default();
                self.locks
                    .leave(self.context.place, unit.clone(), tasks, &self.tokio);
            }
        }
        let loose = std::mem::replace(&mut self.loose, Tasks::new());
        loose.abort_all();
        for key in self.kept.clear() {
            self.key_ids.let_go(key);
        }
        // Last: whoever passes the next gate finds the stragglers. Who waits at this one is a straggler
        // now, and must not wait for an owner that may wait for it.
        let next = Gate::new(self.locks.lock(self.context.place));
        std::mem::replace(&mut self.gate, next).close();
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> u64 {
        self.kept.held()
    }

    #[cfg(test)]
    pub(crate) fn numbered(&self) -> usize {
        self.key_ids.iter().count()
    }
}
