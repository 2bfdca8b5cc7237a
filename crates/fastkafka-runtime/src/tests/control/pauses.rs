use super::super::cluster::{lock, place};
use super::super::lab::{Lab, World, drive, handle};
use super::{pause, reach, resume, seek, steady};
use crate::control::Seek;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_pause_takes_effect_at_the_next_record_and_commits_what_is_done() {
    let mut lab = Lab::new::<steady>(2, 1_000);
    lab.pass(Duration::from_millis(1_010)).await;
    pause(&mut lab, ("in", 0)).await;
    let begun = lab.state.offsets(0);
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(lab.state.offsets(0), begun, "nothing of it starts");
    assert!(begun.len() < 30);
    assert_eq!(lab.committed(0), Some(i64::try_from(begun.len()).unwrap()));
    assert!(lab.state.offsets(1).len() > 100, "the other one goes on");
    resume(&mut lab, "in").await;
    lab.until_committed(0, 1_000).await;
    assert_eq!(lab.state.offsets(0), (0..1_000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_of_a_paused_partition() {
    let mut lab = Lab::new::<steady>(1, 0);
    lab.pass(Duration::from_secs(1)).await;
    pause(&mut lab, "in").await;
    lab.fill(0, 100);
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!((lab.fetched(), lab.state.offsets(0).len()), (0, 0));
    resume(&mut lab, "in").await;
    lab.until_committed(0, 100).await;
}

#[tokio::test(start_paused = true)]
async fn health_shows_a_pause_and_finds_no_fault_in_it() {
    let mut lab = Lab::new::<steady>(3, 1);
    lab.until_committed(2, 1).await;
    pause(&mut lab, "in").await;
    resume(&mut lab, ("in", 1)).await;
    let paused = [("in".to_owned(), 0), ("in".to_owned(), 2)];
    assert_eq!(lab.health().paused, paused);
    assert_eq!(lab.handle().paused(), paused);
    lab.pass(Duration::from_secs(300)).await;
    assert!(lab.problems().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pause_stays_when_its_partition_comes_back() {
    let mut lab = Lab::new::<steady>(2, 100);
    lab.pass(Duration::from_secs(1)).await;
    pause(&mut lab, ("in", 0)).await;
    lab.revoke([0]);
    lab.until(|labs| !labs[0].is_reading(0)).await;
    assert!(lab.handle().paused().is_empty());
    lab.assign([0]);
    lab.until(|labs| labs[0].is_reading(0)).await;
    let (begun, fetched) = (lab.state.offsets(0).len(), lab.fetched());
    lab.until_committed(1, 100).await;
    assert_eq!(
        (lab.state.offsets(0).len(), lab.fetched()),
        (begun, fetched)
    );
    assert_eq!(lab.handle().paused(), [("in".to_owned(), 0)]);
    resume(&mut lab, ("in", 0)).await;
    lab.until_committed(0, 100).await;
    assert_eq!(lab.state.offsets(0), (0..100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn all_workers_of_the_process_obey_whoever_has_the_partition() {
    let world = World::new::<steady>();
    for partition in 0..2 {
        world.fill(partition, 100);
        lock(&world.cluster).committed.insert(place(partition), 0);
    }
    let (mut one, mut two) = (world.member(), world.member());
    one.assign([0]);
    two.assign([1]);
    let handle = handle(&[&one, &two]);
    drive(&mut [&mut one, &mut two], |labs| {
        labs[0].state.calls().len() > 10
    })
    .await;
    let asked = one.begin({
        let handle = handle.clone();
        async move { handle.pause("in").await }
    });
    drive(&mut [&mut one, &mut two], |_| asked.is_finished()).await;
    let begun = world.state.calls().len();
    // The partition of one goes to the other.
    one.revoke([0]);
    drive(&mut [&mut one, &mut two], |labs| !labs[0].is_reading(0)).await;
    two.assign([0]);
    let end = world.state.now() + Duration::from_secs(10);
    drive(&mut [&mut one, &mut two], |labs| labs[0].state.now() >= end).await;
    assert!(two.is_reading(0));
    assert_eq!(world.state.calls().len(), begun);
    assert_eq!(
        handle.paused(),
        [("in".to_owned(), 0), ("in".to_owned(), 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn a_paused_partition_can_be_moved_and_stays_paused() {
    let mut lab = Lab::new::<steady>(1, 100);
    reach(&mut lab, 10).await;
    pause(&mut lab, "in").await;
    seek(&mut lab, ("in", 0), Seek::Offset(90)).await.unwrap();
    let begun = lab.state.offsets(0).len();
    lab.pass(Duration::from_secs(10)).await;
    assert_eq!(
        (lab.state.offsets(0).len(), lab.committed(0)),
        (begun, Some(90))
    );
    resume(&mut lab, "in").await;
    lab.until_committed(0, 100).await;
    assert_eq!(lab.state.offsets(0)[begun..], (90..100).collect::<Vec<_>>());
}
