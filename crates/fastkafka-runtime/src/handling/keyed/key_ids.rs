//! The keys of a partition, each under a number that the engine knows it by.

use crate::handling::spawned::Spawned;
use fastkafka_engine::Key;
use std::collections::HashMap;
use std::sync::Arc;

/// A key, and what its records have spawned.
#[derive(Debug)]
pub(crate) struct KeyId {
    /// The exact bytes: two keys are never told apart by a hash alone.
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) spawned: Arc<Spawned>,
}

#[derive(Debug)]
struct Entry {
    key: Arc<KeyId>,
    /// Records that are kept, and tasks that have not ended.
    uses: usize,
}

/// A key has its number for as long as a record or a task of it is there, whatever becomes of the
/// assignment: the engine keeps the key locked under that number.
#[derive(Debug, Default)]
pub(crate) struct KeyIds {
    numbers: HashMap<Arc<[u8]>, Key>,
    entries: HashMap<Key, Entry>,
    last: u64,
}

impl KeyIds {
    /// The number of a key for one more use.
    pub(crate) fn number(&mut self, bytes: &[u8]) -> Key {
        if let Some(&key) = self.numbers.get(bytes) {
            self.take(key);
            return key;
        }
        self.last += 1;
        let (key, bytes) = (Key(self.last), Arc::<[u8]>::from(bytes));
        self.numbers.insert(bytes.clone(), key);
        let entry = Entry {
            key: Arc::new(KeyId {
                bytes,
                spawned: Spawned::new(),
            }),
            uses: 1,
        };
        self.entries.insert(key, entry);
        key
    }

    /// One more use of a number that is in use.
    pub(crate) fn take(&mut self, key: Key) -> Arc<KeyId> {
        let entry = self.entries.get_mut(&key).expect("its number is in use");
        entry.uses += 1;
        entry.key.clone()
    }

    /// One use less.
    pub(crate) fn let_go(&mut self, key: Key) {
        let entry = self.entries.get_mut(&key).expect("its number is in use");
        entry.uses -= 1;
        if entry.uses == 0 {
            self.numbers.remove(&entry.key.bytes);
            self.entries.remove(&key);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &Arc<KeyId>)> {
        self.entries.iter().map(|(key, entry)| (*key, &entry.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lives_as_long_as_its_last_use() {
        let mut key_ids = KeyIds::default();
        let (a, b) = (key_ids.number(b"a"), key_ids.number(b"b"));
        assert_ne!(a, b);
        assert_eq!(key_ids.number(b"a"), a);
        key_ids.let_go(a);
        assert_eq!(key_ids.number(b"a"), a);
        key_ids.let_go(a);
        key_ids.let_go(a);
        let again = key_ids.number(b"a");
        assert!(again != a && again != b, "a number is never given twice");
        key_ids.let_go(again);
        key_ids.let_go(b);
        assert_eq!(key_ids.iter().count(), 0);
    }
}
