//! What an app makes of a record that cannot succeed, on the embedded broker.

use fastkafka::error::RunError;
use fastkafka::{
    App, Headers, ProduceError, State, consumes, delivery_scope, produces, run_in_background,
};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

struct Relay;

#[consumes(app = Relay, topic = "in", auto_offset_reset = "earliest", dead_letter = "dead")]
async fn on_in(size: usize) -> Result<(), ProduceError> {
    to_out(size).await.map(drop)
}

#[produces(app = Relay, topic = "out", max_request_size = 1_000)]
async fn to_out(size: usize) -> Result<String, ProduceError> {
    Ok("x".repeat(size))
}

#[produces(app = Relay, topic = "in")]
async fn to_in(size: usize) -> Result<usize, ProduceError> {
    Ok(size)
}

type Attempts = UnboundedSender<String>;

#[consumes(app = Relay, topic = "dead", auto_offset_reset = "earliest")]
async fn on_dead(_size: usize, headers: Headers<'_>, State(attempts): State<Attempts>) {
    let value = headers.get("fastkafka-dead-letter-attempts").unwrap();
    attempts
        .send(String::from_utf8_lossy(value).into_owned())
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_can_never_be_sent_rejects_its_record_at_once() {
    let (sender, mut attempts): (Attempts, _) = unbounded_channel();
    let app = App::scoped::<Relay>().title("Relay").state(sender).build();
    app.start().await.unwrap();
    to_in(10_000).await.unwrap();
    let made = timeout(Duration::from_secs(30), attempts.recv()).await;
    assert_eq!(made.unwrap().unwrap(), "1");
    app.stop().await.unwrap();
}

struct Standstill;

#[consumes(app = Standstill, topic = "numbers", auto_offset_reset = "earliest", attempts = 1)]
async fn on_numbers(number: u64) -> Result<(), String> {
    if number == 1 {
        Err("one is too few".to_owned())
    } else {
        Ok(())
    }
}

#[produces(app = Standstill, topic = "numbers")]
async fn to_numbers(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_stands_still_makes_the_stop_fail_and_is_named() {
    let app = App::scoped::<Standstill>().title("Standstill").build();
    app.start().await.unwrap();
    delivery_scope(async {
        for number in 0..3 {
            to_numbers(number).await?;
        }
        Ok::<_, ProduceError>(())
    })
    .await
    .unwrap();
    let stopped = async {
        while app.health().is_ready() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), stopped).await.unwrap();
    let expected =
        "numbers[0] stands still at offset 1: `on_numbers` failed after 1 attempt: one is too few";
    assert_eq!(app.health().problems(), [expected]);
    let error = app.stop().await.unwrap_err();
    assert!(matches!(error, RunError::Stop(_)));
    assert_eq!(
        error.to_string(),
        format!("the app did not stop cleanly: {expected}")
    );
}

struct Watched;

#[run_in_background(app = Watched)]
async fn watch_files() -> Result<(), String> {
    Err("no such directory".to_owned())
}

#[produces(app = Watched, topic = "files")]
async fn to_files(name: &'static str) -> Result<&'static str, ProduceError> {
    Ok(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_task_that_fails_ends_the_app_and_is_named() {
    let released = Arc::new(AtomicBool::new(false));
    let flag = released.clone();
    let app = App::scoped::<Watched>()
        .title("Watched")
        .on_stop(move |_| {
            flag.store(true, SeqCst);
            std::future::ready(())
        })
        .build();
    let error = app.run().await.unwrap_err();
    assert!(matches!(error, RunError::Ended(_)));
    let error = error.to_string();
    let (head, tail) = error.split_once(".rs:").unwrap();
    assert_eq!(
        head,
        "the app ended: background task `watch_files` (crates/fastkafka/tests/suite/outcome"
    );
    assert!(tail.ends_with(") failed: no such directory"), "{tail}");
    assert!(released.load(SeqCst));
}

struct Blocked;

/// What keeps the task and the record in hand.
#[derive(Clone)]
struct Door {
    reached: UnboundedSender<&'static str>,
    task: Arc<Mutex<mpsc::Receiver<()>>>,
    record: Arc<Semaphore>,
}

/// Blocks its thread until it is let go.
#[run_in_background(app = Blocked)]
async fn block(State(door): State<Door>) {
    let _ = door.reached.send("task");
    let _ = door.task.lock().unwrap().recv();
}

#[consumes(app = Blocked, topic = "jobs", auto_offset_reset = "earliest")]
async fn on_jobs(job: u64, State(door): State<Door>) -> Result<(), ProduceError> {
    let _ = door.reached.send("record");
    door.record.acquire().await.unwrap().forget();
    to_results(job).await.map(drop)
}

#[produces(app = Blocked, topic = "jobs")]
async fn to_jobs(job: u64) -> Result<u64, ProduceError> {
    Ok(job)
}

#[produces(app = Blocked, topic = "results")]
async fn to_results(job: u64) -> Result<u64, ProduceError> {
    Ok(job)
}

// The task has a thread for itself, also where there is one processor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_background_task_that_blocks_keeps_no_group_from_its_end() {
    let (reached, mut seen) = unbounded_channel();
    let (let_go, blocked) = mpsc::channel();
    let record = Arc::new(Semaphore::new(0));
    let door = Door {
        reached,
        task: Arc::new(Mutex::new(blocked)),
        record: record.clone(),
    };
    let app = App::scoped::<Blocked>()
        .title("Blocked")
        .state(door)
        .build();
    app.start().await.unwrap();
    to_jobs(1).await.unwrap();
    let both = async { (seen.recv().await.unwrap(), seen.recv().await.unwrap()) };
    let (one, other) = timeout(Duration::from_secs(30), both).await.unwrap();
    assert_ne!(one, other);
    let stopping = app.clone();
    let stopping = tokio::spawn(async move { stopping.stop().await });
    record.add_permits(1);
    // The group has ended when its controls return an error; the task is still at work.
    while app.handle().pause("jobs").await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    drop(let_go);
    // The record was handled, its output acknowledged and its offset committed, in time.
    stopping.await.unwrap().unwrap();
}
