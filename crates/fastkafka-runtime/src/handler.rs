//! A handler with its effective settings: what the runtime reads instead of options.

use fastkafka_core::{self as core, Attempts, ConsumerDef, OffsetReset};
use fastkafka_engine::{OnFailure, Order, Policy};
use std::time::Duration;

/// Most records of a run that nobody limited.
const RUN: u32 = 1_024;
/// Most records of a batch that nobody limited.
const BATCH: u32 = 500;

#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) def: &'static ConsumerDef,
    pub(crate) group: String,
    pub(crate) policy: Policy,
    /// Whether keys count; without order no record has one.
    pub(crate) by_key: bool,
    pub(crate) reset: OffsetReset,
    pub(crate) timeout: Option<Duration>,
    pub(crate) dead_letter: Option<String>,
    /// Most records of one run or batch.
    pub(crate) max_records: usize,
    pub(crate) max_uncommitted: Option<u32>,
}

impl Handler {
    pub(crate) fn new(group: &str, handler: &core::Handler) -> Self {
        let core::Handler { def, settings } = handler;
        let defaults = Policy::default();
        let on_failure = match (
            &settings.dead_letter,
            settings.on_failure.unwrap_or_default(),
        ) {
            (Some(_), _) => OnFailure::DeadLetter,
            (None, core::OnFailure::Stop) => OnFailure::Stop,
            (None, core::OnFailure::Skip) => OnFailure::Skip,
            (None, core::OnFailure::Exit) => OnFailure::Exit,
        };
        let attempts = match settings.attempts {
            None => defaults.attempts,
            Some(Attempts::Times(times)) => Some(times),
            Some(Attempts::Forever) => None,
        };
        let most = settings
            .max_poll_records
            .unwrap_or(if def.batch { BATCH } else { RUN });
        Self {
            def,
            group: group.to_owned(),
            policy: Policy {
                order: match settings.effective_order() {
                    core::Order::Partition => Order::Partition,
                    core::Order::Key | core::Order::Unordered => Order::Key {
                        concurrency: settings.effective_concurrency(),
                    },
                },
                attempts,
                backoff: settings.backoff.unwrap_or(defaults.backoff),
                backoff_max: settings.backoff_max.unwrap_or(defaults.backoff_max),
                on_failure,
                batch: def.batch,
            },
            by_key: settings.effective_order() == core::Order::Key,
            reset: settings.auto_offset_reset.unwrap_or_default(),
            timeout: settings.handler_timeout,
            dead_letter: settings.dead_letter.as_deref().map(str::to_owned),
            max_records: usize::try_from(most).expect("a u32 fits"),
            max_uncommitted: settings.max_uncommitted,
        }
    }
}
