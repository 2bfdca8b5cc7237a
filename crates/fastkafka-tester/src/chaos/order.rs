//! The order of calls: what has to lie behind a record when a call begins with it. [S5]

use crate::watching::calls::Number;
use bytes::Bytes;
use fastkafka::settings::Order;
use std::collections::BTreeMap;

/// Partition and offset of a record.
pub(super) type At = (i32, i64);

/// A call, and the records that it was given.
#[derive(Clone, Debug)]
pub(super) struct SeenCall {
    pub(super) process: u32,
    pub(super) begun: Number,
    /// `None` while it runs.
    pub(super) ended: Option<Number>,
    pub(super) records: Vec<(At, Option<Bytes>)>,
}

/// One handler with one topic.
#[derive(Debug)]
pub(super) struct History {
    pub(super) order: Order,
    /// By partition, from where the group began on: offsets and keys, in order.
    pub(super) logs: BTreeMap<i32, Vec<(i64, Option<Bytes>)>>,
    /// In the order in which they began.
    pub(super) calls: Vec<SeenCall>,
    /// When each record came to an end for the first time.
    pub(super) ends: BTreeMap<At, Number>,
}

/// A call that should not have begun yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disorder {
    /// With `began`, before `open` had ended.
    Early { began: At, open: At },
    /// With `began`, while the same process was at `beside`.
    Together { began: At, beside: At },
}

/// The order unit of a record; `None`: it has no order.
type Unit<'r> = Option<(i32, Option<&'r Bytes>)>;

impl History {
    /// Checks the calls from number `first` on. What has to be before a call has been seen when the
    /// call is: each needs to be checked once.
    ///
    /// # Errors
    /// The first call that should not have begun.
    pub(super) fn check(&self, first: usize) -> Result<(), Disorder> {
        let calls = self.calls.get(first..).unwrap_or_default();
        calls.iter().try_for_each(|call| {
            self.is_alone(call)?;
            self.has_all_behind_it(call)
        })
    }

    fn unit<'r>(&self, partition: i32, key: Option<&'r Bytes>) -> Unit<'r> {
        match self.order {
            Order::Partition => Some((partition, None)),
            Order::Key => key.map(|key| (partition, Some(key))),
            Order::Unordered => None,
        }
    }

    fn unit_of<'r>(&self, (at, key): &'r (At, Option<Bytes>)) -> Unit<'r> {
        self.unit(at.0, key.as_ref())
    }

    /// No other call of the process is at a record of its units when it begins.
    fn is_alone(&self, call: &SeenCall) -> Result<(), Disorder> {
        let ran = |other: &&SeenCall| {
            other.process == call.process
                && other.begun < call.begun
                && other.ended.is_none_or(|ended| ended > call.begun)
        };
        for other in self.calls.iter().filter(ran) {
            for record in &call.records {
                let unit = self.unit_of(record);
                let mut others = other.records.iter();
                if unit.is_some()
                    && let Some((beside, _)) = others.find(|other| self.unit_of(other) == unit)
                {
                    return Err(Disorder::Together {
                        began: record.0,
                        beside: *beside,
                    });
                }
            }
        }
        Ok(())
    }

    /// Every earlier record of its units has ended when it begins, by whatever process. It may be
    /// repeated later, after a lost output or a crash.
    fn has_all_behind_it(&self, call: &SeenCall) -> Result<(), Disorder> {
        for record in &call.records {
            let (began, unit) = (record.0, self.unit_of(record));
            if unit.is_none() {
                continue;
            }
            let log = self
                .logs
                .get(&began.0)
                .map(Vec::as_slice)
                .unwrap_or_default();
            let before = log.iter().take_while(|(offset, _)| *offset < began.1);
            for (offset, key) in before {
                let open = (began.0, *offset);
                let ended = self.ends.get(&open);
                if self.unit(began.0, key.as_ref()) == unit
                    && ended.is_none_or(|ended| *ended > call.begun)
                    && !call.records.iter().any(|(at, _)| *at == open)
                {
                    return Err(Disorder::Early { began, open });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls are given as process, offset, begin and end. Records alternate between two keys.
    fn history(order: Order, calls: &[(u32, i64, u64, Option<u64>)]) -> History {
        let key = |offset: i64| Some(Bytes::from(if offset % 2 == 0 { "a" } else { "b" }));
        let call = |&(process, offset, begun, ended): &(u32, i64, u64, Option<u64>)| SeenCall {
            process,
            begun: Number(begun),
            ended: ended.map(Number),
            records: vec![((0, offset), key(offset))],
        };
        History {
            order,
            logs: BTreeMap::from([(0, (0..10).map(|offset| (offset, key(offset))).collect())]),
            calls: calls.iter().map(call).collect(),
            ends: BTreeMap::new(),
        }
    }

    fn ended(mut history: History, ends: &[(i64, u64)]) -> History {
        let ends = ends.iter();
        history
            .ends
            .extend(ends.map(|&(offset, number)| ((0, offset), Number(number))));
        history
    }

    #[test]
    fn what_lies_before_a_record_in_its_unit_has_ended_when_a_call_begins() {
        let calls = [(0, 0, 1, Some(2)), (0, 1, 3, Some(4)), (0, 2, 5, None)];
        let by_partition = history(Order::Partition, &calls);
        // 1 ends after 2 has begun.
        let early = ended(by_partition, &[(0, 2), (1, 6)]);
        let disorder = Disorder::Early {
            began: (0, 2),
            open: (0, 1),
        };
        assert_eq!(early.check(0), Err(disorder.clone()));
        assert_eq!(early.check(2), Err(disorder));
        assert_eq!(early.check(3), Ok(()), "seen before");

        let by_key = ended(history(Order::Key, &calls), &[(0, 2)]);
        assert_eq!(by_key.check(0), Ok(()), "1 has another key");
        let unordered = history(Order::Unordered, &calls);
        assert_eq!(unordered.check(0), Ok(()));
    }

    #[test]
    fn a_failed_attempt_is_no_end() {
        let calls = [(0, 0, 1, Some(2)), (0, 2, 4, Some(5))];
        let disorder = Disorder::Early {
            began: (0, 2),
            open: (0, 0),
        };
        for (skipped_at, expected) in [(3, Ok(())), (6, Err(disorder))] {
            let skipped = ended(history(Order::Key, &calls), &[(0, skipped_at)]);
            assert_eq!(skipped.check(0), expected);
        }
    }

    #[test]
    fn a_record_that_has_ended_once_may_be_repeated_by_whoever_has_it_then() {
        let calls = [
            (0, 0, 1, Some(2)),
            (0, 1, 3, Some(4)),
            // The output of 0 was lost, or the process has crashed.
            (1, 0, 5, Some(6)),
            (1, 2, 7, Some(8)),
        ];
        let repeated = ended(history(Order::Partition, &calls), &[(0, 2), (1, 4)]);
        assert_eq!(repeated.check(0), Ok(()));
    }

    #[test]
    fn one_process_has_one_call_of_a_unit_at_a_time() {
        let calls = |second| [(0, 0, 1, Some(5)), (second, 0, 3, Some(4))];
        let together = Disorder::Together {
            began: (0, 0),
            beside: (0, 0),
        };
        for order in [Order::Partition, Order::Key] {
            assert_eq!(history(order, &calls(0)).check(0), Err(together.clone()));
            // Another process cannot know while its group takes it for lost.
            assert_eq!(history(order, &calls(1)).check(0), Ok(()));
        }
        assert_eq!(history(Order::Unordered, &calls(0)).check(0), Ok(()));
    }

    #[test]
    fn the_records_of_one_batch_begin_together() {
        let mut batch = history(Order::Partition, &[(0, 0, 1, None)]);
        batch.calls[0].records.push(((0, 1), None));
        assert_eq!(batch.check(0), Ok(()));
        batch.calls[0].records.remove(0);
        assert!(batch.check(0).is_err(), "0 is not in it");
    }
}
