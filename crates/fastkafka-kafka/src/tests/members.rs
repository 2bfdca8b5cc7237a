//! Members that come, move their partitions and leave.

use super::*;
use rdkafka::types::RDKafkaErrorCode;

#[test]
fn what_was_stored_is_committed_on_leaving_and_with_the_topics_marker() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(broker.address(), 100), "orders", 0, 10);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("ten records", |m| m.records() == 10);
    assert_eq!(member.consumer.store(&[(place("orders", 0), 7)]), []);
    let refused = member.consumer.store(&[(place("orders", 9), 7)]);
    assert_eq!(refused[0].0, place("orders", 9));
    member.leave();
    let expected = (Offset::Offset(7), "partitions=2".to_owned());
    assert_eq!(committed(broker.address(), "orders", 0), expected);
}

#[test]
fn a_partition_moves_only_when_its_revoke_is_answered() {
    let broker = broker(&[("orders", 2)]);
    fill(&sink(broker.address(), 100), "orders", 0, 5);
    fill(&sink(broker.address(), 100), "orders", 1, 5);
    // On a busy machine a heartbeat may be late by more than the session of the embedded broker: the
    // first member would be thrown out, and its commit refused.
    let settings = settings().session_timeout_ms(4_000u64);
    let join = || {
        let topics = &["orders"];
        Member::join_with(broker.address(), topics, OffsetReset::Earliest, &settings)
    };
    let mut first = join();
    first.until("everything", |m| m.records() == 10);
    first.draining = true;
    let mut second = join();
    first.until("a revoke", |m| {
        second.turn();
        !m.revoked.is_empty()
    });
    assert!(second.assigned.is_empty());
    let moved = first.revoked[0];
    assert_eq!(first.consumer.store(&[(moved, 3)]), []);
    first.answer_revoke();
    first.draining = false;
    second.until("the partition", |m| {
        first.turn();
        !m.assigned.is_empty()
    });
    // Where the first one left off, not where it had read to. While members join the embedded broker takes no
    // commit, which Kafka does: then it is refused, and that is told.
    let is_refused = |notice: &Notice| match notice {
        Notice::Committed(all) => all.iter().any(|(_, committed)| committed.is_err()),
        _ => false,
    };
    let from = match first.notices.iter().any(is_refused) {
        true => 0,
        false => 3,
    };
    assert_eq!(second.assigned, [(moved, from)], "{first:?} {second:?}");
    let rest = if from == 0 { 5 } else { 2 };
    second.until("the rest", |m| m.records() == rest);
    assert_eq!(first.assigned.len(), 1);
    first.leave();
    second.leave();
}

#[test]
fn messages_keep_their_client_open() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 1);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("a record", |m| m.records() == 1);
    let held = member.runs.pop().unwrap();
    member.consumer.unsubscribe();
    member.until("the last revoke", |m| m.assigned.is_empty());
    let closed = |member: &mut Member, patience: Duration| {
        let deadline = Instant::now() + patience;
        loop {
            let is_closed = member.consumer.close(PATIENCE).is_ready();
            if is_closed || Instant::now() > deadline {
                return is_closed;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    };
    assert!(!closed(&mut member, Duration::from_millis(300)));
    assert_eq!(held.1.offset(0), 0);
    drop(held);
    assert!(closed(&mut member, PATIENCE));
}

#[test]
fn a_consumer_that_was_not_closed_can_be_dropped() {
    let broker = broker(&[("orders", 1)]);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("an assignment", |m| !m.assigned.is_empty());
    drop(member);
}

#[test]
fn a_member_hears_that_its_client_is_connected() {
    let broker = broker(&[("orders", 1)]);
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("a broker's answer", |m| {
        m.notices.iter().any(|n| matches!(n, Notice::Connected))
    });
    member.until("an assignment", |m| !m.assigned.is_empty());
    member.leave();
}

#[test]
fn a_member_that_closes_says_that_it_leaves() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 5);
    broker.keep_requests();
    let mut member = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    member.until("five records", |m| m.records() == 5);
    // Giving the partition up takes as long as the commit of this.
    assert_eq!(member.consumer.store(&[(place("orders", 0), 5)]), []);
    broker.answer_after(Duration::from_millis(100));
    member.leave();
    assert_eq!(broker.leaves(), 1);
}

#[test]
fn a_static_member_that_closes_commits_and_says_nothing() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 5);
    broker.keep_requests();
    let settings = settings().group_instance_id("first");
    let join = || {
        let policy = OffsetReset::Earliest;
        Member::join_with(broker.address(), &["orders"], policy, &settings)
    };
    let mut member = join();
    member.until("five records", |m| m.records() == 5);
    assert_eq!(member.consumer.store(&[(place("orders", 0), 3)]), []);
    member.leave();
    assert_eq!(broker.leaves(), 0);
    let mut next = join();
    next.until("its assignment", |m| !m.assigned.is_empty());
    assert_eq!(next.assigned, [(place("orders", 0), 3)]);
    next.leave();
}

#[test]
fn nothing_of_a_partition_is_read_between_its_seek_and_the_answer_to_a_rebalance() {
    let broker = broker(&[("orders", 2)]);
    let sink = sink(broker.address(), 100);
    fill(&sink, "orders", 0, 5);
    fill(&sink, "orders", 1, 5);
    let mut first = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    // What else the client has read stays in its queue.
    while first.records() == 0 {
        first.hear();
        first.consumer.fetch(1, &mut first.runs);
    }
    first.draining = true;
    let mut second = Member::join(broker.address(), &["orders"], OffsetReset::Earliest);
    let deadline = Instant::now() + PATIENCE;
    while first.revoked.is_empty() {
        assert!(Instant::now() < deadline, "no revoke");
        first.hear();
        second.turn();
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let stays = place("orders", 1 - first.revoked[0].partition);
    first.runs.clear();
    // Giving it up now would be taken for the answer, so it waits for that.
    first.consumer.seek(stays, 3).unwrap();
    first.consumer.fetch(1_000, &mut first.runs);
    assert!(first.runs.iter().all(|(place, _)| *place != stays));
    first.runs.clear();
    first.answer_revoke();
    first.draining = false;
    first.until("the rest of what stays", |m| {
        second.turn();
        m.records() == 2
    });
    assert_eq!(first.runs[0].1.offset(0), 3);
    second.until("the partition", |m| {
        first.turn();
        !m.assigned.is_empty()
    });
    first.leave();
    second.leave();
}

/// Another process has the same `group_instance_id`: the broker refuses the next heartbeat.
#[test]
fn a_member_that_is_fenced_has_lost_its_partitions_and_is_closed_at_once() {
    let broker = broker(&[("orders", 1)]);
    fill(&sink(broker.address(), 100), "orders", 0, 5);
    let settings = settings().group_instance_id("first");
    let policy = OffsetReset::Earliest;
    let mut member = Member::join_with(broker.address(), &["orders"], policy, &settings);
    member.until("five records", |m| m.records() == 5);
    member.draining = true;
    const HEARTBEAT: i16 = 12;
    broker.refuse_next(HEARTBEAT, RDKafkaErrorCode::FencedInstanceId);
    member.until("a revoke", |m| !m.revoked.is_empty());
    let is_fatal = |notice: &Notice| matches!(notice, Notice::Error(error) if error.is_fatal());
    assert!(member.notices.iter().any(is_fatal), "{:?}", member.notices);
    assert!(member.consumer.lost());
    member.answer_revoke();
    member.runs.clear();
    member.consumer.unsubscribe();
    let begun = Instant::now();
    while member.consumer.close(PATIENCE).is_pending() {
        assert!(begun.elapsed() < PATIENCE / 2, "the client does not close");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
