//! Members come and go while records are handled: who gives partitions back repeats nothing.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde_json::json;

use crate::process::eventually;
use crate::scene::{Scene, assert_at_least_once, assert_once, keyed, times};

/// Sends orders until the `work` is over, then returns how many they were.
fn under_load(scene: &Scene<'_>, work: impl FnOnce()) -> u64 {
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let load = threads.spawn(|| {
            let mut sent = 0;
            while !over.load(Relaxed) {
                scene.send(&keyed(sent..sent + 20, 40, &json!({"sleep_ms": 4})));
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
    let scene = Scene::new(setting, 4);
    let mut stays = scene.app();
    stays.is_started();
    let sent = under_load(&scene, || {
        for _ in 0..4 {
            let guest = scene.app();
            scene.await_members(2);
            // It handles some itself before it goes.
            let handled = || {
                scene
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
    scene.await_committed();
    stays.stop();
    assert_once(&scene.done(), 0..sent);
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
    let scene = Scene::new("twenty", 4);
    let mut stays = scene.app();
    stays.is_started();
    let mut times = Vec::new();
    let sent = under_load(&scene, || {
        for _ in 0..20 {
            let guest = scene.app();
            eventually("the guest has partitions", || guest.line(" assigned "));
            times.push(guest.age());
            guest.stop();
        }
    });
    scene.await_committed();
    stays.stop();
    assert_once(&scene.done(), 0..sent);
    println!("from process start to partitions: {times:.2?}");
    let slowest = times.iter().max().unwrap();
    assert!(*slowest < Duration::from_secs(3), "{times:.2?}");
}

/// Of one run of 1,000 orders of 50 ms each, SIGTERM repeats nothing, SIGKILL what a commit interval holds.
#[test]
fn a_long_run_that_is_cut_or_killed_repeats_at_most_a_commit_interval() {
    // A second of commit interval, 0.2 s until the prefix is stored, the way to the broker.
    const BOUND: usize = 1_500 / 50 + 1;
    let scene = Scene::new("cut", 1);
    scene.send_to(0, (0..1_000).map(|id| json!({"id": id, "sleep_ms": 50})));

    let mut first = scene.app();
    scene.await_count(40);
    first.terminate();
    assert_eq!(first.exits_within(Duration::from_secs(5)), 0);
    let handled = scene.count();
    assert_eq!(scene.committed()[&0], i64::try_from(handled).unwrap());
    assert_once(&scene.done(), 0..handled as u64);

    let mut second = scene.app();
    scene.await_count(handled + 60);
    second.kill();
    let handled = scene.count();
    assert_once(&scene.done(), 0..handled as u64);

    let third = scene.app();
    scene.await_count(handled + BOUND + 20);
    third.stop();
    let done = scene.done();
    let repeated = times(&done).values().filter(|n| **n > 1).count();
    println!("SIGTERM repeated 0, SIGKILL {repeated} of at most {BOUND}");
    assert!(repeated <= BOUND, "{repeated}");
    assert_at_least_once(&done, 0..(done.len() - repeated) as u64);
}

#[test]
fn a_long_run_that_is_revoked_in_its_middle_repeats_nothing() {
    let scene = Scene::new("shared_run", 2);
    let slow = |from| move |id| json!({"id": from + id, "sleep_ms": 50});
    scene.send_to(0, (0..1_000).map(slow(0)));
    scene.send_to(1, (0..1_000).map(slow(1_000)));
    let mut first = scene.app();
    scene.await_count(40);
    let mut second = scene.app();
    let handled = |pid| scene.done().iter().filter(|done| done.pid == pid).count();
    eventually("the second handles", || {
        (handled(second.pid()) > 20).then_some(())
    });
    for app in [&mut first, &mut second] {
        app.terminate();
        assert_eq!(app.exits_within(Duration::from_secs(5)), 0);
    }
    let done = scene.done();
    assert!(times(&done).values().all(|n| *n == 1), "{:?}", times(&done));
    let committed: i64 = scene.committed().values().sum();
    assert_eq!(committed, i64::try_from(done.len()).unwrap());
}
