use super::*;
use fastkafka_core::TopicPartition;

const SECOND: Duration = Duration::from_secs(1);

fn place(partition: i32) -> PartitionRef {
    TopicPartition::intern("in", partition)
}

fn revoke(partition: i32) -> Asked {
    Asked::Revoke {
        places: vec![place(partition)],
        lost: false,
    }
}

/// An answer that knows these, and of these others nothing.
fn resolved(known: &[(i32, i64)], unknown: &[i32]) -> Asked {
    let known = known.iter().map(|(p, offset)| (place(*p), *offset));
    let error = StartError::Retry("no leader".to_owned());
    let unknown = unknown.iter().map(|p| (place(*p), error.clone()));
    Asked::Resolved(Starts {
        known: known.collect(),
        unknown: unknown.collect(),
    })
}

fn assert_asks(step: Option<Step>, partitions: &[i32]) {
    let Some(Step::Resolve(question)) = &step else {
        panic!("{step:?}");
    };
    let asked: Vec<_> = question.places.iter().map(|p| p.partition).collect();
    assert_eq!(asked, partitions);
}

/// One that was assigned these, and waits for their starts.
fn resolving(partitions: &[i32]) -> Rebalance {
    let mut rebalance = Rebalance::default();
    let places = partitions.iter().map(|partition| place(*partition));
    rebalance.push(Asked::Assign(places.collect()));
    assert_asks(rebalance.next(Time::ZERO), partitions);
    rebalance
}

fn assigns(starts: &[(i32, i64)]) -> Option<Step> {
    let starts = starts.iter().map(|(p, offset)| (place(*p), *offset));
    Some(Step::Assign(starts.collect()))
}

fn adds(partition: i32, offset: i64) -> Option<Step> {
    Some(Step::Add(vec![(place(partition), offset)]))
}

#[test]
fn an_assign_is_answered_with_its_starts_and_a_revoke_when_it_is_released() {
    let mut rebalance = resolving(&[0]);
    assert_eq!(rebalance.next(SECOND), None);
    assert!(!rebalance.starts_app(SECOND));
    rebalance.push(resolved(&[(0, 7)], &[]));
    assert_eq!(rebalance.next(SECOND), assigns(&[(0, 7)]));
    assert_eq!(rebalance.assigned(), [place(0)]);
    assert!(rebalance.starts_app(SECOND));
    assert!(!rebalance.starts_app(SECOND), "once");

    rebalance.push(revoke(0));
    rebalance.push(Asked::Assign(vec![place(1)]));
    assert!(matches!(rebalance.next(SECOND), Some(Step::Revoke { .. })));
    assert_eq!(rebalance.next(SECOND), None, "the next assign waits");
    assert_eq!(rebalance.release(), Some((vec![place(0)], false)));
    assert_eq!(rebalance.assigned(), [] as [PartitionRef; 0]);
    assert_asks(rebalance.next(SECOND), &[1]);
}

#[test]
fn an_assign_is_answered_with_what_is_known_and_the_rest_is_added_when_it_is_known() {
    let mut rebalance = resolving(&[0, 1]);
    rebalance.push(resolved(&[(0, 7)], &[1]));
    let step = rebalance.next(Time::ZERO);
    assert!(matches!(step, Some(Step::NotKnown(_))), "{step:?}");
    assert_eq!(rebalance.next(Time::ZERO), assigns(&[(0, 7)]));
    assert_eq!(rebalance.assigned(), [place(0)]);
    let why = |rebalance: &Rebalance| {
        let unstarted = rebalance.unstarted();
        let why = unstarted.map(|one| (one.place, one.why.clone().unwrap().to_string()));
        why.collect::<Vec<_>>()
    };
    let expected = "cannot work out where to start: no leader".to_owned();
    assert_eq!(why(&rebalance), [(place(1), expected)]);
    assert!(!rebalance.starts_app(SECOND));
    assert!(rebalance.clone().starts_app(PATIENCE), "with what it has");

    assert_asks(rebalance.next(SECOND), &[1]);
    rebalance.push(resolved(&[(1, 3)], &[]));
    assert_eq!(rebalance.next(SECOND), adds(1, 3));
    assert_eq!(rebalance.next(SECOND), None);
    assert_eq!(rebalance.assigned(), [place(0), place(1)]);
    assert_eq!(why(&rebalance), []);
    assert!(rebalance.starts_app(SECOND));
}

#[test]
fn an_assign_is_answered_in_time_also_when_its_question_is_not() {
    let mut rebalance = resolving(&[0]);
    assert_eq!(rebalance.due(SECOND), Some(ANSWER - SECOND));
    assert_eq!(rebalance.next(SECOND), None);
    assert_eq!(rebalance.next(ANSWER), assigns(&[]));
    assert_eq!(rebalance.unstarted().count(), 1);
    rebalance.push(resolved(&[(0, 7)], &[]));
    assert_eq!(rebalance.next(ANSWER), adds(0, 7));
}

#[test]
fn a_start_that_comes_late_waits_for_the_rebalance_that_has_begun_meanwhile() {
    let mut rebalance = resolving(&[0, 1, 2]);
    rebalance.push(resolved(&[(0, 7)], &[1, 2]));
    rebalance.next(Time::ZERO);
    rebalance.next(Time::ZERO);
    assert_asks(rebalance.next(SECOND), &[1, 2]);
    // The group wants one of the two back.
    rebalance.push(revoke(1));
    let step = rebalance.next(SECOND);
    assert!(matches!(step, Some(Step::Revoke { .. })), "{step:?}");
    rebalance.push(resolved(&[(1, 3), (2, 4)], &[]));
    assert_eq!(rebalance.next(SECOND), None);
    rebalance.release();
    assert_eq!(rebalance.next(SECOND), adds(2, 4));
    assert_eq!(rebalance.assigned(), [place(0), place(2)]);
    // Nor is it a part of another assign's answer.
    let mut rebalance = resolving(&[0]);
    rebalance.next(ANSWER);
    rebalance.push(Asked::Assign(vec![place(1)]));
    assert_asks(rebalance.next(ANSWER), &[1]);
    rebalance.push(resolved(&[(0, 7)], &[]));
    assert_eq!(rebalance.next(ANSWER), None);
    rebalance.push(resolved(&[(1, 8)], &[]));
    assert_eq!(rebalance.next(ANSWER), assigns(&[(1, 8)]));
    assert_eq!(rebalance.next(ANSWER), adds(0, 7));
}

#[test]
fn a_start_that_is_known_and_not_added_yet_goes_with_its_revoke() {
    let mut rebalance = resolving(&[0]);
    rebalance.next(ANSWER);
    rebalance.push(resolved(&[(0, 7)], &[]));
    rebalance.push(revoke(0));
    let step = rebalance.next(ANSWER);
    assert!(matches!(step, Some(Step::Revoke { .. })), "{step:?}");
    rebalance.release();
    assert_eq!(rebalance.next(ANSWER), None);
    assert!(rebalance.is_over());
}

#[test]
fn the_answer_to_an_assign_that_was_given_up_starts_nothing() {
    let mut rebalance = resolving(&[0]);
    rebalance.push(revoke(0));
    assert_eq!(rebalance.next(Time::ZERO), Some(Step::GiveUp));
    let step = rebalance.next(Time::ZERO);
    assert!(matches!(step, Some(Step::Revoke { .. })), "{step:?}");
    rebalance.release();
    assert!(!rebalance.starts_app(SECOND));

    rebalance.push(Asked::Assign(vec![place(0)]));
    assert_asks(rebalance.next(Time::ZERO), &[0]);
    rebalance.push(resolved(&[(0, 3)], &[]));
    assert_eq!(rebalance.next(Time::ZERO), None, "it is the first answer");
    rebalance.push(resolved(&[(0, 9)], &[]));
    assert_eq!(rebalance.next(Time::ZERO), assigns(&[(0, 9)]));
}

#[test]
fn a_consumer_that_leaves_begins_nothing() {
    let mut rebalance = resolving(&[0]);
    rebalance.membership.shut_down(Time::ZERO, SECOND);
    assert_eq!(rebalance.next(Time::ZERO), Some(Step::Decline));
    rebalance.push(resolved(&[(0, 7)], &[]));
    assert_eq!(rebalance.next(Time::ZERO), None);
    rebalance.push(Asked::Assign(vec![place(1)]));
    assert_eq!(rebalance.next(Time::ZERO), Some(Step::Decline));
    assert!(rebalance.is_over());
}
