//! Who goes on, and what may come first.

use super::*;

/// Tasks by number: those of process 0 are a consumer, 1, and two others, 2 and 3.
fn state(schedule: &[(usize, Choice)], allowed: &[Deviation]) -> State {
    let mut state = State {
        schedule: schedule.iter().copied().collect(),
        allowed: allowed.iter().copied().collect(),
        clusters: 2,
        ..State::default()
    };
    for (id, kind) in [(1, Kind::Consumer), (2, Kind::Other), (3, Kind::Other)] {
        let task = Task {
            name: format!("task {id}"),
            process: 0,
            kind,
            waker: None,
            paused: false,
        };
        state.tasks.insert(id, task);
    }
    state.faults = true;
    state
}

/// The task at work waits again.
fn wait(state: &mut State) {
    state.at_work = None;
    state.go_on();
}

#[test]
fn tasks_go_on_in_the_order_in_which_they_were_woken_one_at_a_time() {
    let mut state = state(&[], &[]);
    state.wake(3);
    assert_eq!(state.at_work, Some(3));
    // Both during one turn: the order of their wake-ups may be chance.
    state.wake(2);
    state.wake(1);
    state.wake(1);
    assert_eq!(state.at_work, Some(3), "it is at work");
    wait(&mut state);
    assert_eq!(state.at_work, Some(1));
    state.wake(3);
    wait(&mut state);
    assert_eq!(state.at_work, Some(2), "it was woken before");
    wait(&mut state);
    wait(&mut state);
    assert_eq!(state.at_work, None);
    assert_eq!(state.taken, [], "there was nothing to choose");
}

#[test]
fn a_task_that_is_woken_at_its_own_turn_has_another_one() {
    let mut state = state(&[], &[]);
    state.wake(2);
    state.wake(2);
    wait(&mut state);
    assert_eq!(state.at_work, Some(2));
}

#[test]
fn a_fault_comes_before_the_task_whose_turn_it_is() {
    let mut state = state(&[(1, Choice::Crash)], &[Deviation::Crash]);
    state.wake(2);
    state.wake(3);
    wait(&mut state);
    assert_eq!(state.at_work, None);
    let due = Due {
        choice: Choice::Crash,
        process: 0,
        before: "task 3".to_owned(),
    };
    assert_eq!(state.due, Some(due));
    state.wake(1);
    assert_eq!(state.at_work, None, "everything waits for the crash");

    state.due = None;
    state.crashed.insert(0);
    state.go_on();
    assert_eq!(state.at_work, Some(1), "the consumer alone hears of it");
    wait(&mut state);
    assert_eq!(state.at_work, None);
}

#[test]
fn a_blocking_handler_ends_by_itself_after_its_consumer() {
    let mut state = state(&[], &[]);
    state.tasks.get_mut(&2).unwrap().kind = Kind::Blocking;
    state.crashed.insert(0);
    state.at_work = Some(3);
    state.wake(2);
    state.turn += 1;
    state.wake(1);
    for expected in [Some(1), Some(2), None] {
        wait(&mut state);
        assert_eq!(state.at_work, expected);
    }
}

#[test]
fn an_idle_consumer_is_no_place_for_a_fault() {
    let mut state = state(&[], &[Deviation::Rebalance, Deviation::Outage]);
    let turn = |state: &mut State, id| {
        let before = state.taken.len();
        state.wake(id);
        wait(state);
        state.taken.get(before).map(|step| step.choices.clone())
    };
    let all = vec![Choice::Rebalance, Choice::Outage(0), Choice::Outage(1)];
    assert_eq!(turn(&mut state, 1), Some(all.clone()));
    assert_eq!(turn(&mut state, 1), None, "as the turn before");
    assert_eq!(turn(&mut state, 2), Some(all.clone()));
    assert_eq!(turn(&mut state, 1), Some(all.clone()));
    state.held = 1;
    assert_eq!(turn(&mut state, 2), None, "another fault is under way");
}

/// Between two turns of one consumer another process may have done something.
#[test]
fn each_consumer_is_idle_for_itself() {
    let mut state = state(&[], &[Deviation::Crash]);
    let task = Task {
        name: "task 4".to_owned(),
        process: 1,
        kind: Kind::Consumer,
        waker: None,
        paused: false,
    };
    state.tasks.insert(4, task);
    let turn = |state: &mut State, id| {
        let before = state.taken.len();
        state.wake(id);
        wait(state);
        state.taken.len() > before
    };
    assert!(turn(&mut state, 1));
    assert!(turn(&mut state, 4), "the other has not looked around yet");
    assert!(!turn(&mut state, 1));
    assert!(!turn(&mut state, 4));
    // A handler of process 0 goes on, then both look around.
    assert!(turn(&mut state, 2));
    assert!(turn(&mut state, 4));
    assert!(turn(&mut state, 1), "its commit is still to come");
    assert!(!turn(&mut state, 4));
}

#[test]
fn another_order_is_a_choice_where_several_are_ready() {
    let mut state = state(&[(0, Choice::Task(1))], &[Deviation::Order]);
    state.at_work = Some(9);
    for id in [1, 2, 3] {
        state.wake(id);
    }
    wait(&mut state);
    assert_eq!(state.at_work, Some(2));
    assert_eq!(state.overtaken, ["task 2 goes on before task 1"]);
    wait(&mut state);
    assert_eq!(state.at_work, Some(1));
    let choices: Vec<_> = state.taken.iter().map(|step| step.choices.len()).collect();
    assert_eq!(choices, [2, 1]);
}

#[test]
fn a_step_that_has_no_such_choice_is_of_another_run() {
    let mut state = state(&[(0, Choice::TimeOut)], &[Deviation::Crash]);
    state.wake(2);
    assert_eq!(state.at_work, Some(2));
    let misfit =
        "the schedule does not fit: at step 0, before task 2, there is no `time-out` but crash";
    assert_eq!(state.misfit.as_deref(), Some(misfit));
}

#[test]
fn equal_runs_have_equal_paths() {
    let run = |tasks: &[u64]| {
        let mut state = state(&[], &[Deviation::Crash]);
        for &id in tasks {
            state.wake(id);
            wait(&mut state);
        }
        state.taken
    };
    let (one, other) = (run(&[2, 3, 2]), run(&[2, 3, 3]));
    assert_eq!(one, run(&[2, 3, 2]));
    assert_eq!(one[..2], other[..2]);
    assert_ne!(one[2], other[2]);
}
