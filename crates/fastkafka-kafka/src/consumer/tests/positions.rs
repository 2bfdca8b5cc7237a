//! A position belongs to one incarnation of a log: leader epochs, and logs that were cut.

use super::*;
use crate::consumer::raw::{Answer, RawClient};
use crate::offsets::broker::OffsetAndEpoch;
use crate::offsets::start_offsets::Resolved;
use crate::offsets::topic_id::TopicId;

/// A member that has nothing yet, of a cluster that tells epochs and ids.
fn telling(logs: &[(i64, i64)]) -> KafkaConsumer<Simulated> {
    let mut member = KafkaConsumer::member(COOPERATIVE, logs);
    member.client.tell_incarnations();
    member
}

/// The same, and it reads its one partition.
fn reading(logs: &[(i64, i64)]) -> KafkaConsumer<Simulated> {
    let mut member = telling(logs);
    member.give(&[(0, 0)]);
    member
}

/// What was told of logs that were cut: the position, and where.
fn truncated(notices: &[Notice]) -> Vec<(i64, Option<i64>)> {
    let truncated = notices.iter().map(|notice| match notice {
        Notice::Truncated { position, end, .. } => (*position, *end),
        other => panic!("{other:?}"),
    });
    truncated.collect()
}

/// A member whose group has committed this offset with this epoch, and has assigned it.
fn resumed(log: (i64, i64), committed: i64, epoch: i32) -> KafkaConsumer<Simulated> {
    let member = telling(&[log]);
    resumed_in(member, OffsetAndEpoch::new(committed, Some(epoch)), None)
}

/// The same, with the topic that the commit names.
fn resumed_in(
    mut member: KafkaConsumer<Simulated>,
    at: OffsetAndEpoch,
    topic: Option<TopicId>,
) -> KafkaConsumer<Simulated> {
    member.client.rebalance(Event::Assign(vec![place(0)]));
    let resolved = Resolved {
        known: vec![simulated::start(0, at, topic)],
        ..Resolved::default()
    };
    let answer = Answer::Resolved(resolved);
    member.client.post(Event::Answer(answer));
    member.hear_all();
    // The answer to the look that the assignment has begun.
    member.hear_all();
    member
}

fn id(n: u128) -> Option<TopicId> {
    TopicId::new(n)
}

/// Waits for the next look and its answer.
fn look(member: &mut KafkaConsumer<Simulated>) -> Vec<Notice> {
    member.after(Duration::from_secs(10));
    let mut told = Vec::new();
    for _ in 0..3 {
        told.append(&mut member.hear_all());
    }
    told
}

/// The positions of a topic that is gone.
fn made_anew(notices: &[Notice]) -> Vec<i64> {
    let told = notices.iter().map(|notice| match notice {
        Notice::MadeAnew { position, .. } => *position,
        other => panic!("{other:?}"),
    });
    told.collect()
}

#[test]
fn a_log_that_is_cut_and_grows_again_while_it_is_read_is_told() {
    let mut member = reading(&[(0, 10)]);
    assert_eq!(member.read_offsets(), [(0, 0, 10)]);
    member.client.cut(0, 4, 15);
    assert_eq!(member.read_offsets(), []);
    assert_eq!(truncated(&member.hear_all()), [(10, Some(4))]);
    // It stands still until it is moved, and nobody asks for the range of the log.
    assert!(member.requests().is_empty());
    assert_eq!(member.read_offsets(), []);
    member.seek(place(0), 4).unwrap();
    assert_eq!(member.read_offsets(), [(0, 4, 11)]);
    assert!(member.hear_all().is_empty());
}

#[test]
fn a_log_that_was_cut_and_has_grown_again_since_the_commit_is_told() {
    let mut member = resumed((0, 10), 10, 0);
    member.client.cut(0, 4, 15);
    member.assign(&[(place(0), 10)]).unwrap();
    assert_eq!(member.read_offsets(), []);
    assert_eq!(truncated(&member.hear_all()), [(10, Some(4))]);
}

#[test]
fn a_log_with_a_new_leader_that_was_not_cut_is_read_on() {
    let mut member = resumed((0, 10), 10, 0);
    member.client.cut(0, 10, 15);
    member.assign(&[(place(0), 10)]).unwrap();
    assert_eq!(member.read_offsets(), [(0, 10, 5)]);
    assert!(member.hear_all().is_empty());
}

#[test]
fn nothing_counts_before_the_broker_is_asked_about_the_position() {
    for cut in [true, false] {
        let mut member = resumed((0, 10), 10, 0);
        member.client.cut(0, if cut { 4 } else { 10 }, 15);
        // The fetchers of the assignment before have to end.
        member.client.incarnations.begin_late = true;
        member.assign(&[(place(0), 10)]).unwrap();
        assert_eq!(member.read_offsets(), [], "not asked yet");
        member.hear_all();
        member.client.incarnations.begin_late = false;
        member.after(Duration::from_secs(1));
        let told = member.hear_all();
        assert!(told.is_empty(), "{told:?}");
        let read: &[_] = if cut { &[] } else { &[(0, 10, 5)] };
        assert_eq!(member.read_offsets(), read);
        let told = truncated(&member.hear_all());
        assert_eq!(told, if cut { vec![(10, Some(4))] } else { Vec::new() });
    }
}

#[test]
fn a_commit_carries_the_epoch_of_the_record_before_it() {
    let mut member = reading(&[(0, 10)]);
    member.client.cut(0, 6, 15);
    assert_eq!(member.read_offsets(), [(0, 0, 6), (0, 6, 9)]);
    for (offset, epoch) in [(3, 0), (6, 0), (7, 1), (15, 1)] {
        assert!(member.store(&[(place(0), offset)]).is_empty());
        let stored = member.client.stored.last().unwrap();
        assert_eq!(stored.at, OffsetAndEpoch::new(offset, Some(epoch)));
        let taken = vec![(place(0), offset, Ok(()))];
        member.client.raise(Event::Committed(taken));
        member.hear_all();
    }
}

#[test]
fn an_offset_that_the_broker_names_is_committed_and_begun_with_by_its_epoch() {
    let mut member = reading(&[(0, 10)]);
    member.read();
    let found = OffsetAndEpoch::new(8, Some(0));
    let answer = Answer::Found(place(0), Ok(found));
    member.client.post(Event::Answer(answer));
    member.hear_all();
    member.requests();
    member.commit(place(0), 8);
    let requests = member.requests();
    let [Request::Commit { commit, .. }] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(commit.at, found);
    // It is cut before the client is moved.
    member.client.cut(0, 4, 15);
    member.seek(place(0), 8).unwrap();
    assert_eq!(member.read_offsets(), []);
    assert_eq!(truncated(&member.hear_all()), [(8, Some(4))]);
}

#[test]
fn a_topic_that_is_made_anew_while_it_is_read_is_told_and_read_no_further() {
    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(1));
    member.give(&[(0, 0)]);
    member.read();
    assert!(look(&mut member).is_empty());
    member.client.set_id(id(2));
    // Some of it is read before the next look.
    member.client.logs.insert(0, (0, 20));
    member.read();
    assert_eq!(made_anew(&look(&mut member)), [20]);
    member.client.logs.insert(0, (0, 30));
    assert_eq!(member.read_offsets(), []);
    assert!(look(&mut member).is_empty(), "told once");
    // What was handled is committed as what it was.
    member.store(&[(place(0), 20)]);
    let metadata = |member: &KafkaConsumer<Simulated>| {
        let stored = member.client.stored.last().unwrap();
        stored.metadata.as_deref().unwrap().to_owned()
    };
    assert_eq!(metadata(&member), format!("topic={}", id(1).unwrap()));
    // A seek goes to the one that is there.
    let answer = Answer::Found(place(0), Ok(0.into()));
    member.client.post(Event::Answer(answer));
    member.hear_all();
    member.commit(place(0), 0);
    let moved = Answer::Moved(place(0), Ok(()));
    member.client.post(Event::Answer(moved));
    member.hear_all();
    member.seek(place(0), 0).unwrap();
    assert_eq!(member.read_offsets(), [(0, 0, 30)]);
    assert!(look(&mut member).is_empty());
    member.store(&[(place(0), 30)]);
    assert_eq!(metadata(&member), format!("topic={}", id(2).unwrap()));
}

#[test]
fn a_commit_of_a_topic_that_was_made_anew_since_is_not_read_on_from() {
    for (now, told) in [(id(1), false), (id(2), true), (None, false)] {
        let mut member = telling(&[(0, 20)]);
        member.client.set_id(now);
        let mut member = resumed_in(member, 5.into(), id(1));
        member.assign(&[(place(0), 5)]).unwrap();
        let read: &[_] = if told { &[] } else { &[(0, 5, 15)] };
        assert_eq!(member.read_offsets(), read);
        let expected = if told { vec![5] } else { Vec::new() };
        assert_eq!(made_anew(&member.hear_all()), expected);
        if told {
            // Tried again without another position, it is the same.
            member.seek(place(0), 5).unwrap();
            assert_eq!(member.read_offsets(), []);
            assert_eq!(made_anew(&member.hear_all()), [5]);
        }
    }
}

#[test]
fn a_start_waits_two_seconds_for_the_topics_id_and_no_longer() {
    let mut member = telling(&[(0, 20)]);
    member.client.incarnations.ids = None;
    let mut member = resumed_in(member, 5.into(), id(1));
    member.assign(&[(place(0), 5)]).unwrap();
    assert_eq!(member.read_offsets(), []);
    member.after(Duration::from_secs(2));
    member.hear_all();
    assert_eq!(member.read_offsets(), [(0, 5, 15)]);
    // The answer comes all the same.
    let ids = [(simulated::TOPIC.to_owned(), id(2).unwrap())];
    let (look, _) = member.client.incarnations.looks.last().unwrap();
    member.client.post(Event::TopicIds(*look, ids.into()));
    member.hear_all();
    assert_eq!(made_anew(&member.hear_all()), [20]);
}

#[test]
fn records_of_an_older_leader_or_an_offset_out_of_range_are_looked_into_at_once() {
    for shorter in [false, true] {
        let mut member = telling(&[(0, 10)]);
        member.client.set_id(id(1));
        member.give(&[(0, 0)]);
        member.client.cut(0, 6, 10);
        member.read();
        look(&mut member);
        member.client.set_id(id(2));
        member.client.make_anew(0, if shorter { 5 } else { 20 });
        member.read();
        let looks = member.client.incarnations.looks.len();
        member.hear_all();
        assert_eq!(member.client.incarnations.looks.len(), looks + 1);
        let position = if shorter { 10 } else { 20 };
        member.hear_all();
        assert_eq!(made_anew(&member.hear_all()), [position]);
    }
}

/// The commit of a seek is answered, and behind it comes what was found at the position that the seek leaves.
#[test]
fn what_is_wrong_with_a_position_is_told_before_the_seek_that_leaves_it() {
    for unreadable in [false, true] {
        let mut member = reading(&[(0, 10)]);
        member.client.incarnations.unreadable.insert(0, (5, false));
        if !unreadable {
            member.client.incarnations.unreadable.clear();
            member.read();
            member.client.cut(0, 4, 15);
        }
        let moved = Answer::Moved(place(0), Ok(()));
        member.client.post(Event::Answer(moved));
        member.read();
        let told = member.hear_all();
        let [wrong, Notice::Moved(..)] = &told[..] else {
            panic!("{told:?}");
        };
        let expected = match wrong {
            Notice::Unreadable { position: 5, .. } => unreadable,
            Notice::Truncated { position: 10, .. } => !unreadable,
            _ => false,
        };
        assert!(expected, "{wrong:?}");
    }
}

#[test]
fn what_is_wrong_with_a_position_that_was_left_is_not_told() {
    let mut member = reading(&[(0, 10)]);
    member.read();
    member.client.cut(0, 4, 15);
    member.read();
    member.seek(place(0), 4).unwrap();
    assert!(member.hear_all().is_empty());
    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(1));
    member.give(&[(0, 0)]);
    member.read();
    look(&mut member);
    member.client.set_id(id(2));
    member.after(Duration::from_secs(10));
    // The look begins, and is answered.
    member.hear_all();
    member.hear_all();
    member.seek(place(0), 0).unwrap();
    assert!(look(&mut member).is_empty());
}

/// A partition that has stopped is moved back to the record at which it stands, and read once more from there.
#[test]
fn a_partition_that_is_moved_back_to_what_it_has_read_belongs_to_the_same_log() {
    let mut member = reading(&[(0, 10)]);
    member.read();
    member.client.cut(0, 4, 15);
    member.seek(place(0), 8).unwrap();
    assert_eq!(member.read_offsets(), []);
    assert_eq!(truncated(&member.hear_all()), [(8, Some(4))]);

    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(1));
    member.give(&[(0, 0)]);
    member.read();
    look(&mut member);
    member.client.set_id(id(2));
    member.client.make_anew(0, 20);
    assert_eq!(made_anew(&look(&mut member)), [10]);
    member.seek(place(0), 4).unwrap();
    assert_eq!(member.read_offsets(), []);
    assert_eq!(made_anew(&member.hear_all()), [4]);
    // What it stands at is committed as what it was.
    member.store(&[(place(0), 4)]);
    let stored = member.client.stored.last().unwrap();
    let topic = format!("topic={}", id(1).unwrap());
    assert_eq!(stored.metadata.as_deref(), Some(&*topic));
}

/// The driver would take it for news of the position that it moves to.
#[test]
fn while_a_move_waits_nothing_is_told_of_the_position_that_is_left() {
    for looks_first in [true, false] {
        let mut member = telling(&[(0, 10), (0, 10)]);
        member.client.set_id(id(1));
        member.give(&[(0, 0), (1, 0)]);
        member.read();
        look(&mut member);
        member.client.rebalance(Event::Revoke(vec![place(1)]));
        member.hear_all();
        member.client.set_id(id(2));
        if looks_first {
            member.after(Duration::from_secs(10));
            // The look begins, and is answered.
            member.hear_all();
            member.hear_all();
        }
        member.seek(place(0), 4).unwrap();
        let told = look(&mut member);
        let of_the_other = |told: &Notice| match told {
            Notice::MadeAnew { place: of, .. } => *of == place(1),
            _ => false,
        };
        assert!(told.iter().all(of_the_other), "{told:?}");
        // A broker that was behind says so no more.
        member.client.set_id(id(1));
        look(&mut member);
        member.unassign(&[place(1)]).unwrap();
        assert!(member.hear_all().is_empty());
        assert_eq!(member.read_offsets(), [(0, 4, 6)]);
    }
}

#[test]
fn that_a_topic_was_made_anew_is_told_once_more_when_later_looks_agree() {
    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(2));
    member.give(&[(0, 0)]);
    member.read();
    look(&mut member);
    // Each time a look says otherwise they are counted anew.
    for agree in [1, 2] {
        member.client.set_id(id(1));
        assert_eq!(made_anew(&look(&mut member)), [10]);
        for _ in 1..agree {
            assert!(look(&mut member).is_empty());
        }
        if agree == 1 {
            member.client.set_id(id(2));
            look(&mut member);
            member.seek(place(0), 10).unwrap();
        }
    }
    let told = look(&mut member);
    assert!(
        matches!(&told[..], [Notice::StillAnew { position: 10, .. }]),
        "{told:?}"
    );
    assert!(look(&mut member).is_empty());
}

/// Rebalances and misfits ask at once, and a broker that is behind answers each of these.
#[test]
fn looks_that_follow_each_other_at_once_agree_as_one() {
    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(2));
    member.give(&[(0, 0)]);
    member.read();
    look(&mut member);
    member.client.set_id(id(1));
    assert_eq!(made_anew(&look(&mut member)), [10]);
    for _ in 0..9 {
        member.looks.hurry();
        member.hear_all();
        assert!(member.hear_all().is_empty());
    }
    assert!(look(&mut member).is_empty());
    let told = look(&mut member);
    assert!(matches!(&told[..], [Notice::StillAnew { .. }]), "{told:?}");
}

#[test]
fn a_topic_that_is_the_same_after_all_is_read_on_and_nothing_is_left_out() {
    let mut member = telling(&[(0, 10)]);
    member.client.set_id(id(2));
    member.give(&[(0, 0)]);
    member.read();
    look(&mut member);
    // A broker that is behind.
    member.client.set_id(id(1));
    assert_eq!(made_anew(&look(&mut member)), [10]);
    member.client.logs.insert(0, (0, 15));
    assert_eq!(member.read_offsets(), []);
    member.client.set_id(id(2));
    let told = look(&mut member);
    assert!(
        matches!(&told[..], [Notice::SameAgain { position: 10, .. }]),
        "{told:?}"
    );
    assert_eq!(member.read_offsets(), []);
    member.seek(place(0), 10).unwrap();
    assert_eq!(member.read_offsets(), [(0, 10, 5)]);
    assert!(look(&mut member).is_empty());
}

#[test]
fn a_start_waits_no_longer_for_looks_that_begin_again_and_again() {
    let mut member = telling(&[(0, 20)]);
    member.client.incarnations.ids = None;
    let mut member = resumed_in(member, 5.into(), id(1));
    member.assign(&[(place(0), 5)]).unwrap();
    for _ in 0..4 {
        assert_eq!(member.read_offsets(), []);
        member.after(Duration::from_millis(500));
        member.looks.hurry();
        member.hear_all();
    }
    assert_eq!(member.read_offsets(), [(0, 5, 15)]);
}
