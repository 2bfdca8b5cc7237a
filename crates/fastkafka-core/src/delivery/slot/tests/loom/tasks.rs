//! The protocol of `fastkafka::spawn`: its token is made before the handler returns, ends with the
//! task, and makes the tokens of what the task sends.

use super::super::*;
use ::loom::{model, thread};

/// The belongings of a spawned task: the token of its record, and the scope that its outputs are charged to.
struct Task {
    scope: ScopeRef,
    record: usize,
    token: DeliveryToken,
}

impl Attempt {
    fn spawn(&self, record: usize) -> Task {
        spawn(&self.scope, record)
    }
}

fn spawn(scope: &ScopeRef, record: usize) -> Task {
    Task {
        scope: scope.clone(),
        record,
        token: scope.token(record),
    }
}

impl Task {
    fn send(&self) -> DeliveryToken {
        self.scope.token(self.record)
    }

    fn done(self) {
        self.token.cancel();
    }
}

fn lost() -> Failure {
    Failure::retry("lost")
}

#[test]
fn a_run_closes_once_whether_its_task_or_its_handler_ends_last() {
    model(|| {
        let Attempt { told, stop, scope } = attempt(1);
        let (task, seen) = (spawn(&scope, 0), told.clone());
        let task = thread::spawn(move || {
            // The spawn counted before the handler returned.
            assert_eq!(seen.end(), None);
            task.done();
        });
        scope.close(u32::from(scope.handled(0)));
        drop(scope);
        task.join().unwrap();
        assert_eq!(told.end(), Some((1, None)));
        assert_eq!((Arc::strong_count(&stop), Arc::strong_count(&told)), (1, 1));
    });
}

#[test]
fn a_report_that_outlives_its_task_closes_the_run() {
    model(|| {
        let Attempt { told, stop, scope } = attempt(1);
        let task = spawn(&scope, 0);
        let task = thread::spawn(move || {
            let output = task.send();
            task.done();
            output
        });
        scope.close(u32::from(scope.handled(0)));
        drop(scope);
        // One pointer is all that is left of the run, as in the client.
        let output = task.join().unwrap();
        assert_eq!(told.end(), None);
        output.ack(delivery);
        assert_eq!(told.end(), Some((1, None)));
        assert_eq!((Arc::strong_count(&stop), Arc::strong_count(&told)), (1, 1));
    });
}

#[test]
fn a_task_of_a_task_counts_for_the_record_of_the_first() {
    model(|| {
        let run = attempt(2);
        let task = run.spawn(0);
        let task = thread::spawn(move || {
            let inner = spawn(&task.scope, task.record);
            let inner = thread::spawn(move || inner.token.fail(lost()));
            task.done();
            inner.join().unwrap();
        });
        run.handled(0);
        run.handled(1);
        task.join().unwrap();
        assert_eq!(run.end(), Some((0, Some("lost".into()))));
    });
}

#[test]
fn an_aborted_task_is_a_failure_whenever_the_report_of_its_output_comes() {
    model(|| {
        let run = attempt(1);
        let task = run.spawn(0);
        let output = task.send();
        run.handled(0);
        let report = thread::spawn(move || output.ack(delivery));
        let aborted = thread::spawn(move || drop(task));
        report.join().unwrap();
        aborted.join().unwrap();
        let (settled, broken) = run.end().unwrap();
        assert_eq!(settled, 0);
        assert!(broken.unwrap().contains("dropped"));
        assert!(run.stop.stopping());
    });
}

/// The lane of `dispatch.rs` and `lane.rs`, reduced to its slots.
fn handle(run: &Attempt, records: usize) -> usize {
    let mut handled = 0;
    while handled < records && !run.scope.stopping() {
        run.scope.begin(handled);
        run.handled(handled);
        handled += 1;
    }
    run.scope.finish(handled, 0);
    handled
}

#[test]
fn a_cut_while_a_task_sends_settles_what_was_handled() {
    model(|| {
        let run = attempt(2);
        let task = run.spawn(0);
        let task = thread::spawn(move || {
            let output = task.send();
            task.done();
            output.ack(delivery);
        });
        let stop = run.stop.clone();
        let cut = thread::spawn(move || stop.stop());
        let handled = handle(&run, 2);
        cut.join().unwrap();
        task.join().unwrap();
        assert_eq!(run.end(), Some((handled, None)));
    });
}

#[test]
fn a_task_that_fails_cuts_the_run_at_a_record_and_nothing_from_its_own_on_is_settled() {
    model(|| {
        let run = attempt(3);
        let task = run.spawn(1);
        let task = thread::spawn(move || task.token.fail(lost()));
        let handled = handle(&run, 3);
        task.join().unwrap();
        // Cut before its record, the record was not begun and nothing of it counts.
        let broken = (handled > 1).then(|| "lost".to_owned());
        assert_eq!(run.end(), Some((handled.min(1), broken)));
    });
}

#[test]
fn a_task_of_an_earlier_record_fails_while_the_handler_of_a_later_one_does() {
    model(|| {
        let run = attempt(2);
        let task = run.spawn(0);
        run.handled(0);
        let task = thread::spawn(move || task.token.fail(lost()));
        run.scope.finish(1, 1);
        task.join().unwrap();
        assert_eq!(run.end(), Some((0, Some("lost".into()))));
    });
}

#[test]
fn progress_waits_for_a_task_and_for_what_it_sends() {
    model(|| {
        let run = attempt(2);
        // Keeps the run open.
        let last = run.scope.token(1);
        let task = run.spawn(0);
        run.handled(0);
        run.handled(1);
        let task = thread::spawn(move || {
            let output = task.send();
            task.done();
            output
        });
        assert_eq!(run.scope.progress(0), 0);
        let output = task.join().unwrap();
        assert_eq!(run.scope.progress(0), 0);
        let report = thread::spawn(move || output.ack(delivery));
        assert!(run.scope.progress(0) <= 1);
        report.join().unwrap();
        assert_eq!(run.scope.progress(0), 1);
        last.ack(delivery);
        assert_eq!(run.end(), Some((2, None)));
    });
}

#[test]
fn a_partition_is_given_away_while_a_task_of_it_ends() {
    model(|| {
        let run = attempt(1);
        let task = run.spawn(0);
        run.handled(0);
        let stop = run.stop.clone();
        let owner = thread::spawn(move || stop.release());
        // What was given away has been halted before.
        assert!(!task.token.released() || run.scope.stopping());
        task.done();
        owner.join().unwrap();
        assert_eq!(run.end(), Some((1, None)));
    });
}
