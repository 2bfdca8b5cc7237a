//! Batches that cannot be read.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The positions at which a batch could not be read.
fn told(notices: &[Notice]) -> Vec<i64> {
    let told = notices.iter().map(|notice| match notice {
        Notice::Unreadable { position, .. } => *position,
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_batch_that_cannot_be_read_is_told_with_its_offset_and_nothing_behind_it_is_read() {
    for goes_on in [false, true] {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 30), (0, 5)], &[(0, 0), (1, 0)]);
        member
            .client
            .incarnations
            .unreadable
            .insert(0, (10, goes_on));
        let read = member.read_offsets();
        assert_eq!(read, [(0, 0, 10), (1, 0, 5)], "goes on: {goes_on}");
        assert_eq!(told(&member.hear_all()), [10]);
        assert_eq!(member.read_offsets(), []);
        // The other goes on.
        member.client.logs.insert(1, (0, 8));
        assert_eq!(member.read_offsets(), [(1, 5, 3)]);
    }
}

#[test]
fn a_batch_that_can_be_read_later_is_read_and_nothing_is_left_out() {
    for goes_on in [false, true] {
        let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 30)], &[(0, 0)]);
        member
            .client
            .incarnations
            .unreadable
            .insert(0, (10, goes_on));
        member.read();
        member.hear_all();
        member.after(5 * SECOND);
        member.hear_all();
        assert_eq!(member.read_offsets(), []);
        assert_eq!(told(&member.hear_all()), [10], "goes on: {goes_on}");
        // Another replica has it.
        member.client.incarnations.unreadable.clear();
        member.after(5 * SECOND);
        member.hear_all();
        assert_eq!(member.read_offsets(), [(0, 10, 20)], "goes on: {goes_on}");
    }
}

#[test]
fn a_position_that_the_client_makes_up_behind_a_damaged_batch_is_not_believed() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 11)], &[(0, 0)]);
    // It goes on at 12, which the log does not have.
    member.client.incarnations.unreadable.insert(0, (10, true));
    assert_eq!(member.read_offsets(), [(0, 0, 10)]);
    assert_eq!(told(&member.hear_all()), [10]);
    assert!(member.requests().is_empty(), "nobody asks for the range");
    // A seek leaves the batch.
    member.client.logs.insert(0, (0, 30));
    member.seek(place(0), 11).unwrap();
    assert_eq!(member.read_offsets(), [(0, 11, 19)]);
    member.after(60 * SECOND);
    member.hear_all();
    assert_eq!(member.read_offsets(), [], "it is not begun again");
}
