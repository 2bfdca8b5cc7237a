//! A handler that waits for the number which comes next, and so for a record that retention has
//! deleted before it was read.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{App, Failure, State, consumes};
use std::sync::{Arc, Mutex};

/// The numbers so far; stands for a table in a database.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Vec<u64>>>);

struct Careless;

#[consumes(app = Careless, topic = "numbers", auto_offset_reset = "earliest")]
async fn waits_for_the_next(number: u64, State(numbers): State<Numbers>) -> Result<(), Failure> {
    let mut numbers = numbers.0.lock().unwrap();
    let next = numbers.last().map_or(0, |last| last + 1);
    if number > next {
        return Err(Failure::transient(format!(
            "number {next} has not come yet"
        )));
    }
    numbers.push(number);
    Ok(())
}

struct Careful;

#[consumes(app = Careful, topic = "numbers", auto_offset_reset = "earliest")]
async fn notes_a_gap(number: u64, State(numbers): State<Numbers>) {
    let mut numbers = numbers.0.lock().unwrap();
    let next = numbers.last().map_or(0, |last| last + 1);
    if number > next {
        eprintln!("{} numbers are missing before {number}", number - next);
    }
    numbers.push(number);
}

async fn retention_before_reading<A: 'static, H: Handler<u64>>() {
    let numbers = Numbers::default();
    let app = App::scoped::<A>().title("Numbers").state(numbers.clone());
    let app = app.build();
    let tester = Tester::start(app.clone()).await.unwrap();
    app.handle().pause("numbers").await.unwrap();
    let sent = tester.mirror::<H>().send_all(0..5);
    sent.unsettled().await;
    tester.delete_records("numbers", 0, 3);
    app.handle().resume("numbers").await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(*numbers.0.lock().unwrap(), [3, 4]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "fails again and again: number 0 has not come yet")]
async fn deleted_records_show_it() {
    retention_before_reading::<Careless, waits_for_the_next>().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_goes_on_after_a_gap_passes() {
    retention_before_reading::<Careful, notes_a_gap>().await;
}
