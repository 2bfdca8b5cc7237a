//! What is told of a position that the partition has left: librdkafka drops most of it, and not everything.

use super::*;
use crate::consumer::raw::{Answer, Ended, RawClient};
use crate::consumer::simulated::late::Wrong;

/// Leaves a position by a seek, or by an assignment that follows another.
fn leave(member: &mut KafkaConsumer<Simulated>, by_seek: bool, to: i64) {
    if by_seek {
        return member.seek(place(0), to).unwrap();
    }
    member.client.rebalance(Event::Revoke(vec![place(0)]));
    member.hear_all();
    member.unassign(&[place(0)]).unwrap();
    member.give(&[(0, to)]);
}

/// The broker would be asked about the position that was left, and its answer move the partition back there.
#[test]
fn an_error_of_a_position_that_was_left_neither_moves_a_partition_nor_stops_it() {
    let all = [Wrong::OutOfRange, Wrong::Truncated(8), Wrong::Truncated(0)];
    for (n, wrong) in all.into_iter().cycle().take(24).enumerate() {
        let (cooperative, by_seek, stops) = (n % 2 == 0, n % 4 < 2, n % 8 < 4);
        let what = format!("{wrong:?} {cooperative} {by_seek} {stops}");
        let mut member = KafkaConsumer::reading(cooperative, &[(0, 9)], &[(0, 0)]);
        assert_eq!(member.read_offsets(), [(0, 0, 9)]);
        leave(&mut member, by_seek, 3);
        // It was at 9.
        member.client.tell_late(0, wrong, stops);
        let mut read = member.read_offsets();
        for _ in 0..3 {
            assert!(member.hear_all().is_empty(), "{what}");
            read.append(&mut member.read_offsets());
        }
        let asks = |request: &Request| matches!(request, Request::Range(_));
        assert!(!member.requests().iter().any(asks), "{what}");
        assert_eq!(read, [(0, 3, 6)], "{what}");
    }
}

/// Two positions were left while nothing was taken of the queue.
#[test]
fn of_several_late_errors_each_is_one_and_the_last_may_be_true() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 0)]);
    member.read();
    member.seek(place(0), 3).unwrap();
    member.client.tell_late(0, Wrong::OutOfRange, true);
    member.seek(place(0), 50).unwrap();
    member.client.tell_late(0, Wrong::Truncated(0), true);
    for _ in 0..4 {
        assert_eq!(member.read_offsets(), []);
        assert!(member.hear_all().is_empty());
    }
    let asked = member.requests();
    assert!(
        matches!(&asked[..], [Request::Range(at)] if at.next == 50),
        "{asked:?}"
    );
}

#[test]
fn a_range_of_before_the_partition_was_moved_to_the_same_position_is_not_believed() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 9)], &[(0, 50)]);
    member.read();
    member.hear_all();
    let before = member.fetch_position(0);
    member.seek(place(0), 50).unwrap();
    member.read();
    member.hear_all();
    // The log has grown since that was asked.
    member.client.logs.insert(0, (0, 60));
    for (at, high) in [(before, 9), (member.fetch_position(0), 60)] {
        let low = 0;
        let answer = Answer::Range { at, low, high };
        member.client.post(Event::Answer(answer));
        assert!(member.hear_all().is_empty());
    }
    assert_eq!(member.read_offsets(), [(0, 50, 10)]);
}

#[test]
fn a_log_that_was_cut_is_not_passed_although_its_end_was_looked_at() {
    let mut member = KafkaConsumer::reading(COOPERATIVE, &[(0, 3)], &[(0, 3)]);
    let (from, end) = (member.fetch_position(0), Some(15));
    let answer = Answer::Ends(vec![Ended { from, end }]);
    member.client.post(Event::Answer(answer));
    assert!(member.hear_all().is_empty(), "it is told by the next poll");
    member.client.incarnations.cut_at(0, 3, 1);
    member.read();
    let told = member.hear_all();
    assert!(
        matches!(&told[..], [Notice::Truncated { position: 3, .. }]),
        "{told:?}"
    );
}
