//! What librdkafka's statistics say of the group, and whether the client knows a broker.
//!
//! They are one text for all partitions, and a few words of it are of interest: these are looked for, and the
//! rest is not read. librdkafka writes them in one way, and escapes no text: a client's id could break what reads
//! all of it.

use crate::consumer::absence::Standing;
use rdkafka::ClientConfig;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const INTERVAL: &str = "statistics.interval.ms";
/// Between two looks, at most.
const LOOK: u32 = 5_000;
/// How a broker is written that the client knows from its configuration, or has been told of by another. The
/// coordinator of the group has an entry of its own, which is neither.
const BROKERS: [&str; 2] = ["\"source\":\"learned\"", "\"source\":\"configured\""];

/// How often there are statistics, and who wants them.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    /// They say something of a group.
    of_group: bool,
    /// The user wants each so manieth; 0 for none.
    each: u32,
    count: AtomicU32,
}

impl Statistics {
    /// Sets how often they come: often enough for both.
    pub(super) fn set(config: &mut ClientConfig, of_group: bool) -> Self {
        let wanted = config.get(INTERVAL).and_then(|millis| millis.parse().ok());
        let wanted: u32 = wanted.unwrap_or(0);
        let each = wanted.div_ceil(LOOK);
        let interval = wanted.checked_div(each).unwrap_or(LOOK);
        config.set(INTERVAL, interval.to_string());
        Self {
            of_group,
            each,
            count: AtomicU32::new(0),
        }
    }

    /// What they say of the group.
    pub(super) fn standing(&self, statistics: &[u8]) -> Option<Standing> {
        self.of_group.then(|| standing(statistics)).flatten()
    }

    /// The client knows no broker that it could ask.
    pub(super) fn show_no_broker(statistics: &[u8]) -> bool {
        // Without this word it is another text.
        std::str::from_utf8(statistics).is_ok_and(|text| {
            text.contains("\"brokers\":") && !BROKERS.iter().any(|broker| text.contains(broker))
        })
    }

    /// The user wants these.
    pub(super) fn are_wanted(&self) -> bool {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        count.checked_rem(self.each) == Some(0)
    }
}

/// The brokers come first, the group comes last.
fn standing(statistics: &[u8]) -> Option<Standing> {
    let text = std::str::from_utf8(statistics).ok()?;
    let coordinator = text.find("\"GroupCoordinator\": {");
    let coordinator = coordinator.map(|at| &text[at..]);
    let group = &text[text.rfind("\"cgrp\": {")?..];
    // Negative before the first answer, and without a connection.
    let idle = coordinator.and_then(|text| value(text, "\"rxidle\":"));
    let idle = idle.and_then(|micros| micros.parse().ok());
    Some(Standing {
        coordinator: value(group, "\"state\":")?.to_owned(),
        member: value(group, "\"join_state\":")?.to_owned(),
        answered: idle.map(Duration::from_micros),
    })
}

/// The first value of this name, without its quotes.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = text.split_once(name)?;
    let (value, _) = value.split_once([',', '}'])?;
    Some(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As librdkafka 2.12.1 writes them, cut short.
    fn text(idle: &str) -> String {
        let head = r#"{ "name": "x#consumer-1", "client_id": "it"s "mine"", "brokers":{ "127.0.0.1:9092/1": { "name":"127.0.0.1:9092/1", "state":"UP", "rxidle":7, "toppars":{ "orders-0": { "topic":"orders", "partition":0} } }, "#;
        let coordinator = r#""GroupCoordinator": { "name":"GroupCoordinator", "nodeid":1, "state":"UP", "txidle":5, "rxidle":"#;
        let tail = r#", "rxpartial":0, "toppars":{ } } }, "topics":{ "orders": { "partitions":{ "0": { "fetch_state":"active"} } } } , "cgrp": { "state": "up", "stateage": 12, "join_state": "wait-join", "rebalance_age": 0, "rebalance_cnt": 0, "rebalance_reason": "", "assignment_size": 0 }, "tx":5}"#;
        format!("{head}{coordinator}{idle}{tail}")
    }

    #[test]
    fn what_they_say_of_the_group_is_found_whatever_else_they_say() {
        let seen = |answered| Standing {
            coordinator: "up".to_owned(),
            member: "wait-join".to_owned(),
            answered,
        };
        let of_group = Statistics::set(&mut ClientConfig::new(), true);
        let told = of_group.standing(text("2500000").as_bytes());
        assert_eq!(told, Some(seen(Some(Duration::from_millis(2_500)))));
        assert_eq!(
            of_group.standing(text("-1").as_bytes()),
            Some(seen(None)),
            "not connected"
        );
        assert_eq!(of_group.standing(br#"{ "brokers":{ } }"#), None);
        let of_none = Statistics::set(&mut ClientConfig::new(), false);
        assert_eq!(of_none.standing(text("1").as_bytes()), None);
    }

    /// That of the coordinator is left when librdkafka has dropped all others.
    #[test]
    fn a_client_that_knows_no_broker_is_seen() {
        let broker = |name: &str, source: &str| {
            format!(
                r#""{name}": {{ "name":"{name}", "nodeid":1, "source":"{source}", "state":"UP" }}"#
            )
        };
        let coordinator = broker("GroupCoordinator", "logical");
        let shows = |brokers: &str| {
            let text = format!(r#"{{ "name": "x", "brokers":{{ {brokers} }}, "topics":{{ }} }}"#);
            Statistics::show_no_broker(text.as_bytes())
        };
        assert!(shows(""));
        assert!(shows(&coordinator));
        for source in ["learned", "configured"] {
            let other = broker("127.0.0.1:9092/1", source);
            assert!(!shows(&other), "{source}");
            assert!(!shows(&format!("{other}, {coordinator}")), "{source}");
        }
        assert!(!Statistics::show_no_broker(b"{ }"));
    }

    #[test]
    fn they_come_at_least_every_five_seconds_and_to_the_user_as_often_as_is_set() {
        // What is set, how often they come, and how often the user hears in a minute.
        let cases = [
            (None, Some("5000"), 0),
            (Some("0"), Some("5000"), 0),
            (Some("1000"), Some("1000"), 60),
            (Some("5000"), Some("5000"), 12),
            (Some("60000"), Some("5000"), 1),
            (Some("7500"), Some("3750"), 8),
        ];
        for (set, expected, heard) in cases {
            let mut config = ClientConfig::new();
            if let Some(set) = set {
                config.set(INTERVAL, set);
            }
            let statistics = Statistics::set(&mut config, true);
            let interval = config.get(INTERVAL);
            assert_eq!(interval, expected, "{set:?}");
            let come = 60_000 / interval.unwrap().parse::<u32>().unwrap();
            let wanted = (0..come).filter(|_| statistics.are_wanted()).count();
            assert_eq!(wanted, heard, "{set:?}");
        }
    }
}
