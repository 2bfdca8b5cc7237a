//! A handler with its effective settings: what the runtime reads instead of options.

use fastkafka_core::{self as core, Attempts, ConsumerDef, OffsetReset, OnTruncation, Text};
use fastkafka_engine::{OnFailure, Order, Policy};
use std::time::Duration;

/// Most records of a run that nobody limited.
const RUN: u32 = 1_024;
/// How long a record may go without progress where nobody says.
const STALL: Duration = Duration::from_secs(30);
/// How much longer than its time limit.
const GRACE: Duration = Duration::from_secs(1);
/// Most records of a batch that nobody limited.
const BATCH: u32 = 500;

#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) def: &'static ConsumerDef,
    pub(crate) cluster: Text,
    pub(crate) group: String,
    pub(crate) policy: Policy,
    /// Whether keys count; without order no record has one.
    pub(crate) by_key: bool,
    pub(crate) reset: OffsetReset,
    pub(crate) on_truncation: OnTruncation,
    pub(crate) timeout: Option<Duration>,
    /// Without progress for so long, a record that is in hand has stalled.
    pub(crate) stalls_in_hand: Duration,
    /// The same for one that was handled and is open.
    pub(crate) stalls_open: Duration,
    pub(crate) dead_letter: Option<String>,
    /// Most records of one run or batch.
    pub(crate) max_records: usize,
    pub(crate) max_uncommitted: Option<u32>,
}

impl Handler {
    pub(crate) fn new(group: &core::Group, handler: &core::Handler) -> Self {
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
        let stalls_in_hand = match (settings.stall_after, settings.handler_timeout) {
            (Some(said), _) => said,
            // A call that can be ended is ended first.
            (None, Some(limit)) => limit.saturating_add(GRACE),
            (None, None) => STALL,
        };
        let most = settings
            .max_poll_records
            .unwrap_or(if def.batch { BATCH } else { RUN });
        Self {
            def,
            cluster: group.cluster.clone(),
            group: group.id.clone(),
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
            on_truncation: settings.on_truncation.unwrap_or_default(),
            timeout: settings.handler_timeout,
            stalls_in_hand,
            // A limit of the call says nothing about the broker, or about whoever has the `Ack`.
            stalls_open: settings.stall_after.unwrap_or(stalls_in_hand.max(STALL)),
            dead_letter: settings.dead_letter.as_deref().map(str::to_owned),
            max_records: usize::try_from(most).expect("a u32 fits"),
            max_uncommitted: settings.max_uncommitted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::__private::schemars;
    use fastkafka_core::{ConsumerSettings, Location};

    static DEF: ConsumerDef = ConsumerDef {
        name: "on_orders",
        module: "tests",
        location: Location {
            file: "tests.rs",
            line: 1,
            column: 1,
        },
        topic: "orders",
        topics: &["orders"],
        pattern: None,
        description: "",
        settings: ConsumerSettings::default,
        batch: false,
        tombstones: false,
        is_async: true,
        blocking: false,
        settles: false,
        content_type: "application/json",
        schema: |_| schemars::Schema::default(),
        key: None,
        requires: |_| (),
        run: |_, _| unreachable!("nothing is handled"),
    };

    fn handler(settings: ConsumerSettings) -> Handler {
        let def = &DEF;
        let group = core::Group {
            cluster: "".into(),
            id: "group".to_owned(),
            standalone: false,
            left_out: Vec::new(),
            settings: ConsumerSettings::default(),
            handlers: Vec::new(),
        };
        Handler::new(&group, &core::Handler { def, settings })
    }

    #[test]
    fn every_setting_of_a_handler_reaches_the_engine_or_the_lane() {
        let seven = Duration::from_secs(7);
        let handler = handler(
            ConsumerSettings::default()
                .auto_offset_reset(OffsetReset::Earliest)
                .order(core::Order::Key)
                .concurrency(7u32)
                .max_poll_records(8u32)
                .attempts(9u32)
                .backoff(seven)
                .backoff_max(2 * seven)
                .handler_timeout(3 * seven)
                .on_truncation(OnTruncation::Reset)
                .dead_letter("dead")
                .max_uncommitted(10u32),
        );
        assert_eq!(
            handler.policy,
            Policy {
                order: Order::Key { concurrency: 7 },
                attempts: Some(9),
                backoff: seven,
                backoff_max: 2 * seven,
                on_failure: OnFailure::DeadLetter,
                batch: false,
            }
        );
        assert!(handler.by_key);
        assert_eq!(handler.reset, OffsetReset::Earliest);
        assert_eq!(handler.on_truncation, OnTruncation::Reset);
        assert_eq!(handler.timeout, Some(3 * seven));
        assert_eq!(handler.dead_letter.as_deref(), Some("dead"));
        assert_eq!(handler.max_records, 8);
        assert_eq!(handler.max_uncommitted, Some(10));
    }

    #[test]
    fn words_of_a_handler_reach_the_engine() {
        let of = |settings| handler(settings).policy;
        let settings = ConsumerSettings::default;
        let exit = of(settings().on_failure(core::OnFailure::Exit));
        assert_eq!(exit.on_failure, OnFailure::Exit);
        let skip = of(settings().on_failure(core::OnFailure::Skip));
        assert_eq!(skip.on_failure, OnFailure::Skip);
        assert_eq!(of(settings().attempts(Attempts::Forever)).attempts, None);
        let dynamic = of(settings().executor(core::Executor::Dynamic));
        assert_eq!(dynamic.order, Order::Key { concurrency: 64 });
    }

    #[test]
    fn a_record_stalls_when_it_is_said_or_at_its_time_limit_or_after_half_a_minute() {
        let second = Duration::from_secs(1);
        let of = |settings| {
            let handler = handler(settings);
            (handler.stalls_in_hand, handler.stalls_open)
        };
        let settings = ConsumerSettings::default;
        assert_eq!(of(settings()), (STALL, STALL));
        assert_eq!(
            of(settings().handler_timeout(second)),
            (second + GRACE, STALL)
        );
        let long = of(settings().handler_timeout(100 * second));
        assert_eq!(long, (100 * second + GRACE, 100 * second + GRACE));
        let said = settings().stall_after(3 * second);
        assert_eq!(of(said.clone()), (3 * second, 3 * second));
        let both = said.handler_timeout(second);
        assert_eq!(of(both), (3 * second, 3 * second));
        let key = |key: &&(&str, &str)| key.0 == "stall_after";
        let default = ConsumerSettings::KEYS.iter().find(key).unwrap().1;
        assert!(default.ends_with(&format!("{}s", STALL.as_secs())));
    }

    /// The guide and `check --explain` tell the defaults that are used.
    #[test]
    fn a_default_is_what_it_says() {
        let defaults = handler(ConsumerSettings::default());
        let said = |key| {
            let mut keys = ConsumerSettings::KEYS.iter();
            keys.find(|(k, _)| *k == key).unwrap().1
        };
        let mut read = ConsumerSettings::default();
        for key in [
            "auto_offset_reset",
            "order",
            "attempts",
            "backoff",
            "backoff_max",
            "on_failure",
            "on_truncation",
        ] {
            read.set(key, said(key)).unwrap();
        }
        let read = handler(read);
        assert_eq!(defaults.policy, read.policy);
        assert_eq!(defaults.reset, read.reset);
        assert_eq!(defaults.on_truncation, read.on_truncation);
        assert_eq!(
            said("max_poll_records"),
            format!("{RUN}; in a batch {BATCH}")
        );
        let limits = fastkafka_engine::Limits::default();
        assert_eq!(said("max_uncommitted"), limits.max_uncommitted.to_string());
    }
}
