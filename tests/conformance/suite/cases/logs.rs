//! What a log is, without a group.

use crate::cluster::New;
use crate::fixture::{MembersFixture, TOPIC};

pub(super) fn offsets_count_up_from_zero(fixture: &mut MembersFixture<'_>) {
    fixture.topic(2);
    let record = New {
        partition: Some(1),
        ..New::default()
    };
    assert_eq!(fixture.cluster.bounds(TOPIC, 1), (0, 0));
    for offset in 0..3 {
        assert_eq!(fixture.cluster.append(TOPIC, &record), (1, offset));
    }
    assert_eq!(fixture.cluster.bounds(TOPIC, 1), (0, 3));
    assert_eq!(fixture.cluster.bounds(TOPIC, 0), (0, 0));
}

/// Expected as Kafka's Java client places them among twelve partitions.
pub(super) fn a_key_chooses_its_partition_by_murmur2(fixture: &mut MembersFixture<'_>) {
    fixture.topic(12);
    for (key, partition) in JAVA {
        let record = New {
            key: Some((*key).into()),
            ..New::default()
        };
        assert_eq!(
            fixture.cluster.append(TOPIC, &record).0,
            *partition,
            "{key}"
        );
    }
}

const JAVA: &[(&str, i32)] = &[
    ("21", 0),
    ("foobar", 6),
    ("a-little-bit-long-string", 8),
    ("order 1", 1),
    ("order 2", 1),
    ("order 3", 6),
    ("ü", 2),
    ("", 9),
];

pub(super) fn deleted_records_move_the_start_of_the_log(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    fixture.append(0, 5);
    fixture.cluster.delete_below(TOPIC, 0, 3);
    assert_eq!(fixture.cluster.bounds(TOPIC, 0), (3, 5));
    fixture.append(0, 1);
    assert_eq!(fixture.cluster.bounds(TOPIC, 0), (3, 6));
}

pub(super) fn a_time_is_found_in_the_log(fixture: &mut MembersFixture<'_>) {
    fixture.topic(1);
    // The broker refuses what is far from its own clock.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let base = i64::try_from(now.as_millis()).unwrap() - 10_000;
    for after in [0, 2_000, 1_000, 4_000] {
        let record = New {
            partition: Some(0),
            timestamp: Some(base + after),
            ..New::default()
        };
        fixture.cluster.append(TOPIC, &record);
    }
    let mut find = |after| fixture.cluster.offset_for_time(TOPIC, 0, base + after);
    assert_eq!(find(-1), Some(0));
    assert_eq!(find(0), Some(0));
    assert_eq!(find(1), Some(1));
    // Times need not be in order: the first record of the log that is not older.
    assert_eq!(find(1_000), Some(1));
    assert_eq!(find(2_001), Some(3));
    assert_eq!(find(4_001), None);
}
