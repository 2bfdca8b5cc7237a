//! Background tasks under a tester: in virtual time, cancelled at the stop, and heard of when they fail.

use crate::Tester;
use fastkafka::{App, ProduceError, State, consumes, produces, run_in_background};
use fastkafka_runtime::Runtime;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The lines that tasks and handlers write, each with its time.
#[derive(Clone)]
struct Log {
    begun: Instant,
    lines: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Log {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            lines: Arc::default(),
        }
    }

    fn add(&self, line: &str) {
        let at = self.begun.elapsed();
        self.lines.lock().unwrap().push((at, line.to_owned()));
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|(_, line)| line.clone()).collect()
    }

    fn times(&self) -> Vec<Duration> {
        let lines = self.lines.lock().unwrap();
        lines.iter().map(|(at, _)| *at).collect()
    }
}

/// Writes down when it is dropped.
struct Leaves(Log, &'static str);

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.add(self.1);
    }
}

struct Clockwork;

#[run_in_background(app = Clockwork)]
async fn tick(State(log): State<Log>) -> Result<(), ProduceError> {
    let _leaves = Leaves(log, "the task is cancelled");
    for count in 1.. {
        sleep(Duration::from_secs(60)).await;
        to_ticks(count).await?;
    }
    Ok(())
}

#[produces(app = Clockwork)]
async fn to_ticks(count: u64) -> Result<u64, ProduceError> {
    Ok(count)
}

#[consumes(app = Clockwork, auto_offset_reset = "earliest")]
async fn on_work(seconds: u64, State(log): State<Log>) {
    log.add("the handler begins");
    sleep(Duration::from_secs(seconds)).await;
    log.add("the handler returns");
}

fn clockwork(log: &Log) -> App {
    let app = App::scoped::<Clockwork>().title("clockwork");
    app.state(log.clone()).build()
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_in_virtual_time_and_produces_as_outside_handlers() {
    let tester = Tester::start(clockwork(&Log::new())).await.unwrap();
    let ticks = tester.on_ticks();
    tester.advance(Duration::from_secs(150)).await;
    assert_eq!(ticks.messages(), [1, 2]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn settling_does_not_wait_for_a_task_that_goes_on_for_ever() {
    let tester = Tester::start(clockwork(&Log::new())).await.unwrap();
    let before = Instant::now();
    tester.to_work(5).await;
    assert_eq!(before.elapsed(), Duration::from_secs(5));
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_is_cancelled_before_the_record_in_hand_is_finished() {
    let log = Log::new();
    let tester = Tester::start(clockwork(&log)).await.unwrap();
    tester.to_work(5).unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    tester.stop().await;
    let expected = [
        "the handler begins",
        "the task is cancelled",
        "the handler returns",
    ];
    assert_eq!(log.lines(), expected);
}

struct Once;

type Slot = Arc<OnceLock<App>>;

#[run_in_background(app = Once)]
async fn look(State(app): State<Slot>, State(log): State<Log>) {
    log.add(match app.get().unwrap().is_started() {
        true => "started",
        false => "not started",
    });
}

#[tokio::test(start_paused = true)]
async fn a_task_begins_when_the_app_is_started_and_may_just_return() {
    let (slot, log) = (Slot::default(), Log::new());
    let app = App::scoped::<Once>().state(slot.clone()).state(log.clone());
    let app = app.build();
    assert!(slot.set(app.clone()).is_ok());
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.advance(Duration::from_secs(60)).await;
    assert_eq!(log.lines(), ["started"]);
    assert!(app.health().is_ready());
    assert!(app.health().tasks[0].ended);
    tester.stop().await;
}

struct Faulty;

#[run_in_background(app = Faulty)]
async fn watch_files(State(panics): State<bool>) -> Result<(), String> {
    sleep(Duration::from_secs(1)).await;
    match panics {
        true => panic!("no such file"),
        false => Err("no such directory".to_owned()),
    }
}

fn faulty(panics: bool) -> App {
    App::scoped::<Faulty>().state(panics).build()
}

/// Without the line, which changes with every edit.
fn without_line(text: &str) -> String {
    let (head, tail) = text.split_once(".rs:").unwrap();
    let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{head}.rs{tail}")
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_task_ends_its_app_and_is_what_settling_reports() {
    let app = faulty(false);
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.advance(Duration::from_secs(2)).await;
    let unsettled = tester.settle().await.unwrap_err().to_string();
    let expected = "background task `watch_files` (crates/fastkafka-tester/src/tests/tasks.rs) failed: no such directory";
    assert_eq!(without_line(&unsettled), expected);
    let failure = app.parts().runtime.and_then(Runtime::failure);
    assert_eq!(
        failure.map(|why| without_line(&why)).as_deref(),
        Some(expected)
    );
    let problems = app.health().problems();
    let [ended, fails] = &problems[..] else {
        panic!("{problems:?}");
    };
    let ended = without_line(&ended.to_string());
    assert_eq!(ended, format!("the app ended: {expected}"));
    let path = "fastkafka_tester::tests::tasks::watch_files";
    let expected = format!("background task `{path}` failed: no such directory");
    assert_eq!(*fails, &*expected);
}

/// How a test ends that starts the app and does no more than this.
fn end_of(test: impl AsyncFnOnce(Tester) + Send + 'static) -> String {
    let test = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async { test(Tester::start(faulty(true)).await.unwrap()).await });
    };
    let panic = std::thread::spawn(test).join().expect_err("it must fail");
    panic.downcast_ref::<String>().unwrap().clone()
}

#[test]
fn the_panic_of_a_task_fails_the_test_that_drops_its_tester() {
    let text = end_of(async |tester| tester.advance(Duration::from_secs(2)).await);
    assert_eq!(
        without_line(&text),
        "background task `watch_files` (crates/fastkafka-tester/src/tests/tasks.rs) panicked: no such file"
    );
}

#[test]
fn the_panic_of_a_task_fails_the_test_that_stops_its_tester_and_is_named_once() {
    let text = end_of(async |tester| {
        tester.advance(Duration::from_secs(2)).await;
        tester.stop().await;
    });
    assert_eq!(text.matches("`watch_files`").count(), 1, "{text}");
    assert!(text.contains("panicked: no such file"), "{text}");
}

struct Stubborn;

#[run_in_background(app = Stubborn, restart = "on_failure", backoff = Duration::from_secs(8))]
async fn connect(State(log): State<Log>, State(lasts): State<Duration>) -> Result<(), String> {
    log.add("begins");
    sleep(lasts).await;
    Err("the socket is closed".to_owned())
}

fn stubborn(log: &Log, lasts: Duration) -> App {
    let app = App::scoped::<Stubborn>().explicit().register::<connect>();
    app.state(log.clone()).state(lasts).build()
}

#[tokio::test(start_paused = true)]
async fn a_task_is_started_again_after_pauses_that_grow() {
    let log = Log::new();
    let app = stubborn(&log, Duration::ZERO);
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.advance(Duration::from_secs(29)).await;
    assert!(app.health().is_ready(), "{}", app.health());
    tester.advance(Duration::from_secs(32)).await;
    let times = log.times();
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let full = [8, 16, 30].map(Duration::from_secs);
    for (pause, full) in pauses.iter().zip(full) {
        assert!(
            full * 3 / 4 <= *pause && *pause <= full + Duration::from_millis(1),
            "{pauses:?}"
        );
    }
    assert!(pauses.len() >= 2, "{pauses:?}");
    assert_eq!(
        app.health().problems(),
        [
            "background task `fastkafka_tester::tests::tasks::connect` failed: the socket is closed, again and again for 61 s"
        ]
    );
    tester.settle().await.unwrap();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_long_run_the_pauses_begin_anew() {
    let log = Log::new();
    let lasts = Duration::from_secs(30);
    let tester = Tester::start(stubborn(&log, lasts)).await.unwrap();
    tester.advance(Duration::from_secs(600)).await;
    let times = log.times();
    assert!(times.len() > 10);
    for pair in times.windows(2) {
        let pause = pair[1] - pair[0] - lasts;
        assert!(
            pause <= Duration::from_secs(8) + Duration::from_millis(1),
            "{times:?}"
        );
    }
    tester.stop().await;
}
