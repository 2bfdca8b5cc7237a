//! The three indexes of heads: ready to start, waiting for a date, without attempts.

use super::Keyed;
use crate::event::Key;
use crate::piece::State;
use crate::tasks::Tasks;

impl Keyed {
    pub(super) fn list_head(&mut self, key: Key, tasks: &Tasks) {
        let head = self.lines.get(&key).and_then(|line| line.waiting.front());
        if let Some(&at) = head {
            self.list(Some(key), at, tasks);
        }
    }

    /// Enters `at` into the index of its state if it is the head of its line. Idempotent.
    pub(super) fn list(&mut self, key: Option<Key>, at: i64, tasks: &Tasks) {
        // A task of a former assignment may still hold the key. [S5]
        let mut free = !tasks.is_locked(key, at);
        let mut first = true;
        if let Some(line) = key.and_then(|key| self.lines.get(&key)) {
            if line.waiting.front() != Some(&at) {
                return;
            }
            // A record that lost an output runs alone: nothing starts behind it until it is settled.
            let alone = line.started.back().map(|last| &self.slots[last]);
            free &= !alone.is_some_and(|s| s.past.alone && s.state != State::Terminal);
            // It ends only when everything before it is terminal and has left. [S7]
            first = line.started.is_empty();
        }
        match self.slots[&at].state {
            State::Queued if free => drop(self.ready.insert(at)),
            State::Waiting { due } | State::DeadLetterFailed { due } => {
                self.due.insert((due, at));
            }
            State::Exhausted if first => drop(self.exhausted.insert(at)),
            _ => {}
        }
    }

    pub(super) fn unlist_head(&mut self, key: Key) {
        let head = self.lines.get(&key).and_then(|line| line.waiting.front());
        if let Some(&at) = head {
            self.unlist_slot(at, self.slots[&at].state);
        }
    }

    pub(super) fn unlist_slot(&mut self, at: i64, state: State) {
        self.ready.remove(&at);
        self.exhausted.remove(&at);
        if let State::Waiting { due } | State::DeadLetterFailed { due } = state {
            self.due.remove(&(due, at));
        }
    }
}
