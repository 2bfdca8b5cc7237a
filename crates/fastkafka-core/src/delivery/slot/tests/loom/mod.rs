//! Every interleaving of the reports with the end of the handler. Loom also finds a scope that is
//! freed twice, used after it was freed, or never freed.

mod tasks;

use super::*;
use ::loom::{model, thread};

#[test]
fn two_reports_race_with_the_end_of_the_handler() {
    model(|| {
        let run = attempt(1);
        let reports = [run.scope.token(0), run.scope.token(0)]
            .map(|token| thread::spawn(move || token.ack(delivery)));
        run.handled(0);
        reports
            .into_iter()
            .for_each(|report| report.join().unwrap());
        assert_eq!(run.end(), Some((1, None)));
    });
}

#[test]
fn reports_of_two_records_race_and_the_last_frees_the_scope() {
    model(|| {
        let Attempt { told, stop, scope } = attempt(2);
        let reports = [0, 1].map(|at| {
            let token = scope.token(at);
            thread::spawn(move || token.ack(delivery))
        });
        scope.close(u32::from(scope.handled(0)) + u32::from(scope.handled(1)));
        drop(scope);
        reports
            .into_iter()
            .for_each(|report| report.join().unwrap());
        assert_eq!(told.end(), Some((2, None)));
        // The last thread has given back what the scope held.
        assert_eq!((Arc::strong_count(&stop), Arc::strong_count(&told)), (1, 1));
    });
}

#[test]
fn a_spawned_task_sends_while_its_handler_returns() {
    model(|| {
        let run = attempt(1);
        let (task, scope) = (run.scope.token(0), run.scope.clone());
        let task = thread::spawn(move || {
            let output = scope.token(0);
            task.cancel();
            output.ack(delivery);
        });
        run.handled(0);
        task.join().unwrap();
        assert_eq!(run.end(), Some((1, None)));
    });
}

#[test]
fn the_first_tokens_of_two_records_are_made_at_once() {
    model(|| {
        let run = attempt(2);
        let scope = run.scope.clone();
        let other = thread::spawn(move || scope.token(0).ack(delivery));
        run.scope.token(1).ack(delivery);
        other.join().unwrap();
        run.handled(0);
        run.handled(1);
        assert_eq!(run.end(), Some((2, None)));
    });
}

#[test]
fn a_failure_races_with_an_acknowledgement() {
    model(|| {
        let run = attempt(2);
        let (lost, kept) = (run.scope.token(0), run.scope.token(1));
        run.handled(0);
        run.handled(1);
        let lost = thread::spawn(move || lost.fail(Failure::retry("lost")));
        let kept = thread::spawn(move || kept.ack(delivery));
        lost.join().unwrap();
        kept.join().unwrap();
        assert_eq!(run.end(), Some((0, Some("lost".into()))));
        assert!(run.stop.stopping());
    });
}

#[test]
fn two_failures_race_and_the_first_record_counts() {
    model(|| {
        let run = attempt(2);
        let tokens = [0, 1].map(|at| run.scope.token(at));
        run.handled(0);
        run.handled(1);
        let tokens = tokens.map(|token| thread::spawn(move || token.fail(Failure::retry("lost"))));
        tokens.into_iter().for_each(|token| token.join().unwrap());
        assert_eq!(run.end().unwrap().0, 0);
    });
}

#[test]
fn progress_never_passes_a_lost_output() {
    model(|| {
        let run = attempt(2);
        let lost = run.scope.token(0);
        run.handled(0);
        run.handled(1);
        let lost = thread::spawn(move || lost.fail(Failure::retry("lost")));
        assert_eq!(run.scope.progress(0), 0);
        lost.join().unwrap();
        assert_eq!(run.scope.progress(0), 0);
    });
}

#[test]
fn progress_never_passes_a_record_that_fails() {
    model(|| {
        let run = attempt(3);
        // Keeps the run open after the failure.
        let sent = run.scope.token(0);
        run.handled(0);
        let scope = run.scope.clone();
        let owner = thread::spawn(move || scope.progress(1));
        run.handled(1);
        run.scope.finish(2, 1);
        assert!(owner.join().unwrap() <= 2);
        sent.ack(delivery);
    });
}

#[test]
fn a_failed_handler_races_with_the_report_of_its_output() {
    model(|| {
        let run = attempt(2);
        let sent = run.scope.token(0);
        let report = thread::spawn(move || sent.ack(delivery));
        run.scope.finish(0, 1);
        report.join().unwrap();
        assert_eq!(run.end(), Some((0, None)));
    });
}

#[test]
fn collected_reports_wake_whoever_waits() {
    model(|| {
        let scope = DeliveryScope::collecting();
        let token = scope.token(0);
        let report = thread::spawn(move || token.ack(delivery));
        let delivered = ::loom::future::block_on(scope.reports()).unwrap();
        assert_eq!(delivered.len(), 1);
        report.join().unwrap();
    });
}
