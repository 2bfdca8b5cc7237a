//! The order of records that `order`, `executor` and `concurrency` result in, and their contradictions.

use crate::settings::{ConsumerSettings, Executor, Order};

/// The number of calls at once where it is not set.
const CONCURRENCY: u32 = 64;

impl ConsumerSettings {
    /// The order that `order` and `executor` result in.
    pub fn effective_order(&self) -> Order {
        match (self.order, self.executor) {
            (Some(order), _) => order,
            (None, Some(Executor::Dynamic)) => Order::Key,
            (None, Some(Executor::Sequential) | None) => Order::Partition,
        }
    }

    /// The number of calls at once, in order by key or without order.
    pub fn effective_concurrency(&self) -> u32 {
        self.concurrency.unwrap_or(CONCURRENCY)
    }
}

/// Contradictions in the settings of a handler; `batch` is true where it takes `Vec<T>`.
pub(crate) fn contradictions(settings: &ConsumerSettings, batch: bool) -> Vec<&'static str> {
    let order = settings.effective_order();
    let checks = [
        (
            settings.executor == Some(Executor::Sequential) && order != Order::Partition,
            "has `executor = \"sequential\"`, which is order by partition, and another `order`; remove one of them",
        ),
        (
            settings.executor == Some(Executor::Dynamic) && order == Order::Partition,
            "has `executor = \"dynamic\"` and `order = \"partition\"`, in which records are handled one after another; remove one of them",
        ),
        (
            settings.concurrency.is_some() && order == Order::Partition,
            "has `concurrency`, but in the order of a partition its records are handled one after another; add `order = \"key\"` or `order = \"unordered\"`",
        ),
        (
            settings.concurrency == Some(0),
            "has `concurrency = 0`; it must be at least 1",
        ),
        (
            batch && order == Order::Key,
            "takes batches in order by key, but a batch has many keys; take one record at a time, or add `order = \"unordered\"`",
        ),
        (
            !batch && order != Order::Partition && settings.max_poll_records.is_some(),
            "has `max_poll_records`, but by key and without order each record is a call of its own; remove it: `concurrency` bounds the calls",
        ),
    ];
    checks
        .into_iter()
        .filter(|(wrong, _)| *wrong)
        .map(|(_, what)| what)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(order: Option<Order>, executor: Option<Executor>) -> ConsumerSettings {
        ConsumerSettings {
            order,
            executor,
            ..ConsumerSettings::default()
        }
    }

    #[test]
    fn an_executor_is_another_word_for_an_order() {
        let order = |order, executor| settings(order, executor).effective_order();
        assert_eq!(order(None, None), Order::Partition);
        assert_eq!(order(None, Some(Executor::Sequential)), Order::Partition);
        assert_eq!(order(None, Some(Executor::Dynamic)), Order::Key);
        assert_eq!(
            order(Some(Order::Unordered), Some(Executor::Dynamic)),
            Order::Unordered
        );
        assert_eq!(settings(None, None).effective_concurrency(), 64);
    }

    #[test]
    fn what_contradicts_itself_is_refused_once() {
        let count = |order, executor, concurrency, most, batch| {
            let settings = ConsumerSettings {
                concurrency,
                max_poll_records: most,
                ..settings(order, executor)
            };
            contradictions(&settings, batch).len()
        };
        use {Executor::*, Order::*};
        assert_eq!(count(Some(Key), Some(Sequential), None, None, false), 1);
        assert_eq!(count(Some(Partition), Some(Dynamic), None, None, false), 1);
        assert_eq!(count(None, None, Some(8), None, false), 1);
        assert_eq!(count(None, Some(Sequential), Some(8), None, false), 1);
        assert_eq!(count(Some(Unordered), None, Some(0), None, false), 1);
        assert_eq!(count(None, Some(Dynamic), None, None, true), 1);
        assert_eq!(count(Some(Key), None, None, Some(10), false), 1);
        assert_eq!(count(Some(Unordered), None, Some(8), Some(10), true), 0);
        assert_eq!(count(Some(Key), Some(Dynamic), Some(8), None, false), 0);
        assert_eq!(count(None, None, None, Some(10), false), 0);
    }
}
