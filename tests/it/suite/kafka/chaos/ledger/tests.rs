//! Each kind of finding, in a history that is doctored that way.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::history::{
    Due, Exit, Happened, History, Input, Leg, Letter, Millis, Owner, Round, Sample,
};
use super::super::outages::Outage;
use super::super::schedule::Fault;
use super::{Finding, judge};

const KILL: Fault = Fault::Kill {
    app: 0,
    down: Duration::ZERO,
};
const STOP: Fault = Fault::Stop {
    app: 0,
    lasts: Duration::ZERO,
};
const TERMINATE: Fault = Fault::Terminate {
    app: 0,
    down: Duration::ZERO,
};

/// Two rounds of 1,000 ms. Ten records in partition 0, one each 100 ms, all of one key; the last can not be
/// handled. App 0 has the partition until it is killed at 500, app 1 from 550 on. It takes up at offset 3,
/// so 3 and 4 are repeated.
fn history() -> History {
    let input = |offset: i64| Input {
        place: (0, offset),
        key: b"N1".to_vec(),
        value: vec![u8::try_from(offset).unwrap()],
        written: 0,
        due: match offset {
            9 => Due::Letter,
            _ => Due::Leg(offset.unsigned_abs()),
        },
    };
    let leg = |id: u64, at| Leg {
        id,
        key: b"N1".to_vec(),
        at,
    };
    let sample = |answered, offset| Sample {
        answered,
        committed: BTreeMap::from([(0, offset)]),
    };
    let owner = |app: &str, start, from, until| Owner {
        app: app.to_owned(),
        partition: 0,
        start,
        from,
        until,
    };
    let first = (0..5).map(|id| leg(id, 10 + 100 * Millis::try_from(id).unwrap()));
    let then = (3..9).map(|id| leg(id, 600 + 10 * Millis::try_from(id).unwrap()));
    History {
        rounds: vec![
            Round {
                from: 0,
                until: 1_000,
            },
            Round {
                from: 1_000,
                until: 2_000,
            },
        ],
        faults: vec![happened(KILL, 0, 500)],
        inputs: (0..10).map(input).collect(),
        legs: first.chain(then).collect(),
        letters: vec![Letter {
            place: (0, 9),
            key: b"N1".to_vec(),
            value: vec![9],
            at: 1_500,
        }],
        samples: vec![
            sample(0, 0),
            sample(400, 3),
            sample(900, 9),
            sample(1_100, 9),
            sample(1_900, 10),
        ],
        owners: vec![owner("app-0", 0, 0, 500), owner("app-1", 3, 550, 2_000)],
        exits: vec![Exit {
            process: "app-1".to_owned(),
            code: 0,
            round: None,
        }],
        witnesses: Vec::new(),
        ends: BTreeMap::from([(0, 10)]),
    }
}

fn happened(fault: Fault, round: usize, at: Millis) -> Happened {
    Happened {
        fault,
        round,
        app: Some("app-0".to_owned()),
        from: at,
        until: at,
    }
}

/// What is found once `doctor` was at it; nothing is without.
fn found(doctor: impl FnOnce(&mut History)) -> Vec<Finding> {
    let mut history = history();
    assert_eq!(judge(&history).findings, []);
    doctor(&mut history);
    judge(&history).findings
}

#[test]
fn a_kill_explains_what_was_not_committed() {
    assert_eq!(
        judge(&history()).repeats,
        [(history().faults[0].to_string(), 2)]
    );
}

#[test]
fn a_missing_leg_is_found() {
    let findings = found(|history| history.legs.retain(|leg| leg.id != 1));
    let missing = Finding::Missing {
        place: (0, 1),
        id: 1,
    };
    // It was committed too, of course.
    let early = Finding::CommittedTooEarly {
        place: (0, 1),
        at: 400,
        there: None,
    };
    assert_eq!(findings, [missing, early]);
}

#[test]
fn a_missing_dead_letter_is_found() {
    let findings = found(|history| history.letters.clear());
    assert_eq!(findings[0], Finding::MissingLetter { place: (0, 9) });
}

#[test]
fn a_leg_of_no_flight_and_a_letter_of_a_good_one_are_found() {
    let findings = found(|history| {
        history.legs[10].id = 77;
        history.letters[0].place = (0, 8);
    });
    assert!(findings.contains(&Finding::StrangeLeg { id: 77, at: 680 }));
    assert!(findings.contains(&Finding::StrangeLetter {
        place: (0, 8),
        at: 1_500
    }));
}

#[test]
fn a_dead_letter_with_another_payload_is_found() {
    let findings = found(|history| history.letters[0].value.clear());
    let strange = Finding::StrangeLetter {
        place: (0, 9),
        at: 1_500,
    };
    assert_eq!(findings[0], strange);
}

#[test]
fn an_inverted_key_is_found_but_not_in_what_is_repeated() {
    let findings = found(|history| history.legs.swap(1, 2));
    let inverted = Finding::Inverted {
        key: "N1".to_owned(),
        place: (0, 1),
        after: (0, 2),
    };
    assert_eq!(findings, [inverted]);
}

#[test]
fn a_leg_that_was_given_up_may_be_overtaken_if_what_overtook_it_comes_again() {
    let doctor = |again: bool| {
        found(|history| {
            history.faults[0].until = history.faults[0].from + 60_000;
            history.legs.swap(1, 2);
            if again {
                history.legs.insert(3, leg_again(2, 215));
            }
        })
    };
    let inverted = Finding::Inverted {
        key: "N1".to_owned(),
        place: (0, 1),
        after: (0, 2),
    };
    assert!(doctor(false).contains(&inverted));
    assert!(!doctor(true).contains(&inverted));
}

#[test]
fn a_commit_before_the_output_is_found() {
    let findings = found(|history| history.legs[2].at = 401);
    let early = Finding::CommittedTooEarly {
        place: (0, 2),
        at: 400,
        there: Some(401),
    };
    assert_eq!(findings, [early]);
}

#[test]
fn a_commit_before_the_dead_letter_is_found() {
    let findings = found(|history| history.letters[0].at = 1_950);
    let early = Finding::CommittedTooEarly {
        place: (0, 9),
        at: 1_900,
        there: Some(1_950),
    };
    assert_eq!(findings, [early]);
}

#[test]
fn an_offset_that_goes_back_is_found() {
    let findings = found(|history| {
        history.samples[3].committed.insert(0, 8);
    });
    let back = Finding::WentBack {
        partition: 0,
        from: 9,
        to: 8,
    };
    assert_eq!(findings, [back]);
}

#[test]
fn a_round_without_a_commit_and_an_end_that_is_not_committed_are_found() {
    let findings = found(|history| {
        history.samples.pop();
        history.samples.push(history.samples[3].clone());
    });
    let stood = Finding::StoodStill { round: 1 };
    let end = Finding::NotAtEnd {
        partition: 0,
        committed: Some(9),
        end: 10,
    };
    assert_eq!(findings, [stood, end]);
}

#[test]
fn a_repeat_without_a_cause_is_found() {
    let unexplained = |place: i64, first, again| Finding::Unexplained {
        place: (0, place),
        first,
        again,
    };
    let both = [unexplained(3, 310, 630), unexplained(4, 410, 640)];
    assert_eq!(found(|history| history.faults.clear()), both);
    // Nor does it help that somebody else was killed, or that the end was graceful,
    assert_eq!(
        found(|history| history.faults[0].app = Some("app-2".to_owned())),
        both
    );
    assert_eq!(found(|history| history.faults[0].fault = TERMINATE), both);
    // or that the kill came before the record or after its repetition.
    let again = found(|history| history.legs.push(leg_again(5, 700)));
    assert_eq!(again, [unexplained(5, 650, 700)]);
    assert_eq!(found(|history| history.faults[0].from = 700).len(), 2);
}

fn leg_again(id: u64, at: Millis) -> Leg {
    Leg {
        id,
        key: b"N1".to_vec(),
        at,
    }
}

#[test]
fn a_graceful_end_while_the_group_can_not_commit_is_a_cause() {
    let findings = found(|history| {
        history.faults[0].fault = TERMINATE;
        history.faults.push(Happened {
            app: Some("app-2".to_owned()),
            ..happened(KILL, 0, 300)
        });
    });
    assert_eq!(findings, []);
}

#[test]
fn what_is_done_behind_an_open_record_may_be_repeated_when_the_partition_moves() {
    // Offset 3, of another key, is not done before app 0 gives back, offset 4 is.
    let doctor = |history: &mut History| {
        history.faults[0].fault = TERMINATE;
        history.legs.remove(3);
        history.inputs[3].key = b"N2".to_vec();
        let leg = history.legs.iter_mut().find(|leg| leg.id == 3);
        leg.unwrap().key = b"N2".to_vec();
    };
    assert_eq!(found(|history| doctor(history)), []);
    // Taken up before it, at a record that was done, 4 has no reason.
    let findings = found(|history| {
        doctor(history);
        history.owners[1].start = 2;
    });
    let unexplained = Finding::Unexplained {
        place: (0, 4),
        first: 410,
        again: 640,
    };
    assert_eq!(findings, [unexplained]);
}

#[test]
fn more_repeats_than_causes_are_found() {
    let findings = found(|history| history.legs.push(leg_again(3, 480)));
    let too_often = Finding::TooOften {
        place: (0, 3),
        times: 3,
        causes: 1,
    };
    assert!(findings.contains(&too_often));
    // Outputs that are given up again and again are another matter.
    let findings = found(|history| {
        history.faults[0].fault = Fault::Outage {
            outage: Outage::Outputs,
            lasts: Duration::ZERO,
        };
        history.legs.push(leg_again(3, 480));
    });
    assert!(!findings.contains(&too_often));
}

#[test]
fn a_repeat_of_what_was_committed_is_found_unless_its_writer_was_held_up() {
    let doctor = |fault: Fault| {
        move |history: &mut History| {
            history.faults[0].fault = fault;
            history.samples.insert(2, history.samples[1].clone());
            history.samples[2].answered = 450;
            history.samples[2].committed.insert(0, 4);
        }
    };
    let findings = found(doctor(KILL));
    let repeated = Finding::RepeatedAfterCommit {
        place: (0, 3),
        at: 630,
        committed: 450,
    };
    assert_eq!(findings, [repeated]);
    assert_eq!(found(doctor(STOP)), []);
    // Its writer may be held up until all others have caught up.
    let late = |fault: Fault| {
        found(move |history| {
            history.faults[0].fault = fault;
            history.legs.push(leg_again(5, 1_500));
        })
    };
    assert_eq!(late(STOP), []);
    assert_ne!(late(KILL), []);
}

#[test]
fn a_process_that_does_not_end_cleanly_is_found_unless_something_else_went_wrong() {
    let exit = |code, round| {
        move |history: &mut History| {
            history.exits.push(Exit {
                process: "app-2".to_owned(),
                code,
                round,
            });
        }
    };
    let exited = |code| Finding::Exited {
        process: "app-2".to_owned(),
        code,
    };
    assert_eq!(found(exit(1, None)), [exited(1)]);
    assert_eq!(found(exit(1, Some(1))), [exited(1)]);
    assert_eq!(found(exit(101, Some(0))), [exited(101)]);
    assert_eq!(found(exit(1, Some(0))), []);
}
