//! Reading, starting and seeking.

use super::*;
use fastkafka_core::{Bytes, TimestampType};
use fastkafka_runtime::Seek;

#[test]
fn without_a_group_a_seek_is_answered_and_nothing_is_committed() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(broker.address(), 100), "orders", 1, 3);
    broker.keep_requests();
    let mut member = Member::standalone(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("the records", |member| member.records() == 3);
    assert_eq!(member.starts(), [(0, 0), (1, 0)]);
    member.consumer.store(&[(place("orders", 1), 3)]);
    member.consumer.commit(place("orders", 1), 1);
    member.until("the answer", |member| {
        let moved = |notice: &Notice| matches!(notice, Notice::Moved(_, Ok(())));
        member.notices.iter().any(moved)
    });
    member.leave();
    assert_eq!(broker.commits(), 0);
}

/// Without a group, as in an eager group, each assign begins all anew: their fetchers stop in the background, and
/// each takes with it where its records go.
#[test]
fn all_are_read_on_when_others_are_begun_with_beside_them() {
    const ROUNDS: i32 = 100;
    let broker = broker(&[("orders", 1), ("more", ROUNDS)]);
    let sink = sink(broker.address(), 1_000);
    let mut member = Member::standalone(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |member| member.assigned.len() == 1);
    let mut sent = 0;
    for round in 0..ROUNDS {
        member.consumer.add(&[(place("more", round), 0)]).unwrap();
        let more = (0..=round).map(|partition| record("more", partition, b"x"));
        let records: Vec<_> = more.chain([record("orders", 0, b"x")]).collect();
        sent += send(&sink, &records).unwrap().len();
        member.until("the records", |member| member.records() == sent);
    }
    let is_silent = |notice: &Notice| matches!(notice, Notice::Silence(_));
    assert!(!member.notices.iter().any(is_silent), "{member:?}");
    member.leave();
}

#[test]
fn a_record_comes_back_as_it_was_sent() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    let headers = [
        ("trace".to_owned(), Some(Bytes::from_static(b"7"))),
        ("trace".to_owned(), Some(Bytes::new())),
        ("null".to_owned(), None),
    ];
    let full = OutRecord {
        key: Some(b"k"),
        headers: &headers,
        timestamp: Some(1_234_567),
        ..record("orders", 0, b"payload")
    };
    let tombstone = OutRecord {
        payload: None,
        ..record("orders", 0, b"")
    };
    let sent = send(&sink, &[full, tombstone, record("orders", 0, b"")]).unwrap();
    assert_eq!(sent[2], Delivery::new("orders", 0, 2));

    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("three records", |m| m.records() == 3);
    let fetched: Vec<_> = member.runs.iter().map(|(_, run)| run.clone()).collect();
    let mut records = Vec::new();
    for run in &fetched {
        run.records(0..run.len(), &mut records);
    }
    assert_eq!(records[0].payload, Some(&b"payload"[..]));
    assert_eq!(records[0].key, Some(&b"k"[..]));
    assert_eq!(records[0].timestamp.millis(), Some(1_234_567));
    assert_eq!(records[0].timestamp.kind(), TimestampType::CreateTime);
    assert_eq!((records[1].payload, records[1].key), (None, None));
    assert_eq!((records[2].payload, records[2].offset), (Some(&b""[..]), 2));
    let seen = fetched[0].headers(0);
    let expected = [
        ("trace", Some(&b"7"[..])),
        ("trace", Some(b"")),
        ("null", None),
    ];
    assert_eq!(seen, expected);
    drop((records, seen));
    drop(fetched);
    member.leave();
}

#[test]
fn a_start_at_the_end_is_committed_before_anything_is_read() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(broker.address(), 100), "orders", 1, 5);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Latest);
    member.until("an assignment", |m| m.assigned.len() == 2);
    assert_eq!(member.starts(), [(0, 0), (1, 5)]);
    let expected = (Offset::Offset(5), "partitions=2".to_owned());
    assert_eq!(committed(broker.address(), "orders", 1), expected);
    // As after a crash: nothing was stored, and the next one starts at the pin, not at the end.
    fill(&sink(broker.address(), 100), "orders", 1, 3);
    member.leave();
    let mut next = Member::join(broker.address(), &["orders"], OffsetReset::Latest);
    next.until("the records in between", |m| m.records() == 3);
    next.leave();
}

#[test]
fn a_partition_that_was_added_is_read_from_its_beginning() {
    let broker = broker(&[("orders", 3)]);
    for partition in 0..3 {
        fill(&sink(broker.address(), 100), "orders", partition, 4);
    }
    // The group began when there were two partitions, and has no commit for the second.
    commit(broker.address(), "orders", 0, 2, "partitions=2");
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Latest);
    member.until("an assignment", |m| m.assigned.len() == 3);
    assert_eq!(member.starts(), [(0, 2), (1, 4), (2, 0)]);
    let marker = "partitions=2".to_owned();
    assert_eq!(
        committed(broker.address(), "orders", 2),
        (Offset::Offset(0), marker)
    );
    member.leave();
}

#[test]
fn the_policy_none_names_the_partitions_without_a_commit() {
    let broker = broker(&[("orders", 2)]);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::None);
    member.until("a refusal", |m| m.refused.is_some());
    let refused = member.refused.take().unwrap().to_string();
    assert!(refused.contains("orders[0], orders[1]"), "{refused}");
    member.leave();
}

#[test]
fn a_position_outside_the_log_is_reported_and_the_driver_can_move_it() {
    for strategy in ["cooperative-sticky", "range"] {
        let broker = broker(&[("orders", 2)]);
        let sink = sink(broker.address(), 100);
        fill(&sink, "orders", 0, 5);
        commit(broker.address(), "orders", 0, 50, "partitions=1");
        let mut settings = settings();
        settings.partition_assignment_strategy = Some(strategy.into());
        let policy = OffsetReset::Earliest;
        let mut member = Member::join_with(broker.address(), &["orders"], policy, &settings);
        let mut found = None;
        member.until("out of range", |m| {
            found = m.notices.iter().find_map(|notice| match notice {
                Notice::OutOfRange {
                    place,
                    position,
                    low,
                    high,
                } => Some((place.partition, *position, *low, *high)),
                _ => None,
            });
            found.is_some()
        });
        assert_eq!(found, Some((0, 50, 0, 5)), "{strategy}");
        member.consumer.pause(place("orders", 1), true).unwrap();
        fill(&sink, "orders", 1, 1);
        member.consumer.seek(place("orders", 0), 2).unwrap();
        member.until("the rest", |m| m.records() == 3);
        assert_eq!(member.runs[0].1.offset(0), 2);
        // More than once: fetchers stop and start in the background.
        for round in 1..=4 {
            member.consumer.seek(place("orders", 0), 4).unwrap();
            member.until("the last again", |m| m.records() == 3 + round);
        }
        // Others stay as they were.
        assert!(member.runs.iter().all(|(p, _)| p.partition == 0));
        member.consumer.pause(place("orders", 1), false).unwrap();
        member.until("the other", |m| m.records() == 8);
        member.leave();
    }
}

#[test]
fn a_paused_partition_is_not_read_and_goes_on_where_it_was() {
    let broker = broker(&[("orders", 2)]);
    let sink = sink(broker.address(), 100);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |m| m.assigned.len() == 2);
    member.consumer.pause(place("orders", 0), true).unwrap();
    fill(&sink, "orders", 0, 3);
    fill(&sink, "orders", 1, 3);
    member.until("the other", |m| m.records() == 3);
    assert!(member.runs.iter().all(|(p, _)| p.partition == 1));
    member.consumer.pause(place("orders", 0), false).unwrap();
    member.until("both", |m| m.records() == 6);
    member.leave();
}

#[test]
fn the_commit_of_a_seek_goes_back_and_the_periodic_one_goes_on_from_there() {
    let broker = broker(&[("orders", 1)]);
    let sink = sink(broker.address(), 100);
    fill(&sink, "orders", 0, 9);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("nine records", |m| m.records() == 9);
    let orders = place("orders", 0);
    let moved = |m: &Member| {
        m.notices
            .iter()
            .filter(|n| matches!(n, Notice::Moved(_, Ok(()))))
            .count()
    };
    for (n, to) in [(1, 9), (2, 2)] {
        member.consumer.commit(orders, to);
        member.until("the commit", |m| moved(m) == n);
        let expected = (Offset::Offset(to), "partitions=1".to_owned());
        assert_eq!(committed(broker.address(), "orders", 0), expected);
    }
    assert_eq!(member.consumer.store(&[(orders, 4)]), []);
    member.leave();
    assert_eq!(
        committed(broker.address(), "orders", 0).0,
        Offset::Offset(4)
    );
}

#[test]
fn a_position_is_found_by_offset_beginning_and_end() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 5);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |m| !m.assigned.is_empty());
    let mut find = |to| {
        member.consumer.find(place("orders", 0), to);
        let mut found = None;
        member.until("an answer", |m| {
            let at = m
                .notices
                .iter()
                .position(|n| matches!(n, Notice::Found(..)));
            found = at.map(|at| m.notices.remove(at));
            found.is_some()
        });
        match found {
            Some(Notice::Found(_, found)) => found.map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(find(Seek::Offset(3)), Ok(3));
    assert_eq!(find(Seek::Offset(5)), Ok(5));
    let refused = "offset 6 is not in the log of orders[0], which has 0 to 5";
    assert_eq!(find(Seek::Offset(6)), Err(refused.to_owned()));
    assert_eq!(find(Seek::Beginning), Ok(0));
    assert_eq!(find(Seek::End), Ok(5));
    member.leave();
}
