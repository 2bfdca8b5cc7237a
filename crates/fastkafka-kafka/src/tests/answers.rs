//! Each error that a broker may answer a request with, once: what is told, and that all goes on when the next
//! request is answered well. `docs/errors.md` names the requests of each code.

use super::*;
use crate::error::{is_of_others, is_permanent, row, tried};
use crate::producer::again::is_of_the_batch;
use fastkafka_core::FailureKind;
use fastkafka_runtime::platform::{Lasting, Scope};
use rdkafka::types::RDKafkaErrorCode;
use std::collections::BTreeSet;
use std::sync::Mutex;
use tried::Request;

/// Plays that run side by side; each waits most of its time.
const THREADS: usize = 8;

/// Plays every code of every request. All that fail are told together.
fn play(requests: &[&Request], play: fn(&Request, RDKafkaErrorCode)) {
    let plays = requests
        .iter()
        .flat_map(|request| request.codes.iter().map(move |code| (*request, *code)));
    let plays = Mutex::new(plays.collect::<Vec<_>>());
    let failed = Mutex::new(Vec::new());
    let next = || plays.lock().unwrap().pop();
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                while let Some((request, code)) = next() {
                    let played = std::panic::catch_unwind(|| play(request, code));
                    if let Err(why) = played {
                        let why = why.downcast_ref::<String>().cloned();
                        let why = format!("{} {code:?}: {}", request.name, why.unwrap_or_default());
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// How one record fares until it is delivered.
fn send_until_delivered(sink: &KafkaProducers) -> Vec<FailureKind> {
    let deadline = Instant::now() + PATIENCE;
    let mut failures = Vec::new();
    while let Err(failure) = send(sink, &[record("orders", 0, b"x")]) {
        failures.push(failure.kind());
        assert!(Instant::now() < deadline, "not delivered: {failure:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    failures
}

/// A record is refused for good where sending it again cannot help. In every other case it is sent again, by
/// librdkafka or by whoever handles the record that it is an output of.
#[test]
fn a_record_fails_for_good_or_is_sent_again() {
    play(&[&tried::PRODUCE], |request, code| {
        let broker = broker(&[("orders", 1)]);
        let sink = sink(broker.address(), 100);
        send(&sink, &[record("orders", 0, b"x")]).unwrap();
        broker.refuse_next(request.api_key, code);
        if is_of_the_batch(code) {
            // It is sent again alone first.
            broker.refuse_next(request.api_key, code);
        }
        let failures = send_until_delivered(&sink);
        // A topic that has just been made is not known to every broker: librdkafka asks again.
        let asks_again = code == RDKafkaErrorCode::UnknownTopicOrPartition;
        let for_good = is_permanent(code) && !asks_again;
        assert_eq!(
            failures.contains(&FailureKind::Rejected),
            for_good,
            "{failures:?}"
        );
        if row(code) == (Scope::Client, Lasting::Permanent) {
            assert!(!failures.is_empty(), "the client has ended");
        }
        if is_of_others(code) {
            let is_counted = |kind: &FailureKind| !matches!(kind, FailureKind::Transient { .. });
            assert!(!failures.iter().any(is_counted), "{failures:?}");
        }
    });
}

/// No record is to blame when a producer does not get its number.
#[test]
fn a_producer_without_a_number_fails_no_record_for_good() {
    play(&[&tried::INIT_PRODUCER_ID], |request, code| {
        let broker = broker(&[("orders", 1)]);
        broker.refuse_next(request.api_key, code);
        let failures = send_until_delivered(&sink(broker.address(), 100));
        assert!(!failures.contains(&FailureKind::Rejected), "{failures:?}");
    });
}

/// What a member is told of one code, until it reads and commits.
#[derive(Debug, Default)]
struct Told {
    errors: BTreeSet<&'static str>,
    refused_start: bool,
    unreadable: bool,
    fatal: bool,
}

impl Told {
    /// As a driver does: a partition whose start is not known is asked about again.
    fn hear(&mut self, member: &mut Member) {
        if let Some(why) = member.refused.take() {
            self.refused_start |= matches!(why, StartError::Refused(_));
            let place = (place("orders", 0), member.policy);
            member.consumer.resolve(vec![place], PATIENCE);
        }
        for notice in member.notices.drain(..) {
            match notice {
                Notice::Error(error) => {
                    self.fatal |= error.is_fatal();
                    self.errors.insert(error.code);
                }
                Notice::Committed(all) => {
                    let refused = all.iter().filter_map(|(_, answer)| answer.as_ref().err());
                    self.errors.extend(refused.map(|error| error.code));
                }
                Notice::Unreadable { .. } => self.unreadable = true,
                _ => {}
            }
        }
    }
}

/// A member whose request is answered with the code, before it reads or then. It reads three records and
/// commits them, unless its client has ended.
fn member(request: &Request, code: RDKafkaErrorCode, running: bool) -> Told {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 3);
    if !running {
        broker.refuse_next(request.api_key, code);
        if request.name == "FindCoordinator" {
            // The client may leave the connection on which it has asked first, and never see that answer.
            broker.refuse_next(request.api_key, code);
        }
    }
    // The embedded broker throws out who joins again within a session of one second.
    let settings = settings().session_timeout_ms(2_000u64);
    let policy = OffsetReset::Earliest;
    let mut member = Member::join_with(broker.address(), &["orders"], policy, &settings);
    let mut told = Told::default();
    member.until("three records", |member| {
        told.hear(member);
        told.fatal || member.records() >= 3
    });
    if running {
        broker.refuse_next(request.api_key, code);
        broker.keep_requests();
        let of_request = || broker.requests(request.api_key);
        member.until("the answer, and another one", |member| {
            member.consumer.store(&[(place("orders", 0), 2)]);
            told.hear(member);
            told.fatal || of_request() > 1
        });
    }
    member.until("a commit", |member| {
        member.consumer.store(&[(place("orders", 0), 3)]);
        told.hear(member);
        let is_committed = || committed(broker.address(), "orders", 0).0 == Offset::Offset(3);
        told.fatal || is_committed()
    });
    told
}

/// A client is of no use any more exactly where the table says so.
fn ends_where_the_table_says(told: &Told, code: RDKafkaErrorCode) {
    let ends = row(code) == (Scope::Client, Lasting::Permanent);
    assert_eq!(told.fatal, ends, "{told:?}");
}

/// Whether somebody has to act for it, as far as a consumer can tell.
fn is_refusal(code: RDKafkaErrorCode) -> bool {
    crate::error::client_error(code, "").is_refusal()
}

#[test]
fn a_member_gets_in_and_reads_after_each_error_and_tells_those_that_somebody_has_to_mend() {
    // A leader or a coordinator that has just changed may say so of a topic: librdkafka asks again.
    const ASKED_AGAIN: [&str; 2] = ["UNKNOWN_TOPIC_OR_PART", "UNKNOWN_TOPIC_ID"];
    let requests: Vec<_> = tried::STARTING.iter().collect();
    play(&requests, |request, code| {
        let told = member(request, code, false);
        ends_where_the_table_says(&told, code);
        let name = ffi::error_name(code);
        // The next attempt to join is a moment later.
        let joins_again = request.name == "SyncGroup";
        if is_refusal(code) && !ASKED_AGAIN.contains(&name) && !joins_again {
            assert!(told.refused_start || told.errors.contains(name), "{told:?}");
        }
        let of_batch = request.name == "Fetch" && row(code).0 == Scope::Batch;
        assert_eq!(told.unreadable, of_batch, "{told:?}");
    });
}

#[test]
fn a_member_goes_on_and_commits_after_each_error() {
    let requests: Vec<_> = tried::RUNNING.iter().collect();
    play(&requests, |request, code| {
        ends_where_the_table_says(&member(request, code, true), code);
    });
}
