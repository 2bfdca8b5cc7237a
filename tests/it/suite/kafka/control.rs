//! Pause, resume and seek while records are handled, and `run --from`: in groups of each protocol.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::kafka::fixture::{AppFixture, Done, assert_at_least_once, assert_once, order, times};
use crate::kafka::process::{PATIENCE, eventually, within};

/// How often each of these was done.
fn often(done: &[Done], ids: impl IntoIterator<Item = u64>) -> Vec<u32> {
    let times = times(done);
    let often = |id| times.get(&id).copied().unwrap_or(0);
    ids.into_iter().map(often).collect()
}

/// Each seek is followed by SIGKILL at once: the next process goes on at the new position.
fn seek_and_be_killed(setting: &'static str) {
    let fixture = AppFixture::new(setting, 2);
    let slow = |id| json!({"id": id, "sleep_ms": 20});
    fixture.send_to(0, (0..50).map(slow));
    fixture.send_to(1, (50..100).map(order));
    let mut app = fixture.app();
    fixture.await_committed();
    assert_eq!(app.wish("seek 0 20"), "0@20");
    app.kill();
    let committed = fixture.committed();
    assert!((20..50).contains(&committed[&0]), "{committed:?}");
    assert_eq!(committed[&1], 50);

    let mut app = fixture.app();
    fixture.await_committed();
    let done = fixture.done();
    assert_at_least_once(&done, 0..100);
    assert!(
        often(&done, 20..50).iter().all(|n| *n >= 2),
        "handled again"
    );
    assert!(
        often(&done, (0..20).chain(50..100)).iter().all(|n| *n == 1),
        "and nothing else"
    );

    assert_eq!(app.wish("pause 1"), "done");
    fixture.send_to(1, (100..150).map(order));
    assert_eq!(app.wish("seek 1 90"), "1@90");
    app.kill();
    assert_eq!(fixture.committed()[&1], 90);

    let app = fixture.app();
    fixture.await_committed();
    app.stop();
    let done = fixture.done();
    assert!(often(&done, 100..140).iter().all(|n| *n == 0), "left out");
    assert!(often(&done, 140..150).iter().all(|n| *n == 1));
}

#[test]
fn a_seek_is_committed_when_it_returns_with_cooperative_sticky() {
    seek_and_be_killed("seek_sticky");
}

#[test]
fn a_seek_is_committed_when_it_returns_with_range() {
    seek_and_be_killed("seek_range");
}

#[test]
fn a_seek_is_committed_when_it_returns_with_kip_848() {
    seek_and_be_killed("seek_848");
}

#[test]
fn a_seek_is_committed_when_it_returns_by_key() {
    seek_and_be_killed("seek_key");
}

#[test]
fn a_seek_that_cannot_be_done_says_why_and_moves_nothing() {
    let fixture = AppFixture::new("refused", 2);
    fixture.send_to(0, (0..10).map(order));
    fixture.kafka.delete_records(&fixture.topic, 0, 4).unwrap();
    let mut app = fixture.app();
    fixture.await_count(6);
    assert_eq!(
        app.wish("seek 0 11"),
        "offset 11 is not in the log of refused[0], which has 4 to 10"
    );
    assert_eq!(
        app.wish("seek all 4"),
        "an offset belongs to one partition of `refused`: name it, as in `(\"refused\", 0)`"
    );
    assert_eq!(
        app.wish("seek 7 end"),
        "refused[7] is not assigned to this process"
    );
    fixture.await_committed();
    assert_eq!(app.wish("seek all beginning"), "0@4 1@0");
    fixture.await_count(12);
    app.stop();
    assert_eq!(often(&fixture.done(), 4..10), [2; 6]);
}

/// A partition that is paused goes to another process, which handles it, and is paused again when it
/// comes back.
fn pause_and_rebalance(setting: &'static str) {
    let fixture = AppFixture::new(setting, 4);
    let send = |ids: std::ops::Range<u64>| {
        for id in ids {
            fixture.send_to(i32::try_from(id % 4).unwrap(), [order(id)]);
        }
    };
    let mut stays = fixture.app();
    stays.is_started();
    for partition in 0..4 {
        assert_eq!(stays.wish(&format!("pause {partition}")), "done");
    }
    assert_eq!(stays.wish("resume 3"), "done");
    let guest = fixture.app();
    let pid = guest.pid();
    fixture.await_members(2);
    send(0..40);
    // What the guest has is handled there; of its own, the process that stays handles partition 3 alone.
    let handled = || {
        let mut by = BTreeMap::new();
        for done in fixture.done() {
            *by.entry(done.partition).or_insert(0) += 1;
            assert!(
                done.pid == pid || done.partition == 3,
                "{done:?} by the process that paused it"
            );
        }
        by
    };
    eventually("the guest's partitions and partition 3 are handled", || {
        let all = fixture.assigned()?.concat();
        let handled = handled();
        let done = handled.values().all(|n| *n == 10);
        (all.len() == 4 && handled.len() >= 2 && handled.contains_key(&3) && done).then_some(())
    });
    guest.stop();
    eventually("the partitions come back", || {
        (fixture.assigned()? == [vec![0, 1, 2, 3]]).then_some(())
    });
    send(40..80);
    eventually("partition 3 is handled", || {
        (handled()[&3] == 20).then_some(())
    });
    let before = handled();
    assert!(before.values().sum::<i32>() < 80);
    assert_eq!(stays.wish("resume all"), "done");
    fixture.await_committed();
    stays.stop();
    assert_once(&fixture.done(), 0..80);
    println!("{setting}: {before:?} before the pauses ended");
}

#[test]
fn a_pause_outlives_a_rebalance_with_cooperative_sticky() {
    pause_and_rebalance("pause_sticky");
}

#[test]
fn a_pause_outlives_a_rebalance_with_range() {
    pause_and_rebalance("pause_range");
}

#[test]
fn a_pause_outlives_a_rebalance_with_kip_848() {
    pause_and_rebalance("pause_848");
}

#[test]
fn a_pause_longer_than_max_poll_interval_costs_no_membership() {
    let fixture = AppFixture::new("rests", 2);
    let mut app = fixture.app();
    app.is_started();
    assert_eq!(app.wish("pause all"), "done");
    fixture.send_to(0, (0..10).map(order));
    fixture.send_to(1, (10..20).map(order));
    let began = Instant::now();
    within(PATIENCE, "twice max.poll.interval.ms pass", || {
        assert_eq!(fixture.assigned(), Some(vec![vec![0, 1]]), "{}", app.log());
        (began.elapsed() > Duration::from_secs(12)).then_some(())
    });
    assert_eq!(fixture.count(), 0);
    assert_eq!(app.wish("resume all"), "done");
    fixture.await_committed();
    let log = app.log();
    app.stop();
    assert_once(&fixture.done(), 0..20);
    assert_eq!(log.matches(" assigned ").count(), 1, "{log}");
}

#[test]
fn a_stopped_partition_that_is_resumed_handles_all_behind_the_record_in_order() {
    let fixture = AppFixture::new("resumed", 2);
    let fails = json!({"id": 0, "fails": "error", "times": 3});
    fixture.send_to(0, std::iter::once(fails).chain((1..10).map(order)));
    let mut app = fixture.app();
    app.says("stands still at offset 0");
    fixture.send_to(0, (10..20).map(order));
    fixture.send_to(1, (20..30).map(order));
    fixture.await_count(10);
    // Three attempts fail: it stops once more only if it had both attempts again.
    assert_eq!(app.wish("resume 0"), "done");
    fixture.await_committed();
    assert_once(&fixture.done(), 0..30);
    app.stop();
}

#[test]
fn a_stopped_key_that_is_resumed_handles_all_behind_the_record_in_order() {
    let fixture = AppFixture::new("resumed_key", 1);
    let fails = json!({"id": 0, "fails": "error", "times": 2});
    fixture.send_to(0, std::iter::once(fails).chain((1..10).map(order)));
    let others: Vec<_> = (10..20)
        .map(|id| {
            crate::kafka::fixture::record(&order(id))
                .key("other")
                .partition(0)
        })
        .collect();
    fixture.send(&others);
    let mut app = fixture.app();
    app.says("stands still at offset 0, with its key alone");
    fixture.await_count(10);
    fixture.send_to(0, (20..30).map(order));
    assert_eq!(app.wish("resume 0"), "done");
    fixture.await_committed();
    app.stop();
    let done = fixture.done();
    let of_key: Vec<_> = done
        .iter()
        .map(|done| done.id)
        .filter(|id| !(10..20).contains(id))
        .collect();
    assert_eq!(of_key, (0..10).chain(20..30).collect::<Vec<_>>());
    assert_eq!(often(&done, 10..20), [1; 10]);
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Whatever a group has committed, it begins at the time, once; but not while it has members.
fn begin_at_a_time(setting: &'static str) {
    let fixture = AppFixture::new(setting, 2);
    fixture.send_to(0, (0..10).map(order));
    fixture.send_to(1, (10..20).map(order));
    let latest = fixture.kafka.consume(&fixture.topic).unwrap();
    let latest = latest.iter().map(|record| record.timestamp).max().unwrap();
    let at = eventually("the clock goes on", || {
        let now = SystemTime::now();
        (millis(now) > latest).then_some(now)
    });
    let at = jiff::Timestamp::try_from(at).unwrap().to_string();
    // Nothing of partition 1 is as young.
    fixture.send_to(0, (20..30).map(order));
    let mut app = fixture.app();
    app.is_started();
    fixture.await_committed();

    let mut refused = fixture.app_from(&at);
    assert_eq!(refused.exits_within(PATIENCE), 1);
    let line = refused.line("is active").unwrap();
    assert!(
        line.contains(&format!(
            "group `{}` is active: stop its members first",
            fixture.topic
        )),
        "{line}"
    );
    assert_eq!(fixture.committed(), BTreeMap::from([(0, 20), (1, 10)]));
    assert_eq!(app.log().matches(" assigned ").count(), 1, "{}", app.log());
    app.stop();
    assert_once(&fixture.done(), 0..30);

    let mut app = fixture.app_from(&at);
    fixture.await_count(40);
    app.lives();
    fixture.await_committed();
    app.kill();
    // Once: what comes after that goes on at the commits.
    let app = fixture.app();
    fixture.send_to(1, [order(30)]);
    fixture.await_committed();
    app.stop();
    let done = fixture.done();
    assert_eq!(often(&done, 20..30), [2; 10]);
    assert_eq!(often(&done, (0..20).chain([30])), [1; 21]);
}

#[test]
fn a_group_begins_at_a_time_when_it_has_no_members_with_cooperative_sticky() {
    begin_at_a_time("from_sticky");
}

#[test]
fn a_group_begins_at_a_time_when_it_has_no_members_with_range() {
    begin_at_a_time("from_range");
}

#[test]
fn a_group_begins_at_a_time_when_it_has_no_members_with_kip_848() {
    begin_at_a_time("from_848");
}
