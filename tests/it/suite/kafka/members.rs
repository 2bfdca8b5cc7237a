//! Members come and go while records are handled: who gives partitions back repeats nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use kafka_lab::Kafka;
use serde_json::json;

use crate::kafka::fixture::{AppFixture, assert_at_least_once, assert_once, keyed, order, times};
use crate::kafka::process::{PATIENCE, Process, eventually};

/// Sends orders until the `work` is over, then returns how many they were.
fn under_load(fixture: &AppFixture<'_>, work: impl FnOnce()) -> u64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let load = threads.spawn(|| {
            let mut sent = 0;
            while !over.load(Relaxed) {
                fixture.send(&keyed(sent..sent + 20, 40, &json!({"sleep_ms": 4})));
                sent += 20;
                // The pace of the load: 200 orders of 4 ms per second.
                std::thread::sleep(Duration::from_millis(100));
            }
            sent
        });
        // Also when it panics the load ends.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Relaxed);
        let sent = load.join().unwrap();
        worked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        sent
    })
}

/// Members join one that stays, take part, and leave by SIGTERM.
fn come_and_go(setting: &'static str) {
    let fixture = AppFixture::new(setting, 4);
    let mut stays = fixture.app();
    stays.is_started();
    let sent = under_load(&fixture, || {
        for _ in 0..4 {
            let guest = fixture.app();
            fixture.await_members(2);
            // It handles some itself before it goes.
            let handled = || {
                fixture
                    .done()
                    .iter()
                    .filter(|done| done.pid == guest.pid())
                    .count()
            };
            eventually("the guest handles orders", || {
                (handled() >= 20).then_some(())
            });
            guest.stop();
        }
    });
    fixture.await_committed();
    stays.stop();
    assert_once(&fixture.done(), 0..sent);
    println!("{setting}: {sent} orders, 4 members came and went, none repeated");
}

#[test]
fn members_that_come_and_go_repeat_nothing_with_cooperative_sticky() {
    come_and_go("join");
}

#[test]
fn members_that_come_and_go_repeat_nothing_with_range() {
    come_and_go("range");
}

#[test]
fn members_that_come_and_go_repeat_nothing_with_kip_848() {
    come_and_go("kip848");
}

/// Within three heartbeats of a second each and the start of the process: a heartbeat is the only way to
/// hear of a rebalance. The member that stays hears of the guest and gives back, then the guest hears
/// that it may take.
#[test]
fn twenty_members_one_after_another_get_their_partitions_at_once() {
    let fixture = AppFixture::new("twenty", 4);
    let mut stays = fixture.app();
    stays.is_started();
    let mut times = Vec::new();
    let sent = under_load(&fixture, || {
        for _ in 0..20 {
            let guest = fixture.app();
            eventually("the guest has partitions", || guest.line(" assigned "));
            times.push(guest.age());
            guest.stop();
        }
    });
    fixture.await_committed();
    stays.stop();
    assert_once(&fixture.done(), 0..sent);
    println!("from process start to partitions: {times:.2?}");
    let slowest = times.iter().max().unwrap();
    assert!(*slowest < Duration::from_secs(3), "{times:.2?}");
}

/// Of one run of 1,000 orders of 50 ms each, SIGTERM repeats nothing, SIGKILL what no round of commits has committed.
#[test]
fn a_long_run_that_is_cut_or_killed_repeats_what_is_not_committed() {
    let fixture = AppFixture::new("cut", 1);
    fixture.send_to(0, (0..1_000).map(|id| json!({"id": id, "sleep_ms": 50})));

    let mut first = fixture.app();
    fixture.await_count(40);
    first.terminate();
    assert_eq!(first.exits_within(Duration::from_secs(5)), 0);
    let handled = fixture.count();
    assert_eq!(fixture.committed()[&0], i64::try_from(handled).unwrap());
    assert_once(&fixture.done(), 0..handled as u64);

    let mut second = fixture.app();
    fixture.await_count(handled + 60);
    // In the middle of the run, whose end is far.
    let committed = eventually("the run is committed in part", || {
        let committed = usize::try_from(fixture.committed()[&0]).unwrap();
        (committed > handled).then_some(committed)
    });
    second.kill();
    let handled = fixture.count();
    assert_once(&fixture.done(), 0..handled as u64);

    let third = fixture.app();
    let not_committed = handled - committed;
    fixture.await_count(handled + not_committed + 20);
    third.stop();
    let done = fixture.done();
    let repeated = times(&done).values().filter(|n| **n > 1).count();
    println!("SIGTERM repeated 0, SIGKILL {repeated} of at most {not_committed}");
    assert!(repeated <= not_committed, "{repeated}");
    assert_at_least_once(&done, 0..(done.len() - repeated) as u64);
}

#[test]
fn a_long_run_that_is_revoked_in_its_middle_repeats_nothing() {
    let fixture = AppFixture::new("shared_run", 2);
    let slow = |from| move |id| json!({"id": from + id, "sleep_ms": 50});
    fixture.send_to(0, (0..1_000).map(slow(0)));
    fixture.send_to(1, (0..1_000).map(slow(1_000)));
    let mut first = fixture.app();
    fixture.await_count(40);
    let mut second = fixture.app();
    let handled = |pid| fixture.done().iter().filter(|done| done.pid == pid).count();
    eventually("the second handles", || {
        (handled(second.pid()) > 20).then_some(())
    });
    for app in [&mut first, &mut second] {
        app.terminate();
        assert_eq!(app.exits_within(Duration::from_secs(5)), 0);
    }
    let done = fixture.done();
    assert!(times(&done).values().all(|n| *n == 1), "{:?}", times(&done));
    let committed: i64 = fixture.committed().values().sum();
    assert_eq!(committed, i64::try_from(done.len()).unwrap());
}

/// A process of a static member.
fn named(fixture: &AppFixture<'_>, name: &str) -> Process {
    let variable = "FASTKAFKA_CONSUMER_DEFAULTS__GROUP_INSTANCE_ID";
    Process::orders_with(
        fixture.setting,
        fixture.kafka.bootstrap(),
        &[(variable, name)],
    )
}

/// What a process was given and gave back.
fn moves(app: &Process) -> Vec<String> {
    let log = app.log();
    let moves = log
        .lines()
        .filter(|line| line.contains(" assigned ") || line.contains(" gave back "));
    moves.map(str::to_owned).collect()
}

/// The first of two static members ends in these ways and is started again within its session.
fn restarts(setting: &'static str, ends: &[&str]) {
    let fixture = AppFixture::new(setting, 4);
    let mut first = named(&fixture, "first");
    let mut second = named(&fixture, "second");
    first.is_started();
    second.is_started();
    fixture.await_members(2);
    let mut sent = 0;
    let mut send = || {
        for partition in 0..4 {
            fixture.send_to(partition, [order(sent)]);
            sent += 1;
        }
        sent
    };
    let handled_by = |app: &Process| -> BTreeSet<i32> {
        let done = fixture.done();
        let own = done.iter().filter(|done| done.pid == app.pid());
        own.map(|done| done.partition).collect()
    };
    fixture.await_count(send().try_into().unwrap());
    let had = handled_by(&first);
    assert!((1..=3).contains(&had.len()), "{had:?}");
    let moved = moves(&second);
    for end in ends {
        // Nothing is left that the end could repeat.
        fixture.await_committed();
        if *end == "SIGTERM" {
            first.terminate();
            assert_eq!(first.exits_within(PATIENCE), 0);
        } else {
            first.kill();
        }
        let all = send();
        first = named(&fixture, "first");
        first.is_started();
        fixture.await_count(all.try_into().unwrap());
        assert_eq!(handled_by(&first), had, "after {end}");
        assert_eq!(moves(&second), moved, "after {end}");
    }
    fixture.await_committed();
    assert_once(&fixture.done(), 0..4 * (1 + ends.len() as u64));
    for app in [first, second] {
        app.stop();
    }
}

#[test]
fn a_static_member_that_restarts_gets_its_partitions_back_and_nobody_else_moves() {
    restarts("named", &["SIGTERM", "SIGKILL"]);
}

/// A member that was killed keeps its name until its session is over: Kafka refuses it to the next one.
#[test]
fn a_static_member_that_has_ended_gets_its_partitions_back_with_kip_848() {
    restarts("named_848", &["SIGTERM"]);
}

/// Another process has its name: Kafka refuses the next heartbeat of the first.
#[test]
fn a_static_member_that_is_replaced_ends_at_once_and_says_why() {
    let kafka = Kafka::start().unwrap();
    let fixture = AppFixture::on(&kafka, "named", 1);
    let mut first = named(&fixture, "only");
    first.is_started();
    fixture.send_to(0, [order(0)]);
    fixture.await_count(1);
    fixture.await_committed();
    let mut second = named(&fixture, "only");
    first.says(" ends: ");
    // The client is closed, though the stop has 8 s.
    assert_eq!(first.exits_within(Duration::from_secs(3)), 1);
    let end = first.line("error: the app ended: ").unwrap();
    assert!(end.contains("fenced"), "{end}");
    assert!(!end.contains("could not be closed"), "{end}");
    second.is_started();
    fixture.send_to(0, [order(1)]);
    fixture.await_count(2);
    second.stop();
}
