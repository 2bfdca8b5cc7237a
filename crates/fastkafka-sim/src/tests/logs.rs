use super::kit::World;
use crate::*;

fn world() -> World {
    World::new(Protocol::Eager, Assignor::Range, 1)
}

fn offsets(world: &World, from: i64, max: usize) -> Result<(Vec<i64>, i64), FetchError> {
    let batch = world.cluster.fetch(world.partition(0), from, max)?;
    let offsets = batch.records.iter().map(|e| e.offset).collect();
    Ok((offsets, batch.next))
}

#[test]
fn a_fetch_goes_on_behind_its_last_record() {
    let world = world();
    assert_eq!(offsets(&world, 2, 3), Ok((vec![2, 3, 4], 5)));
    assert_eq!(offsets(&world, 8, 9), Ok((vec![8, 9], 10)));
    assert_eq!(offsets(&world, 10, 9), Ok((vec![], 10)));
}

#[test]
fn gaps_are_passed_over_and_so_are_markers_at_the_end() {
    let mut world = world();
    let p = world.partition(0);
    world.cluster.remove(p, 3);
    assert_eq!(offsets(&world, 2, 2), Ok((vec![2, 4], 5)));
    assert_eq!(world.cluster.append_marker(p), 10);
    assert_eq!(offsets(&world, 9, 9), Ok((vec![9], 11)));
    assert_eq!(offsets(&world, 10, 9), Ok((vec![], 11)));
}

#[test]
fn an_offset_below_the_log_start_or_above_its_end_is_out_of_range() {
    let mut world = world();
    let p = world.partition(0);
    world.cluster.delete_before(p, 4);
    let out = Err(FetchError::OutOfRange { low: 4, high: 10 });
    for (from, expected) in [(3, out.clone()), (4, Ok((vec![4], 5))), (11, out)] {
        assert_eq!(offsets(&world, from, 1), expected, "from {from}");
    }
    world.cluster.truncate(p, 6);
    assert_eq!(
        offsets(&world, 7, 1),
        Err(FetchError::OutOfRange { low: 4, high: 6 })
    );
    assert_eq!(world.cluster.append(p, 9, 0), 6);
}

#[test]
fn a_log_start_never_goes_back_and_never_past_the_end() {
    let mut world = world();
    let p = world.partition(0);
    for (before, low) in [(4, 4), (2, 4), (99, 10)] {
        world.cluster.delete_before(p, before);
        assert_eq!(world.cluster.log(p).unwrap().low(), low, "{before}");
    }
}

#[test]
fn retention_by_time_never_deletes_behind_a_young_record() {
    let mut cluster = Cluster::new();
    let topic = cluster.create_topic("in", 1);
    let p = cluster.partitions(topic)[0];
    for timestamp in [1, 2, 9, 3] {
        cluster.append(p, (), timestamp);
    }
    cluster.delete_older(p, 5);
    let log = cluster.log(p).unwrap();
    assert_eq!((log.low(), log.high(), log.entries().len()), (2, 4, 2));
    cluster.delete_older(p, 100);
    assert_eq!(cluster.log(p).unwrap().low(), 4);
}

#[test]
fn compaction_keeps_the_last_of_each_key_and_what_has_no_key() {
    let mut cluster = Cluster::new();
    let topic = cluster.create_topic("in", 1);
    let p = cluster.partitions(topic)[0];
    for key in [Some('a'), Some('b'), None, Some('a')] {
        cluster.append(p, key, 0);
    }
    cluster.compact(p, |key| *key);
    let log = cluster.log(p).unwrap();
    let left: Vec<_> = log.entries().iter().map(|e| e.offset).collect();
    assert_eq!((left, log.low(), log.high()), (vec![1, 2, 3], 0, 4));
}

#[test]
fn the_offset_for_a_time_is_the_first_that_is_not_older() {
    let mut cluster = Cluster::new();
    let topic = cluster.create_topic("in", 1);
    let p = cluster.partitions(topic)[0];
    for timestamp in [10, 30, 20] {
        cluster.append(p, (), timestamp);
    }
    for (timestamp, expected) in [(0, Some(0)), (11, Some(1)), (30, Some(1)), (31, None)] {
        assert_eq!(
            cluster.offset_for_time(p, timestamp),
            expected,
            "{timestamp}"
        );
    }
}

#[test]
fn a_record_may_be_written_though_its_producer_hears_an_error() {
    let mut world = world();
    let p = world.partition(0);
    for (outcome, answer, high) in [
        (Outcome::Ok, Ok(10), 11),
        (Outcome::Error, Err(ProduceError), 11),
        (Outcome::ErrorButWritten, Err(ProduceError), 12),
    ] {
        assert_eq!(world.cluster.produce(p, 1, 0, outcome), answer);
        assert_eq!(world.cluster.log(p).unwrap().high(), high);
    }
}

#[test]
fn a_topic_created_again_is_empty_and_its_commits_are_gone() {
    let mut world = world();
    let p = world.partition(0);
    let commit = Commit {
        member: None,
        generation: 0,
        offsets: vec![(p, 7.into())],
    };
    assert_eq!(world.cluster.commit(world.group, &commit), Ok(()));
    assert_eq!(world.cluster.lag(world.group, p), Some(3));
    world.cluster.delete_topic(world.topic);
    let unknown = world.cluster.fetch(p, 7, 1).unwrap_err();
    assert_eq!(unknown, FetchError::UnknownPartition);
    let refused = world.cluster.commit(world.group, &commit);
    assert_eq!(refused, Err(GroupError::UnknownPartition));
    assert_eq!(world.cluster.create_topic("in", 1), world.topic);
    assert_eq!(world.committed(0), None);
    assert_eq!(
        offsets(&world, 7, 1),
        Err(FetchError::OutOfRange { low: 0, high: 0 })
    );
}

#[test]
fn a_key_moves_when_partitions_are_added_and_has_no_place_in_a_deleted_topic() {
    let mut world = World::new(Protocol::Eager, Assignor::Range, 6);
    let place = |world: &World| world.cluster.partition_for_key(world.topic, b"kafka");
    assert_eq!(place(&world), Some(world.partition(4)));
    world.cluster.create_topic("in", 7);
    assert_eq!(place(&world), Some(world.partition(0x5067_cf64 % 7)));
    world.cluster.delete_topic(world.topic);
    assert_eq!(place(&world), None);
}

#[test]
fn partitions_are_only_ever_added() {
    let mut world = world();
    world.cluster.create_topic("other", 1);
    world.cluster.create_topic("in", 3);
    world.cluster.create_topic("in", 2);
    let partitions = world.cluster.partitions(world.topic);
    let places: Vec<_> = partitions.iter().map(|p| world.cluster.place(*p)).collect();
    assert_eq!(places, [0, 1, 2].map(|i| (world.topic, i)));
    assert_eq!(world.cluster.log(world.partition(0)).unwrap().high(), 10);
}

#[test]
fn clones_share_a_log_until_one_of_them_writes() {
    let world = world();
    let p = world.partition(0);
    let mut other = world.cluster.clone();
    other.append(p, 1, 0);
    assert_eq!(world.cluster.log(p).unwrap().high(), 10);
    assert_eq!(other.log(p).unwrap().high(), 11);
}

#[test]
fn a_set_of_many_partitions_is_a_set() {
    let mut cluster: Cluster<()> = Cluster::new();
    let topic = cluster.create_topic("in", 200);
    let all = cluster.partitions(topic).to_vec();
    let odd: PartitionSet = all.iter().copied().filter(|p| p.index() % 2 == 1).collect();
    let low: PartitionSet = all[..70].iter().copied().collect();
    assert_eq!((odd.len(), low.len()), (100, 70));
    assert_eq!(odd.intersection(&low).len(), 35);
    assert_eq!(odd.union(&low).len(), 135);
    assert_eq!(odd.minus(&low).iter().next(), Some(all[71]));
    let mut same = low.clone();
    same.insert(all[150]);
    assert_ne!(same, low);
    same.remove(all[150]);
    assert_eq!(same, low);
}
