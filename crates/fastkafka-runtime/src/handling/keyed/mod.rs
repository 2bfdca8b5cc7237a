//! A partition in order by key, or without order: each record that starts is a task of its own.

mod copied;
pub(crate) mod key_ids;
mod records;
mod task;

use self::key_ids::KeyIds;
use self::records::KeyedRecords;
use self::task::{Task, dead_letter};
use crate::handling::call::HandlerContext;
use crate::handling::job::{DeadLetterJob, Job};
use crate::handling::locks::{Gate, OrderLocks};
use crate::handling::spawned::Spawned;
use crate::tasks;
use crate::tokio_runtime::is_gone;
use fastkafka_core::{AppTask, Fetched, Record};
use fastkafka_engine::{Key, Read, RunId};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};

/// The records, keys and tasks of such a partition.
#[derive(Debug)]
pub(crate) struct Keyed {
    context: Arc<HandlerContext>,
    locks: OrderLocks,
    /// The gate of the current assignment.
    gate: Arc<Gate>,
    tokio: Handle,
    records: KeyedRecords,
    key_ids: KeyIds,
    /// The tasks that records without a key have spawned.
    without_key: Arc<Spawned>,
    /// Tasks that have not told their end, those of former assignments included.
    at_work: HashMap<RunId, AtWork>,
}

#[derive(Debug)]
struct AtWork {
    key: Option<Key>,
    /// The first and the last offset.
    offsets: (i64, i64),
    /// It writes a dead letter.
    is_letter: bool,
    handle: AbortHandle,
    /// `None` once the partition was given back: the task is a straggler, and its key waits for it.
    task: Option<JoinHandle<()>>,
}

impl Keyed {
    pub(crate) fn new(context: Arc<HandlerContext>, locks: OrderLocks, tokio: Handle) -> Self {
        Self {
            gate: Gate::new(locks.lock(context.place)),
            context,
            locks,
            tokio,
            records: KeyedRecords::default(),
            key_ids: KeyIds::default(),
            without_key: Spawned::new(),
            at_work: HashMap::new(),
        }
    }

    /// Keeps the records that were read, and returns them as the engine knows them: keys by number.
    pub(crate) fn keep(&mut self, block: &Arc<dyn Fetched>, range: Range<usize>) -> Vec<Read> {
        for key in self.records.forget_from(block.offset(range.start)) {
            self.key_ids.let_go(key);
        }
        let mut records = Vec::with_capacity(range.len());
        block.records(range.clone(), &mut records);
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
        self.records.keep(block, range.start, &reads);
        reads
    }

    pub(crate) fn find(&self, first: i64, next: i64) -> Option<(Arc<dyn Fetched>, Range<usize>)> {
        self.records.find(first, next)
    }

    /// The record at `at` is needed no more.
    pub(crate) fn free(&mut self, at: i64) {
        let Some(freed) = self.records.free(at) else {
            return;
        };
        if let Some(key) = freed.key {
            self.key_ids.let_go(key);
        }
        // In a task: to free a block takes time, and the driver must not lose it.
        if !freed.blocks.is_empty() {
            self.tokio.spawn(async move { drop(freed.blocks) });
        }
    }

    pub(crate) fn start(&mut self, job: Job) {
        let run = job.run;
        let offsets = (job.offset(0), job.offset(job.range.len() - 1));
        let number = self.records.key(offsets.0);
        let key = number.map(|number| self.key_ids.take(number));
        let spawned = match &key {
            Some(key) => key.spawned.clone(),
            None => self.without_key.clone(),
        };
        let task = Task {
            context: self.context.clone(),
            job,
            key,
            spawned,
            gate: self.gate.clone(),
            locks: self.locks.clone(),
        };
        let name = match self.context.handler.def.blocking {
            true => AppTask::Blocking(self.context.place),
            false => AppTask::Record(self.context.place, offsets.0),
        };
        let handle = tasks::spawn(&self.context.app, &self.tokio, name, task.run());
        self.add(run, number, offsets, false, handle);
    }

    pub(crate) fn dead_letter(&mut self, at: i64, job: DeadLetterJob) {
        let run = job.run;
        let key = self.records.key(at);
        if let Some(key) = key {
            self.key_ids.take(key);
        }
        let name = AppTask::Letter(self.context.place, at);
        let work = dead_letter(self.context.clone(), job);
        let task = tasks::spawn(&self.context.app, &self.tokio, name, work);
        self.add(run, key, (at, at), true, task);
    }

    fn add(
        &mut self,
        run: RunId,
        key: Option<Key>,
        offsets: (i64, i64),
        is_letter: bool,
        task: JoinHandle<()>,
    ) {
        let work = AtWork {
            key,
            offsets,
            is_letter,
            handle: task.abort_handle(),
            task: Some(task),
        };
        self.at_work.insert(run, work);
    }

    /// The task has told its end, and the engine knows.
    pub(crate) fn ended(&mut self, run: RunId) {
        if let Some(AtWork { key: Some(key), .. }) = self.at_work.remove(&run) {
            self.key_ids.let_go(key);
        }
    }

    /// The task of this run has not told its end.
    pub(crate) fn is_at_work(&self, run: RunId) -> bool {
        self.at_work.contains_key(&run)
    }

    /// The calls that go on although their partition was given back or moved: their runs and first offsets.
    pub(crate) fn stragglers(&self) -> impl Iterator<Item = (RunId, i64)> {
        let at_work = self.at_work.iter();
        let stragglers = at_work.filter(|(_, work)| work.task.is_none() && !work.is_letter);
        stragglers.map(|(run, work)| (*run, work.offsets.0))
    }

    /// The first and the last offset of each task that goes on, or went with its tokio runtime, in order.
    pub(crate) fn in_hand(&self) -> Vec<(i64, i64)> {
        let gone = is_gone(&self.tokio);
        let at_work = self.at_work.values();
        let at_work = at_work.filter(|work| gone || !work.handle.is_finished());
        let mut offsets: Vec<_> = at_work.map(|work| work.offsets).collect();
        offsets.sort_unstable();
        offsets
    }

    /// True when no task goes on, also none that was aborted.
    pub(crate) fn is_over(&self) -> bool {
        self.at_work.values().all(|work| work.handle.is_finished())
    }

    /// Ends the tasks: at their next await, or when the thread of a blocking handler returns.
    pub(crate) fn abort(&self) {
        // To abort the task would not stop its thread, which must stay known to be at work.
        if !self.context.handler.def.blocking {
            let mut at_work: Vec<_> = self.at_work.iter().collect();
            // In an order of their own: a test that does the same again finds the same.
            at_work.sort_unstable_by_key(|(run, _)| **run);
            at_work.iter().for_each(|(_, work)| work.handle.abort());
        }
    }

    /// The partition is given back. What its records have spawned is aborted, and a task that is still
    /// at work keeps its key until it has ended.
    pub(crate) fn forget(&mut self) {
        let mut stragglers: HashMap<Key, Vec<JoinHandle<()>>> = HashMap::new();
        for work in self.at_work.values_mut() {
            // A straggler of a former assignment has left its handle there.
            if let (Some(key), Some(task)) = (work.key, work.task.take()) {
                stragglers.entry(key).or_default().push(task);
            }
        }
        let mut keys: Vec<_> = self.key_ids.iter().collect();
        keys.sort_unstable_by_key(|(number, _)| *number);
        for (number, key) in keys {
            let at_work = stragglers.remove(&number);
            if at_work.is_some() || !key.spawned.is_empty() {
                let at_work = at_work.unwrap_or_default();
                let (context, tokio) = (&self.context, &self.tokio);
                self.locks
                    .leave(context.place, key.clone(), at_work, &context.app, tokio);
            }
        }
        std::mem::replace(&mut self.without_key, Spawned::new()).abort_all();
        for key in self.records.clear() {
            self.key_ids.let_go(key);
        }
        // Last: a task that passes the next gate must find the stragglers. The tasks that wait at this
        // gate are stragglers now. They must not wait for the partition's former owner, which may wait
        // for them.
        let next = Gate::new(self.locks.lock(self.context.place));
        std::mem::replace(&mut self.gate, next).close();
    }

    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> u64 {
        self.records.held()
    }

    #[cfg(test)]
    pub(crate) fn numbered(&self) -> usize {
        self.key_ids.iter().count()
    }
}
